"""Forged answers of the probes of go-middleware and rust-cli: every rubric test ends in a pass or a miss, soon.

The tests are called in this process, with their own fixtures over a sandbox that answers whatever it likes.
"""

from __future__ import annotations

import copy
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import is_typeddict

from pytest_llmbench import fits
from pytest_llmbench.plugin.author.source import SourceFinder
from pytest_llmbench.schema.execution import CallResult, ExecResult

ROOT = Path(__file__).parents[3]
RAN = ExecResult(("probe",), 0, "", "", wall_s=1.0, cpu_s=1.0)
FUZZ = settings(
    max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@cache
def module(task: str) -> ModuleType:
    """The test module of a task, as pytest would import it."""
    name = f"test_{task}"
    spec = importlib.util.spec_from_file_location(f"fuzzed_{name}", ROOT / "tasks/six" / task / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


@cache
def reference(task: str, file: str) -> str:
    return (ROOT / "fixtures" / task / "reference" / file).read_text(encoding="utf-8")


@cache
def starter(task: str) -> dict[str, str]:
    folder = ROOT / "fixtures" / task.replace("_", "-") / "starter"
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


class Given:
    """The fixtures of one attempt, made as they are asked for."""

    def __init__(self, task: str, **base: Any) -> None:
        self._module = module(task)
        self._made = base

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self.call(getattr(self._module, name)._get_wrapped_function())
        return self._made[name]

    def call(self, function: Callable[..., Any]) -> Any:
        return function(**{name: self[name] for name in inspect.signature(function).parameters})


def rubric_tests(task: str) -> Iterator[Callable[..., Any]]:
    for name, function in vars(module(task)).items():
        if name.startswith("test_"):
            yield function


def grade(task: str, **base: Any) -> list[bool]:
    """Call every rubric test; which of them passed. Whatever is neither a pass nor a miss is raised."""
    given_ones = Given(task, label=lambda *_: None, starter=starter(task), **base)
    passed = []
    for function in rubric_tests(task):
        try:
            given_ones.call(function)
        except (AssertionError, pytest.fail.Exception):
            passed.append(False)
        else:
            passed.append(True)
    for name, value in list(vars(module(task)).items()):  # labels are made for every attempt
        if getattr(getattr(value, "_fixture_function_marker", None), "autouse", False):
            given_ones.call(getattr(module(task), name)._get_wrapped_function())
    return passed


# -- what may come instead of an answer ------------------------------------------------------------------------------

DEEP = [json.loads("[" * 300 + "]" * 300)]
NUMBERS = [0, -1, True, 10**30, 10**4000, 1e308, float("nan"), float("inf"), -0.0]
TEXTS = ["", "\ud800", "\x1b[31m\u202e", "9" * 5000, "[" * 90_000, '{"a":' * 5000, "x" * 300_000, "200 200 200"]
JUNK = st.sampled_from([None, [], {}, DEEP, {"a": DEEP}, [[]], *NUMBERS, *TEXTS])
PLACES = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["replace", "drop", "add"]), JUNK), max_size=4)


def spoilt(value: Any, places: list[tuple[int, str, Any]]) -> Any:
    """The value with something else in some places of it."""
    value = copy.deepcopy(value)
    for number, how, junk in places:
        spots = list(holders(value))
        if not spots:
            return junk
        holder, key = spots[number % len(spots)]
        if how == "replace":
            holder[key] = junk
        elif how == "drop":
            del holder[key]
        elif isinstance(holder, dict):
            holder["more"] = junk
        else:
            holder.append(junk)
    return value


def holders(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    if depth < 8 and isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, key
            yield from holders(each, depth + 1)


# -- go-middleware ---------------------------------------------------------------------------------------------------

STATUS = st.one_of(st.sampled_from([200, 200, 200, 429, 404, 500]), st.integers(-5, 1000), st.text(max_size=9))
LINE = st.sampled_from(
    ["GET /notes 200 1.2ms", "GET /report 200 0.64s", "POST /notes 201 201 429 404", "1" * 400, "\x1b[3m", "GET GET"]
)
HEADERS = st.dictionaries(st.sampled_from(["content-type", "location", "x"]), st.text(max_size=20), max_size=3)


def of_shape(shape: Any) -> st.SearchStrategy[Any]:
    """Values that have a shape, and some that are a little beyond."""
    task = module("go_middleware")
    if isinstance(shape, dict):
        return st.fixed_dictionaries({key: of_shape(part) for key, part in shape.items()})
    if is_typeddict(shape):
        return of_shape(get_type_hints(shape, include_extras=True))
    plain: list[tuple[Any, st.SearchStrategy[Any]]] = [
        (task.SHAPES.Status, STATUS),
        (task.SHAPES.Number, st.floats(-2, 5)),
        (task.SHAPES.Whole, st.integers(-5, 10_000)),
        (task.SHAPES.Headers, HEADERS),
        (
            task.SHAPES.Text,
            st.one_of(st.lists(LINE, max_size=30).map("\n".join), st.text(max_size=40), st.sampled_from(TEXTS[:5])),
        ),
        (bool, st.booleans()),
        (type(None), st.none()),
    ]
    for known, strategy in plain:
        if shape == known:
            return strategy
    if get_origin(shape) is Annotated:
        shape = shape.__origin__
    parts = get_args(shape)
    if get_origin(shape) is list:
        return st.lists(of_shape(parts[0]), min_size=1, max_size=14)
    if get_origin(shape) is tuple:
        return st.tuples(*map(of_shape, parts)).map(list)
    return st.one_of(*map(of_shape, parts))


class Sandbox:
    """Builds well and answers what it is given."""

    def __init__(self, *values: Any) -> None:
        self._values = list(values)

    def run(self, *_: Any, **__: Any) -> ExecResult:
        return RAN

    def call(self, *_: Any, **__: Any) -> CallResult:
        value = self._values.pop(0) if len(self._values) > 1 else self._values[0]
        return CallResult("returned", copy.deepcopy(value), execution=RAN)

    def calls(self, _file: Any, _function: Any, args: list[Any], *_: Any, **__: Any) -> list[CallResult]:
        answers = iter(self._values * len(args))
        return [CallResult("returned", next(answers), execution=RAN) for _ in args]


def test_forged_observations_of_a_server(tmp_path: Path) -> None:
    task = module("go_middleware")
    source = SourceFinder({"main.go": reference("go-middleware", "main.go")})
    reached: set[bool] = set()

    @FUZZ
    @given(of_shape(task.OBSERVATIONS), PLACES, PLACES)
    def forge(value: Any, first: Any, again: Any) -> None:
        sandbox = Sandbox(spoilt(value, first), spoilt(value, again))
        reached.update(grade("go_middleware", sandbox=sandbox, workspace=tmp_path, source=source))

    forge()
    assert reached == {True, False}


def test_forged_observations_have_some_that_fit() -> None:
    """Otherwise nothing behind the check of the shape would be tried."""
    task = module("go_middleware")
    fit = []

    @FUZZ
    @given(of_shape(task.OBSERVATIONS))
    def count(value: Any) -> None:
        fit.append(all(fits(value[name], shape) for name, shape in task.OBSERVATIONS.items()))

    count()
    assert sum(fit) > len(fit) / 10


@pytest.mark.parametrize("value", [*NUMBERS, *TEXTS, DEEP, None, [], {}, "died"])
def test_something_else_in_place_of_everything(tmp_path: Path, value: Any) -> None:
    for task, file in (("go_middleware", "main.go"), ("rust_cli", "src/main.rs")):
        (tmp_path / "src").mkdir(exist_ok=True)
        source = SourceFinder({file: reference(task.replace("_", "-"), file)})
        passed = grade(task, sandbox=Sandbox(value), workspace=tmp_path, source=source)
        assert sum(passed) <= 1, "no more than that it could be built"


# -- rust-cli --------------------------------------------------------------------------------------------------------

ID = st.one_of(st.integers(0, 13), st.sampled_from([True, -1, 2**40, 10**30, 1.5, None, "3"]))
TAGS = st.sampled_from([[], ["home"], ["\ud800"], [1], None])
TASK = st.fixed_dictionaries(
    {
        "id": ID,
        "title": st.sampled_from(["One", "Pay the rent", "", "\ud800\x1b[31m", "x" * 5000]),
        "priority": st.sampled_from(["low", "medium", "high", "urgent"]),
        "done": st.booleans(),
    },
    optional={"tags": TAGS},
)
FILE = st.one_of(
    st.none(),
    st.fixed_dictionaries({"tasks": st.lists(TASK, max_size=4)}).map(json.dumps),
    st.sampled_from([*TEXTS, '{"tasks": [{"id": NaN}]}', f'{{"tasks": [{{"id": {"1" * 5000}}}]}}']),
)
OUTPUT = st.one_of(st.sampled_from(["Edited task 3\n", "No tasks\n", "Added task 0\n", *TEXTS]), st.text(max_size=20))
CODE = st.sampled_from([0, 0, 0, 1, 2, 101, -11, 2**40])


def test_forged_logs_of_a_program(tmp_path: Path) -> None:
    task = module("rust_cli")
    (tmp_path / "src").mkdir()
    source = SourceFinder({"src/main.rs": reference("rust-cli", "src/main.rs")})
    batches = list(task.SCRIPTS.BATCHES.values())

    @FUZZ
    @given(st.data(), PLACES)
    def forge(data: Any, places: Any) -> None:
        entry = data.draw(st.lists(st.tuples(CODE, OUTPUT, OUTPUT, FILE).map(list), min_size=1, max_size=6))
        entries = iter(entry * 400)
        logs = [[[copy.deepcopy(next(entries)) for _ in one.commands] for one in scripts] for scripts in batches]
        grade("rust_cli", sandbox=Sandbox(*spoilt(logs, places) or [None]), workspace=tmp_path, source=source)

    forge()


def test_logs_that_are_right_are_taken(tmp_path: Path) -> None:
    """The fake sandbox can earn points: what is forged above is lost for what it says."""
    task = module("rust_cli")
    (tmp_path / "src").mkdir()
    source = SourceFinder({"src/main.rs": reference("rust-cli", "src/main.rs")})
    logs = [[[[0, "", "", None] for _ in one.commands] for one in scripts] for scripts in task.SCRIPTS.BATCHES.values()]
    passed = dict(
        zip(
            [function.__name__ for function in rubric_tests("rust_cli")],
            grade("rust_cli", sandbox=Sandbox(*logs), workspace=tmp_path, source=source),
            strict=True,
        )
    )
    assert passed["test_keeps_commands"]
    assert passed["test_compiles"]
    assert not passed["test_edit_changes_what_is_given"]
