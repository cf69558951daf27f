"""Hooks that keep pytest out of what is off limits: nothing there is collected or imported, whatever options say.

A model's file named ``test_x.py`` or ``conftest.py`` would run in the test process, outside of every sandbox.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from os.path import exists, isdir, isfile, islink
from pathlib import Path
from types import ModuleType

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.plugin.collect.off_limits import OffLimits
from pytest_llmbench.schema.run_files import LATEST, RUNS
from pytest_llmbench.schema.settings import Settings

_DIR = "dir:"


def keep_out(settings: Settings, early_config: pytest.Config) -> KeepOut:
    """The hooks for this session, once it is checked that nothing off limits was asked for by name.

    Called before pytest loads a conftest file, with the arguments as they are going to be used.
    Raises ``OptionError``.
    """
    namespace = early_config.known_args_namespace
    here = early_config.invocation_params.dir
    root = early_config.rootpath
    names = [model.name.removeprefix(_DIR) for model in settings.llm.models if model.name.startswith(_DIR)]
    replies = [here / os.path.expanduser(name) for name in names]  # noqa: PTH111  # Path's raises for ~nobody
    places = [root / path for path in (*early_config.getini("testpaths"), *settings.task_paths)]
    used = settings.active or bool(settings.task_paths) or any(map(_holds_runs, (settings.run_base, *root.glob("*/"))))
    loaded = [suite.path for suite in settings.loaded]
    off_limits = OffLimits(root, replies, [place for place in places if exists(place)], loaded=loaded, used=used)
    arguments = list(_arguments(early_config))
    asks_for_tests = not (namespace.help or getattr(namespace, "version", 0))
    for place in arguments if asks_for_tests else ():
        if why := off_limits.why(place):
            raise OptionError(
                f"{place} cannot be run: {why}. What lies there is graded in the sandbox and never run by pytest. "
                "Name the tests instead; --llm-model=dir:FOLDER grades replies."
            )
    for place in [place for place in arguments if exists(place)] or [here]:
        _blind(early_config, place, off_limits)
    for place in loaded:
        conftest = place / "conftest.py"
        if isfile(conftest) and not any(home.is_relative_to(place) for home in (here, root)):
            _stand_in(early_config, conftest)
    return KeepOut(off_limits)


class KeepOut:
    """Hooks of every session, also of one without a model."""

    def __init__(self, off_limits: OffLimits) -> None:
        self._off_limits = off_limits

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out what is off limits; of all else others decide."""
        return True if self._off_limits.why(collection_path) else None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collect_directory(self, path: Path) -> Generator[None, object, object]:
        """No collector, and so no conftest file either: pytest ignores nothing that was asked for by name."""
        result = yield
        return None if self._off_limits.why(path) else result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collect_file(self, file_path: Path) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
        """As above; and no doctests are looked for in a task's probes, which would be imported for that."""
        result = yield
        if self._off_limits.why(file_path):
            return []
        return [] if result and self._off_limits.is_probe(file_path) else result


def _holds_runs(folder: Path) -> bool:
    return isdir(folder / RUNS) and islink(folder / LATEST)


def _arguments(config: pytest.Config) -> Iterator[Path]:
    """The paths that pytest is going to collect."""
    namespace = config.known_args_namespace
    here = config.invocation_params.dir
    typed: Sequence[str] = namespace.file_or_dir
    if not typed and here == config.rootpath:
        typed = config.getini("testpaths")
        if not namespace.pyargs:
            typed = [found for path in typed for found in sorted(glob.iglob(path, recursive=True))]  # noqa: PTH207  # as pytest
    for argument in typed or [str(here)]:
        name = argument.partition("::")[0]
        path = Path(os.path.abspath(here / name))  # noqa: PTH100  # resolve() would follow links
        if exists(path) or not namespace.pyargs:
            yield path
        else:
            yield from _module_places(name)


def _module_places(name: str) -> Iterator[Path]:
    """Where ``--pyargs`` would find a module; to look it up as pytest does would import the packages around it."""
    parts = name.split(".")
    for entry in sys.path:
        place = Path(entry or ".").absolute().joinpath(*parts)
        if isdir(place):
            yield place
        elif isfile(place.with_name(f"{place.name}.py")):
            yield place.with_name(f"{place.name}.py")


def _blind(config: pytest.Config, place: Path, off_limits: OffLimits) -> None:
    """Stand-ins for conftest files that pytest loads at once: of folders ``test*`` in what it is going to collect."""
    if not isdir(place):
        return
    for folder in place.glob("test*"):
        conftest = folder / "conftest.py"
        if isfile(conftest) and off_limits.why(folder):
            _stand_in(config, conftest)


def _stand_in(config: pytest.Config, conftest: Path) -> None:
    """Register what pytest takes for the file, loaded already: a plugin of that name."""
    if not config.pluginmanager.has_plugin(str(conftest)):
        config.pluginmanager.register(ModuleType("conftest"), str(conftest))
