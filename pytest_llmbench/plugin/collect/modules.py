"""From a test module with markers to its task."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import pytest

from pytest_llmbench.catalog.rubric import read_rubric_point
from pytest_llmbench.catalog.task import read_task
from pytest_llmbench.errors import TaskError
from pytest_llmbench.schema.task import RubricPoint, Task

TASK_MARK = "llm_task"
RUBRIC_MARK = "rubric"


def is_task(module: ModuleType) -> bool:
    """True for a module with the marker ``llm_task``."""
    return any(mark.name == TASK_MARK for mark in _marks(module))


def read_module(module: pytest.Module) -> Task:
    """The task that a module's markers make of it. Raises ``TaskError``."""
    marks = [mark for mark in _marks(module.obj) if mark.name == TASK_MARK]
    if len(marks) > 1:
        raise TaskError(f"{module.path} has {len(marks)} llm_task markers. A module is one task: keep one.")
    return read_task(module.path, marks[0].args, marks[0].kwargs, list(_rubric(module)))


def _marks(owner: object) -> list[pytest.Mark]:
    marks: Any = getattr(owner, "pytestmark", [])
    marks = marks if isinstance(marks, list) else [marks]
    return [getattr(mark, "mark", mark) for mark in marks]


def _rubric(module: pytest.Module) -> Iterator[RubricPoint]:
    """Every rubric point of a module, in order of definition. Raises ``TaskError`` for a marker without a use."""
    marked = [test for test in _tests(module, module.obj) if any(mark.name == RUBRIC_MARK for mark in test.marks)]
    collected = {test.function for test in marked if test.collected}
    for test in marked:
        where = f"{module.path}: {test.name}"
        rubric = [mark for mark in test.marks if mark.name == RUBRIC_MARK]
        if len(rubric) > 1:
            raise TaskError(f"{where} has {len(rubric)} rubric markers. A test is one point: keep one.")
        if test.collected:
            title = (inspect.getdoc(test.function) or "").partition("\n")[0]
            yield read_rubric_point(rubric[0].args, rubric[0].kwargs, function=test.name, title=title)
        elif test.function not in collected:
            raise TaskError(f"{where} has a rubric marker, but pytest collects no function of that name.")


class _Test(NamedTuple):
    """A function that is a test by its name or its marker."""

    name: str
    function: FunctionType
    collected: bool
    """False for a name that pytest passes over, and for the members of a class that is only a base of others."""

    @property
    def marks(self) -> list[pytest.Mark]:
        return _marks(self.function)


def _tests(module: pytest.Module, owner: object, prefix: str = "", *, collected: bool = True) -> Iterator[_Test]:
    """Every function of a module or class, and of the classes inside that pytest collects."""
    spaces = reversed(owner.__mro__) if isinstance(owner, type) else [owner]
    for name, value in {name: value for space in spaces for name, value in vars(space).items()}.items():
        function = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        if isinstance(function, FunctionType):
            yield _Test(prefix + name, function, collected and module.istestfunction(value, name))
        elif isinstance(value, type) and collected and value is not owner:
            runs = module.istestclass(value, name) and getattr(value, "__test__", True)
            yield from _tests(module, value, f"{prefix}{name}::", collected=runs)
