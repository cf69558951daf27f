"""The tasks of a session, and their tests parametrized over attempts, while pytest collects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_llmbench.errors import TaskError
from pytest_llmbench.plugin.collect.loaded import TaskCollector
from pytest_llmbench.plugin.collect.modules import RUBRIC_MARK, TASK_MARK, is_task, read_module
from pytest_llmbench.plugin.options.incompatible import refused_mark
from pytest_llmbench.schema.builtin import STARTER
from pytest_llmbench.schema.keys import AttemptKey, ItemRef
from pytest_llmbench.schema.settings import Settings
from pytest_llmbench.schema.task import RubricPoint, Task

if TYPE_CHECKING:
    from pytest_llmbench.schema.mutant import Mutant

ATTEMPT_FIXTURE = "llm_attempt"
ITEM_REF = pytest.StashKey[ItemRef]()


class _Found(NamedTuple):
    task: Task
    points: dict[str, RubricPoint]
    """By test function."""
    mutants: tuple[Mutant, ...]
    """Of a self-check only."""


class _Source(NamedTuple):
    """Where a task comes from."""

    path: Path
    task: str = ""
    """Of a task that a loader read from ``path``: its id."""


class Collection:
    """The tasks of one process, filled while pytest collects."""

    def __init__(self, settings: Settings, missing: Callable[[Task], str]) -> None:
        """``missing`` tells why a task cannot be graded on this machine, with the remedy, or "" when it can."""
        self.settings = settings
        self._missing = missing
        self._found: dict[_Source, _Found | TaskError] = {}
        self._attempts: dict[str, list[AttemptKey]] = {}
        self._sources: dict[str, _Source] = {}
        self._cases: dict[tuple[str, str], dict[str, None]] = {}

    # -- while collecting ------------------------------------------------------------------------------------------

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """Give a rubric test its attempts: every model and epoch, the model first in the id.

        Raises pytest's ``CollectError`` for a task that is put together wrongly.
        """
        module = metafunc.definition.getparent(pytest.Module)
        assert module is not None
        name = _qualified(metafunc.definition)
        if not isinstance(module, TaskCollector) and not is_task(module.obj):
            stray = [m.name for m in metafunc.definition.iter_markers() if m.name in (TASK_MARK, RUBRIC_MARK)]
            if stray:
                raise _collect_error(
                    f"{module.path}: {name} has the marker {stray[0]!r}, but the module is no task. "
                    f'Add: pytestmark = pytest.mark.llm_task(id="...", points=..., files=["..."])'
                )
            return
        found = self.load(module)
        if name not in found.points:
            raise _collect_error(
                f"{module.path}: {name} is a test of task {found.task.id!r} and has no rubric marker. "
                f'Add @pytest.mark.rubric("a-name", points=1), or move the test out of the task.'
            )
        if refused := refused_mark(metafunc.definition.iter_markers(), metafunc.function):
            raise _collect_error(f"{module.path}: {name} is marked {refused[0]}: {refused[1]}")
        if not self.settings.active:
            return
        keys = self._attempts_of(found.task.id)
        metafunc.fixturenames.insert(0, ATTEMPT_FIXTURE)
        ids = [self._attempt_id(key) for key in keys]
        metafunc.parametrize(ATTEMPT_FIXTURE, keys, ids=ids, indirect=True, scope="module")

    def note_cases(self, collector: pytest.Collector, nodes: Iterable[pytest.Item | pytest.Collector]) -> None:
        """Learn from a collector's full result which cases each rubric point has."""
        module = collector.getparent(pytest.Module)
        if module is None or not self.settings.active:
            return
        for node in nodes:
            ref = self._reference(node, module) if isinstance(node, pytest.Function) else None
            if ref is not None:
                node.stash[ITEM_REF] = ref
                self._cases.setdefault((ref.task, ref.point), {})[ref.case] = None

    def load(self, module: pytest.Module) -> _Found:
        """The task of a module, read when it is first asked for. Raises pytest's ``CollectError``."""
        source = _source_of(module)
        if source not in self._found:
            try:
                self._found[source] = self._read(module, source)
            except TaskError as error:
                self._found[source] = error
        found = self._found[source]
        if isinstance(found, TaskError):
            raise _collect_error(str(found))
        return found

    # -- once collected --------------------------------------------------------------------------------------------

    def why_skip(self, item: pytest.Item) -> str:
        """Why an item cannot be graded on this machine, with the remedy; "" when it can."""
        ref = item.stash.get(ITEM_REF, None)
        return self.unavailable(self.task(ref.task)) if ref else ""

    def task(self, task_id: str) -> Task:
        """A collected task."""
        found = self._found[self._sources[task_id]]
        assert isinstance(found, _Found)
        return found.task

    def mutants(self, task_id: str) -> tuple[Mutant, ...]:
        """A task's mutants in a self-check, none otherwise."""
        found = self._found[self._sources[task_id]]
        assert isinstance(found, _Found)
        return found.mutants

    def expected_miss(self, ref: ItemRef) -> str:
        """Why a miss is what a self-check wants to see; "" where it is a miss like any other."""
        if not self.settings.selfcheck:
            return ""
        if ref.model == STARTER:
            return "the starter need not earn it"
        mutant = next((mutant for mutant in self.mutants(ref.task) if mutant.label == ref.model), None)
        return "the mutant loses it" if mutant is not None and ref.point in mutant.loses else ""

    def cases(self, task: str, point: str) -> tuple[str, ...]:
        """Every case of a rubric point, selected or not; one unnamed case when its test is not parametrized."""
        return tuple(self._cases.get((task, point), {"": None}))

    @property
    def task_count(self) -> int:
        """Tasks collected."""
        return sum(isinstance(found, _Found) for found in self._found.values())

    def unavailable(self, task: Task) -> str:
        """Why a task cannot be graded on this machine, with the remedy; "" when it can."""
        return self._missing(task)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _read(self, module: pytest.Module, source: _Source) -> _Found:
        task = module.read() if isinstance(module, TaskCollector) else read_module(module)
        other = self._sources.setdefault(task.id, source)
        if other != source:
            raise TaskError(f"two tasks have the id {task.id!r}: {other.path} and {source.path}. Rename one of them.")
        points = {point.function: point for point in task.rubric}
        return _Found(task, points, self._read_mutants(task))

    def _read_mutants(self, task: Task) -> tuple[Mutant, ...]:
        if not self.settings.selfcheck or task.data is None:
            return ()
        from pytest_llmbench.catalog.mutants import read_mutants

        return read_mutants(task.data, [point.id for point in task.rubric])

    def _attempts_of(self, task: str) -> list[AttemptKey]:
        llm = self.settings.llm
        if task not in self._attempts:
            labels = [model.label for model in llm.models] + [mutant.label for mutant in self.mutants(task)]
            # The same objects for all tests of a task: by that pytest 8.2 knows that a fixture need not be made again.
            self._attempts[task] = [
                AttemptKey(task, label, epoch) for label in labels for epoch in range(1, llm.epochs + 1)
            ]
        return self._attempts[task]

    def _attempt_id(self, key: AttemptKey) -> str:
        return key.model if self.settings.llm.epochs == 1 else f"{key.model}#{key.epoch}"

    def _reference(self, item: pytest.Function, module: pytest.Module) -> ItemRef | None:
        found = self._found.get(_source_of(module))
        callspec = getattr(item, "callspec", None)
        if not isinstance(found, _Found) or callspec is None or ATTEMPT_FIXTURE not in callspec.params:
            return None
        key: AttemptKey = callspec.params[ATTEMPT_FIXTURE]
        point = found.points[_qualified(item)]
        # The id as a whole has the model's name escaped: it cannot be taken off by its text.
        case = "-".join(callspec._idlist[1:])  # noqa: SLF001
        return ItemRef(key.task, key.model, key.epoch, point.id, case)


def _source_of(module: pytest.Module) -> _Source:
    return _Source(module.path, module.name if isinstance(module, TaskCollector) else "")


def _qualified(item: pytest.Function) -> str:
    """The test's name below its module, without its case: ``TestHeap::test_pops``."""
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    return "::".join([*classes, item.originalname])


def _collect_error(message: str) -> pytest.Collector.CollectError:
    return pytest.Collector.CollectError(f"llmbench: {message}")
