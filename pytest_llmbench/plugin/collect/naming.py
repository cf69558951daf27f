"""Task modules and their tests under pytest's default names, whatever a project's own ``python_files`` is.

A suite comes from elsewhere: a project that calls its tests ``tests.py`` or ``it_works`` has tasks all the same.
"""

from __future__ import annotations

import fnmatch
import glob
import unittest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmbench.catalog.outline import Outlines

_FILES = ("test_*.py", "*_test.py")
_FUNCTION = "test"
_CLASS = "Test"
_DEFAULTS = {"python_files": list(_FILES), "python_functions": [_FUNCTION], "python_classes": [_CLASS]}


def task_naming(config: pytest.Config) -> TaskNaming | None:
    """The hooks of a session in a project with names of its own; None where names are pytest's defaults."""
    own = any(config.getini(name) != default for name, default in _DEFAULTS.items())
    return TaskNaming(config) if own else None


class TaskNaming:
    """Collects modules with the marker ``llm_task``, and in them tests, also by pytest's default names."""

    def __init__(self, config: pytest.Config) -> None:
        self._outlines = Outlines(config.rootpath, lambda _folder: False)
        # By its patterns pytest knows in which modules to look into assert statements; a DummyRewriteHook has none.
        self._rewriting: Any = config.pluginmanager.rewrite_hook

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
        """A task module that the project's ``python_files`` passes over."""
        if not any(file_path.match(pattern) for pattern in _FILES) or not self._is_task(file_path):
            return None
        named = any(_matches(file_path, pattern) for pattern in parent.config.getini("python_files"))
        if named or parent.session.isinitpath(file_path):
            return None  # pytest does it
        # A list of its own: pytest's is that of the ini key.
        self._rewriting.fnpats = [*getattr(self._rewriting, "fnpats", ()), glob.escape(str(file_path))]
        hooks = parent.session.gethookproxy(file_path)
        module: pytest.Module = hooks.pytest_pycollect_makemodule(module_path=file_path, parent=parent)
        return module

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
        """A module that knows the default names, if it is a task's."""
        return _TaskModule.from_parent(parent, path=module_path) if self._is_task(module_path) else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, collector: pytest.Collector, name: str, obj: object) -> pytest.Class | None:
        """The same for a class in it."""
        if not isinstance(collector, _TaskModule | _TaskClass) or not isinstance(obj, type):
            return None
        if issubclass(obj, unittest.TestCase) or not collector.istestclass(obj, name):
            return None
        made: pytest.Class = _TaskClass.from_parent(collector, name=name, obj=obj)
        return made

    def _is_task(self, path: Path) -> bool:
        return any(outline.module == path for outline in self._outlines.inside(path.parent))


def _matches(path: Path, pattern: str) -> bool:
    """As pytest matches ``python_files``: a pattern with a folder in it is one of whole paths."""
    return fnmatch.fnmatch(str(path), f"*/{pattern}") if "/" in pattern else fnmatch.fnmatch(path.name, pattern)


if TYPE_CHECKING:
    _Collector = pytest.Module
else:
    _Collector = object


class _DefaultNames(_Collector):
    """The project's names hold in the project alone: a suite from elsewhere may call helpers what it likes."""

    def funcnamefilter(self, name: str) -> bool:
        own = self.path.is_relative_to(self.config.rootpath) and super().funcnamefilter(name)
        return own or name.startswith(_FUNCTION)

    def classnamefilter(self, name: str) -> bool:
        own = self.path.is_relative_to(self.config.rootpath) and super().classnamefilter(name)
        return own or name.startswith(_CLASS)


class _TaskModule(_DefaultNames, pytest.Module):
    pass


class _TaskClass(_DefaultNames, pytest.Class):
    pass
