"""Rubric tests of two tasks against forged answers: each ends in a point or in a miss, never in a fault of the harness.

The test functions are called in this process. In place of a sandbox they are given whatever a program could answer, and
more: answers of the right shape, the same with parts of them exchanged or taken out, and values of no sense at all.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_llmbench import CallResult, SourceFinder
from pytest_llmbench.schema.execution import ExecResult

TASKS = Path(__file__).parents[3] / "tasks" / "six"
FIXTURES = Path(__file__).parents[3] / "fixtures"
EXAMPLES = int(os.environ.get("LLMBENCH_TEST_FORGED", "25"))
"""For each rubric test."""
FORGED = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def loaded(name: str) -> ModuleType:
    """A task's test module."""
    spec = importlib.util.spec_from_file_location(f"forged_{name}", TASKS / name / f"test_{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # for its dataclasses
    spec.loader.exec_module(module)
    return module


def rubric_tests(module: ModuleType) -> list[Any]:
    """Each rubric test with each set of its parameters."""
    found = []
    for name, function in vars(module).items():
        marks = {mark.name: mark for mark in getattr(function, "pytestmark", ())}
        if "rubric" not in marks:
            continue
        assert name.startswith("test_")
        names, values = marks["parametrize"].args if "parametrize" in marks else ("", [None])
        for value in values:
            given_values = {names: value} if names else {}
            found.append(pytest.param(function, given_values, id=f"{marks['rubric'].args[0]} {value or ''}".strip()))
    return found


# -- what is answered ------------------------------------------------------------------------------------------------


def nested(levels: int, *, objects: bool) -> Any:
    """A list, or an object, of many levels."""
    value: Any = 1
    for _ in range(levels):
        value = {"a": value} if objects else [value]
    return value


NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**63, True, 1e308]),
    st.sampled_from([400, 4000, 5000]).map(lambda digits: 10**digits),
)
KEYS = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.complex_numbers(), st.binary(max_size=5), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4).map(tuple), st.frozensets(inner, max_size=4)),
    max_leaves=8,
)
ANYTHING = st.one_of(
    st.recursive(
        st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=20), st.sampled_from(["\ud800", "\0"])),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
        max_leaves=8,
    ),
    KEYS,
    st.sets(KEYS, max_size=4),
    st.lists(st.dictionaries(KEYS, NUMBERS, max_size=4), max_size=3),
    st.booleans().map(lambda objects: nested(900, objects=objects)),
    st.sampled_from([0, None, "x", [1]]).map(lambda value: [value] * 2_000),
    st.sampled_from(["x", "\n"]).map(lambda letter: letter * 30_000),
)


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a value."""
    yield above
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*above, key))


@st.composite
def forged(draw: st.DrawFn, goods: list[Any]) -> Any:
    """A good answer, or one with a part exchanged, taken out or put in beside, or anything."""
    kind = draw(st.sampled_from(("good", "exchanged", "exchanged", "gone", "more", "anything")))
    if kind == "anything":
        return draw(ANYTHING)
    value = deepcopy(draw(st.sampled_from(goods)))
    way = draw(st.sampled_from([way for way in places(value) if way] or [()]))
    if kind == "good" or not way:
        return value
    holder = value
    for key in way[:-1]:
        holder = holder[key]
    if kind == "gone":
        del holder[way[-1]]
    elif kind == "more" and isinstance(holder, dict):
        holder[draw(st.text(max_size=5))] = draw(ANYTHING)
    else:
        holder[way[-1]] = draw(ANYTHING)
    return value


@st.composite
def results(draw: st.DrawFn, goods: list[Any]) -> CallResult:
    """What a call could have given."""
    outcome = draw(st.sampled_from(["returned"] * 6 + ["raised", "died"]))
    value = draw(forged(goods)) if outcome == "returned" or draw(st.booleans()) else None
    after = tuple(draw(st.lists(ANYTHING, max_size=2)))
    return CallResult(
        outcome, value, draw(st.text(max_size=9)), draw(st.text(max_size=99)), after, draw(st.text(max_size=9))
    )


class ForgedSandbox:
    """Answers every call out of what was drawn, by the name of the function that is called."""

    def __init__(self, answers: dict[str, list[CallResult]]) -> None:
        self.answers = answers

    def calls(
        self, _file: object, function: str, args: list[Any], *_limits: object, **_more: object
    ) -> list[CallResult]:
        """One answer for each call, taken from those drawn again and again."""
        answers = self.answers[function]
        return [answers[index % len(answers)] for index in range(len(args))]

    def call(self, _file: object, function: str, *_args: object, **_more: object) -> CallResult:
        """The last of the answers."""
        return self.answers[function][-1]

    def run(self, command: list[str], *_limits: object, **_more: object) -> ExecResult:
        """A command that printed what the last call did."""
        printed = next(iter(self.answers.values()))[-1].stdout
        return ExecResult(tuple(command), exit_code=0, stdout=printed, stderr="", wall_s=0.1, cpu_s=0.1)


class Resolver:
    """Gives fixtures by their names: those of the sandbox and the reply, and the task's own."""

    def __init__(self, module: ModuleType, sandbox: ForgedSandbox, files: dict[str, str]) -> None:
        self.module = module
        submission = SimpleNamespace(files=files, labels=set())
        self.made: dict[str, Any] = {
            "sandbox": sandbox,
            "submission": submission,
            "source": SourceFinder(files),
            "starter": {"pipeline.ts": STARTER},
            "label": lambda aspect, kind: submission.labels.add(f"{aspect}: {kind}"),
        }

    def call(self, function: Callable[..., Any], **known: Any) -> Any:
        """Call a test, or a fixture, with what it asks for."""
        names = inspect.signature(function).parameters
        return function(**{name: known[name] if name in known else self.made_for(name) for name in names})

    def made_for(self, name: str) -> Any:
        """A fixture's value, made once."""
        if name not in self.made:
            self.made[name] = self.call(inspect.unwrap(getattr(self.module, name)))
        return self.made[name]


def ends_in_a_verdict(resolver: Resolver, function: Callable[..., Any], known: dict[str, Any]) -> None:
    """Call a rubric test: it passes, or says what is wrong with the reply."""
    try:
        resolver.call(function, **known)
    except (AssertionError, pytest.fail.Exception) as miss:
        assert len(str(miss)) < 20_000  # noqa: PT017 - it is short, too


# -- python-top-k ----------------------------------------------------------------------------------------------------

TOP_K = loaded("python_top_k")
for made in ("ordinary_cases", "signed_cases", "growing_cases", "broad_case", "tiered_case", "spread"):
    setattr(TOP_K.CASES, made, cache(getattr(TOP_K.CASES, made)))  # the same every time
REFERENCE = (FIXTURES / "python-top-k" / "reference" / "top_k.py").read_text()
SOURCES = [
    REFERENCE,
    "",
    "def f(",
    "top_k_frequent = 3\n",
    "def top_k_frequent(*nums: 'list', **k): ...\n",
    "class top_k_frequent: ...\n",
    "class A: ...\ntop_k_frequent = b = A()\n",
    "top_k_frequent = top_k_frequent.a().b\n",
    "top_k_frequent = lambda nums, k: nums\n",
    "import collections as c\nx = c." + "b." * 300 + "Counter\n",
    "x = " + "(" * 150 + "1" + ")" * 150,
    "match x:\n    case A(gi_frame=[1, *y]) | {'a': 1, **z}: pass\n",
    "from . import *\nfrom os.path import *\nfrom nowhere import *\nimport a.b.c as d\n",
    REFERENCE.replace("def top", "async def top"),
]
SEEN = {"finished": True, "work": 9.5, "sorts": [3, 240], "presented": [3], "inner": [10]}
NUMBERS_ANSWERED = [[0], [9, 0], [0, 9, 10], [10], [], [2**70, 5], list(range(12))]


@pytest.mark.parametrize(("function", "known"), rubric_tests(TOP_K))
@given(data=st.data())
@FORGED
def test_python_top_k(function: Callable[..., Any], known: dict[str, Any], data: st.DataObject) -> None:
    answers = {
        "top_k_frequent": data.draw(st.lists(results(NUMBERS_ANSWERED), min_size=1, max_size=4)),
        "observe": data.draw(st.lists(results([SEEN, SEEN | {"finished": False, "work": 0}]), min_size=1, max_size=2)),
    }
    source = data.draw(st.sampled_from([REFERENCE] * 9 + SOURCES))
    ends_in_a_verdict(Resolver(TOP_K, ForgedSandbox(answers), {"top_k.py": source}), function, known)


# -- ts-refactor -----------------------------------------------------------------------------------------------------

REFACTOR = loaded("ts_refactor")
STARTER = (FIXTURES / "ts-refactor" / "starter" / "pipeline.ts").read_text()
COUNTS = {group: dict.fromkeys(keys, 300) for group, keys in REFACTOR.COUNTS.items()}
MEASURES = {"code": 900, "text": "0f", "making": [], "branches": 3, "methods": 4, "searches": 1, "anys": 0, **COUNTS}
ERROR = {"line": 3, "inside": "Logger", "message": "no such name"}
TYPES = {"errors": [ERROR], "consumer": [ERROR], "exports": {"Logger": ["value", "type"], "LogLevel": ["type"]}}
ENTRY = [0, "entry", 1, {"time": 5, "level": "info", "fields": {}}]
LOGS = [[ENTRY, [3, "has", "a", True]]]
PLAYED = [{"made": 0, "logs": LOGS}, {"made": 1, "logs": []}, {"made": 0, "logs": [], "error": "Error: no"}]


@pytest.fixture(scope="module", autouse=True)
def known_starter() -> Iterator[None]:
    """What the starter does and how it measures, in place of a look at it."""
    logs = {
        (area, batch): LOGS * len(REFACTOR.SCRIPTS[area][batch])
        for area in REFACTOR.AREAS
        for batch in ("basic", "all")
    }
    REFACTOR.Starter.measures, REFACTOR.Starter.logs = MEASURES, logs
    yield
    REFACTOR.Starter.measures = REFACTOR.Starter.logs = None


@pytest.mark.parametrize(("function", "known"), rubric_tests(REFACTOR))
@given(data=st.data())
@FORGED
def test_ts_refactor(function: Callable[..., Any], known: dict[str, Any], data: st.DataObject) -> None:
    full = [{"made": 0, "logs": LOGS * 33}, {"made": 0, "logs": LOGS * 44}]
    answers = {
        "look": [data.draw(results(goods)) for goods in (["script"], [TYPES, TYPES | {"errors": []}], [MEASURES])],
        "play": data.draw(st.lists(results(PLAYED + full), min_size=1, max_size=6)),
    }
    files = data.draw(st.sampled_from([{"pipeline.ts": STARTER}] * 9 + [{}, {"pipeline.ts": ""}]))
    ends_in_a_verdict(Resolver(REFACTOR, ForgedSandbox(answers), files), function, known)


def test_the_forged_answers_are_not_all_refused() -> None:
    """Good answers of the right shape get through: what is forged in them is looked at."""
    good = {"look": [CallResult("returned", value) for value in ("script", TYPES, MEASURES)]}
    good["play"] = [CallResult("returned", PLAYED[0])]
    refactor = Resolver(REFACTOR, ForgedSandbox(good), {"pipeline.ts": STARTER})
    assert refactor.made_for("compiled")("measures") == json.loads(json.dumps(MEASURES))
    assert refactor.made_for("measures")()[0]["code"] == MEASURES["code"]
    seen = {"observe": [CallResult("returned", SEEN)]}
    top_k = Resolver(TOP_K, ForgedSandbox(seen), {"top_k.py": REFERENCE})
    assert [report for _, report in top_k.made_for("sorts")()] == [SEEN, SEEN]
