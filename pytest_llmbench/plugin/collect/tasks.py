"""From test modules to tasks and parametrized items, while pytest collects."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pytest_llmbench.catalog.rubric import read_rubric_point
from pytest_llmbench.catalog.task import read_task
from pytest_llmbench.errors import TaskError
from pytest_llmbench.schema.builtin import STARTER
from pytest_llmbench.schema.keys import AttemptKey, ItemRef
from pytest_llmbench.schema.settings import Settings
from pytest_llmbench.schema.task import RubricPoint, Task

if TYPE_CHECKING:
    from pytest_llmbench.schema.mutant import Mutant

ATTEMPT_FIXTURE = "llm_attempt"
ITEM_REF = pytest.StashKey[ItemRef]()
TASK_MARK = "llm_task"
RUBRIC_MARK = "rubric"


class _Found(NamedTuple):
    task: Task
    points: dict[str, RubricPoint]
    """By test function."""
    mutants: tuple[Mutant, ...]
    """Of a self-check only."""


class Collection:
    """The tasks of one process, filled while pytest collects."""

    def __init__(self, settings: Settings, missing: Callable[[Task], str]) -> None:
        """``missing`` tells why a task cannot be graded on this machine, with the remedy, or "" when it can."""
        self.settings = settings
        self._missing = missing
        self._found: dict[Path, _Found | TaskError] = {}
        self._attempts: dict[str, list[AttemptKey]] = {}
        self._modules: dict[str, Path] = {}
        self._cases: dict[tuple[str, str], dict[str, None]] = {}

    # -- while collecting ------------------------------------------------------------------------------------------

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """Give a rubric test its attempts: every model and epoch, the model first in the id.

        Raises pytest's ``CollectError`` for a task that is put together wrongly.
        """
        module = metafunc.definition.getparent(pytest.Module)
        assert module is not None
        name = _qualified(metafunc.definition)
        if not _is_task(module.obj):
            stray = [m.name for m in metafunc.definition.iter_markers() if m.name in (TASK_MARK, RUBRIC_MARK)]
            if stray:
                raise _collect_error(
                    f"{module.path}: {name} has the marker {stray[0]!r}, but the module is no task. "
                    f'Add: pytestmark = pytest.mark.llm_task(id="...", points=..., files=["..."])'
                )
            return
        found = self._load(module)
        if name not in found.points:
            raise _collect_error(
                f"{module.path}: {name} is a test of task {found.task.id!r} and has no rubric marker. "
                f'Add @pytest.mark.rubric("a-name", points=1), or move the test out of the task.'
            )
        if any(metafunc.definition.iter_markers("flaky")):
            raise _collect_error(
                f"{module.path}: {name} is marked flaky: a rerun would keep the best of several gradings. "
                f"Take the marker away; --llm-epochs=N makes independent attempts."
            )
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

    # -- once collected --------------------------------------------------------------------------------------------

    def why_skip(self, item: pytest.Item) -> str:
        """Why an item cannot be graded on this machine, with the remedy; "" when it can."""
        ref = item.stash.get(ITEM_REF, None)
        return self.unavailable(self.task(ref.task)) if ref else ""

    def task(self, task_id: str) -> Task:
        """A collected task."""
        found = self._found[self._modules[task_id]]
        assert isinstance(found, _Found)
        return found.task

    def mutants(self, task_id: str) -> tuple[Mutant, ...]:
        """A task's mutants in a self-check, none otherwise."""
        found = self._found[self._modules[task_id]]
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

    def _load(self, module: pytest.Module) -> _Found:
        path = module.path
        if path not in self._found:
            try:
                self._found[path] = self._read(module, path)
            except TaskError as error:
                self._found[path] = error
        found = self._found[path]
        if isinstance(found, TaskError):
            raise _collect_error(str(found))
        return found

    def _read(self, module: pytest.Module, path: Path) -> _Found:
        marks = [mark for mark in _marks(module.obj) if mark.name == TASK_MARK]
        if len(marks) > 1:
            raise TaskError(f"{path} has {len(marks)} llm_task markers. A module is one task: keep one.")
        points = {point.function: point for point in _rubric(module)}
        task = read_task(path, marks[0].args, marks[0].kwargs, list(points.values()))
        other = self._modules.setdefault(task.id, path)
        if other != path:
            raise TaskError(
                f"two tasks have the id {task.id!r}: {other} and {path}. Rename one in its llm_task marker."
            )
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
        found = self._found.get(module.path)
        callspec = getattr(item, "callspec", None)
        if not isinstance(found, _Found) or callspec is None or ATTEMPT_FIXTURE not in callspec.params:
            return None
        key: AttemptKey = callspec.params[ATTEMPT_FIXTURE]
        point = found.points[_qualified(item)]
        # The id as a whole has the model's name escaped: it cannot be taken off by its text.
        case = "-".join(callspec._idlist[1:])  # noqa: SLF001
        return ItemRef(key.task, key.model, key.epoch, point.id, case)


def _is_task(module: ModuleType) -> bool:
    return any(mark.name == TASK_MARK for mark in _marks(module))


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


def _qualified(item: pytest.Function) -> str:
    """The test's name below its module, without its case: ``TestHeap::test_pops``."""
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    return "::".join([*classes, item.originalname])


def _collect_error(message: str) -> pytest.Collector.CollectError:
    return pytest.Collector.CollectError(f"llmbench: {message}")
