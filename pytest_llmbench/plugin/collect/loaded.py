"""From what loaders read to pytest's nodes: a file or folder holds tasks, and a task is a module without a file.

A task's points are plain ``pytest.Function`` items, so that fixtures, parametrization, reports and selection are those
of a task that is a module.
"""

from __future__ import annotations

import difflib
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmbench.catalog.loaded import checked_id, read_loaded
from pytest_llmbench.errors import LLMBenchError, OptionError, TaskError
from pytest_llmbench.plugin.extensions import extensions_of
from pytest_llmbench.plugin.options.task_paths import SELECTED_PARTS
from pytest_llmbench.schema.loaded import LoadedPoint, LoadedTask, Loader
from pytest_llmbench.schema.registry import Registered
from pytest_llmbench.schema.settings import Settings
from pytest_llmbench.schema.task import Task
from pytest_llmbench.text import sanitize

if TYPE_CHECKING:
    from pytest_llmbench.plugin.collect.tasks import Collection


def loaded_suites(config: pytest.Config, settings: Settings, collection: Collection) -> LoadedSuites:
    """The hooks that collect the suites of ``--llm-suite=NAME:PATH``.

    Raises ``OptionError`` for a loader that nobody registered.
    """
    loaders = extensions_of(config).loaders
    found = {}
    for suite in settings.loaded:
        if suite.loader not in loaders:
            near = difflib.get_close_matches(suite.loader, loaders, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            known = ", ".join(loaders) or "none; plugins add them, and conftest.py files of folders above the path"
            raise OptionError(f"--llm-suite={suite.text}: no loader {suite.loader!r}. {hint}Known: {known}.")
        found[suite.path] = loaders[suite.loader]
    return LoadedSuites(found, config.stash.get(SELECTED_PARTS, {}), collection)


class LoadedSuites:
    """Collect the paths that loaders read, by whatever way pytest comes to them, and nothing else there."""

    def __init__(
        self,
        suites: Mapping[Path, Registered[Loader]],
        parts: Mapping[Path, Sequence[str]],
        collection: Collection,
    ) -> None:
        self._suites = suites
        self._parts = parts
        self._collection = collection

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """A folder: pytest does not go into it."""
        return self._collector(path, parent) if path in self._suites else None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
        """A file: not one of pytest's or of another plugin."""
        result = yield
        return [self._collector(file_path, parent)] if file_path in self._suites else result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, object, object]:
        """Leave out what the command line does not name of a folder, as pytest does of a file: before anything else."""
        others = [item for item in items if not self._is_selected(item)]
        if others:
            items[:] = [item for item in items if self._is_selected(item)]
            config.hook.pytest_deselected(items=others)
        return (yield)

    def _is_selected(self, item: pytest.Item) -> bool:
        if item.path not in self._parts:
            return True
        name = item.nodeid.partition("::")[2]
        return any(_is_in(name, part) for part in self._parts[item.path])

    def _collector(self, path: Path, parent: pytest.Collector) -> SuiteCollector:
        loader = self._suites[path]
        parts = self._parts.get(path, ())
        given: dict[str, Any] = {"loader": loader, "parts": parts, "collection": self._collection}
        if not path.is_relative_to(parent.config.rootpath):
            given["nodeid"] = path.as_posix()  # pytest would call every argument outside the root ""
        return SuiteCollector.from_parent(parent, path=path, **given)


def _is_in(name: str, part: str) -> bool:
    """True if the name is the part itself, or that of something in it."""
    return name == part or name.startswith((f"{part}::", f"{part}["))


class SuiteCollector(pytest.File):
    """A file or folder that a loader reads."""

    def __init__(
        self, *, loader: Registered[Loader], parts: Sequence[str], collection: Collection, **given: Any
    ) -> None:
        super().__init__(**given)
        self.loader = loader.value.name
        self._registered = loader
        self._parts = parts
        self._collection = collection

    def collect(self) -> Iterable[TaskCollector]:
        """Its tasks, in the loader's order."""
        found: dict[str, TaskCollector] = {}
        for loaded in self._load():
            try:
                name = checked_id(loaded, f"{self.loader} loaded {self.path}")
            except TaskError as error:
                raise self.CollectError(f"llmbench: {sanitize(str(error))}") from error
            if name in found:
                raise self.CollectError(
                    f"llmbench: {self.loader} loaded {self.path}: two tasks have the id {name!r}. Rename one."
                )
            found[name] = TaskCollector.from_parent(
                self,
                path=self.path,
                name=name,
                nodeid=f"{self.nodeid}::{name}",
                loaded=loaded,
                loader=self.loader,
                parts=[part for part in self._parts if _is_in(part, name)],
                collection=self._collection,
            )
        for part in self._parts:
            if part.partition("::")[0] not in found:
                raise self.CollectError(f"llmbench: {self.path} has no task {part.partition('::')[0]!r}.")
        return found.values()

    def _load(self) -> list[LoadedTask]:
        plugin, loader = self._registered
        try:
            tasks = list(loader.load(self.path))
        except LLMBenchError as error:
            raise self.CollectError(f"llmbench: {sanitize(str(error))}") from error
        except Exception as error:
            what = sanitize(f"{type(error).__name__}: {error}")
            raise self.CollectError(
                f"llmbench: plugin {plugin}: {loader.name} cannot load {self.path}: {what}"
            ) from error
        if not tasks:
            raise self.CollectError(f"llmbench: plugin {plugin}: {loader.name} found no task in {self.path}.")
        return tasks


class TaskCollector(pytest.Module):
    """A task that a loader read: to pytest a module, so that fixtures of module scope live as long as an attempt."""

    def __init__(
        self, *, loaded: LoadedTask, loader: str, parts: Sequence[str], collection: Collection, **given: Any
    ) -> None:
        super().__init__(**given)
        self._parts = parts
        self._loaded = loaded
        self._loader = loader
        self._collection = collection
        self.add_marker(pytest.mark.llm_task(id=loaded.id))

    def read(self) -> Task:
        """The task. Raises ``TaskError``."""
        return read_loaded(self._loaded, self._loader, self.path)

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        """Its points, as pytest makes items of test functions."""
        self._collection.load(self)
        found: list[pytest.Item | pytest.Collector] = []
        for point in self._loaded.rubric:
            function = _marked_copy(point)
            setattr(self.obj, point.id, function)  # where pytest gets an item's function
            found += self.ihook.pytest_pycollect_makeitem(collector=self, name=point.id, obj=function) or ()
        for part in self._parts:
            if not any(_is_in(f"{self.name}::{item.name}", part) for item in found):
                raise self.CollectError(f"llmbench: {self.path} has no point {part!r}.")
        return found

    def istestfunction(self, obj: object, name: str) -> bool:  # noqa: ARG002  # pytest's signature
        """Points need no name that begins with ``test``."""
        return True

    def _getobj(self) -> ModuleType:
        return ModuleType(self.name)


def _marked_copy(point: LoadedPoint) -> FunctionType:
    """The point's function with the marker ``rubric``; a copy, because many points may share one function."""
    check: Any = point.check
    copy = FunctionType(check.__code__, check.__globals__, check.__name__, check.__defaults__, check.__closure__)
    copy.__kwdefaults__ = check.__kwdefaults__
    copy.__doc__ = check.__doc__
    copy.__dict__.update(check.__dict__)
    pytest.mark.rubric(point.id)(copy)
    return copy
