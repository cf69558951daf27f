"""Rubric tests of js-sse and js-bug-fix over forged answers: each ends as earned or missed, never in an exception.

What is forged goes through the tests as a real answer does, without a sandbox: of the right shape, with values of the
right types that say anything, and with any part replaced by any JSON value and by what JSON cannot hold.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.bench import REPOSITORY

from pytest_llmbench.plugin.author.source import SourceFinder
from pytest_llmbench.schema.execution import CallResult

MISSED = (AssertionError, pytest.fail.Exception)
EXAMPLES = int(os.environ.get("LLMBENCH_FUZZ_EXAMPLES", "60"))
"""Of a forged attempt, over which every test of the task runs; always the same ones."""
PROFILE = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def task(name: str) -> ModuleType:
    """A task's module, imported as any other."""
    path = REPOSITORY / "tasks" / "six" / name / f"test_{name}.py"
    spec = importlib.util.spec_from_file_location(f"fuzzed_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


FEW = 8
"""Of scenarios and scripts of a kind: forged answers to more of them are no other answers."""
SSE, BUGS = task("js_sse"), task("js_bug_fix")
for scenarios in SSE.GROUPS.values():
    del scenarios[FEW:]
for subject in ("EventEmitter", "PriorityQueue", "RateLimiter"):
    for scripts in BUGS.BATCHES[subject].values():
        del scripts[FEW:]
for batch in ("crowd", "clear"):
    del BUGS.BATCHES["TaskQueue"][batch][FEW:]


def nested(levels: int) -> list[Any]:
    """The deepest value that crosses is one of this kind."""
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**400), 2**53, 1e308, -0.0]),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(st.characters(), max_size=8),
    st.sampled_from(["\ud800", "\udfff\ud800", "\0", "x" * 5000, "threw", "onerror", "begin", "task1", "message"]),
)
NAMES = st.text(max_size=5)
VALUES = st.one_of(
    st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4)),
    st.sampled_from([nested(390), [0] * 3000, {str(n): n for n in range(300)}]),
)


@dataclass
class Forger:
    """Puts forged parts into answers. ``rate``: how often a part is replaced by something else."""

    values: list[Any]
    rate: float
    rng: random.Random = field(repr=False)

    def any(self) -> Any:
        """Something else."""
        return self.rng.choice(self.values)

    def spoiled(self, value: Any, levels: int = 6) -> Any:
        """The value, with parts replaced, left out or added."""
        if self.rng.random() < self.rate:
            return self.any()
        if levels and isinstance(value, list):
            parts = [self.spoiled(part, levels - 1) for part in value if self.rng.random() >= self.rate / 4]
            return parts + [self.any()] * (self.rng.random() < self.rate / 4)
        if levels and isinstance(value, dict):
            return {key: self.spoiled(part, levels - 1) for key, part in value.items()}
        return value


FORGERS = st.builds(
    Forger,
    st.lists(VALUES, min_size=3, max_size=12),
    st.sampled_from([0.0, 0.0, 0.001, 0.01, 0.1, 0.6]),
    st.integers(0, 2**32).map(random.Random),
)


class ForgedSandbox:
    """Answers calls of the stage with forged values."""

    def __init__(self, forger: Forger, answer: Callable[[Forger, Any], Any]) -> None:
        self.forger, self.answer = forger, answer

    def call(self, _file: object, _function: str, *arguments: Any, **_limits: object) -> Any:
        """One forged result."""
        forger, scenes = self.forger, arguments[2]
        outcome = forger.rng.choice(["returned"] * 60 + ["raised", "died"]) if scenes else "returned"
        return CallResult(outcome, value=self.answer(forger, scenes) if outcome == "returned" else None)

    def calls(
        self, file: object, function: str, requests: list[list[Any]], *_limits: object, **_more: object
    ) -> list[Any]:
        """One forged result for each request."""
        return [self.call(file, function, *request) for request in requests]


def rubric(module: ModuleType) -> list[Callable[..., None]]:
    """The task's tests."""
    found = [value for name, value in vars(module).items() if name.startswith("test_")]
    assert len(found) > 15
    return found


def all_end(module: ModuleType, maker: str, sandbox: ForgedSandbox, file: str) -> None:
    """Every rubric test, on what one forged attempt gave, is earned or missed."""
    source = SourceFinder({module.FILE: file})
    fixtures = {
        "source": source,
        "label": lambda *_: None,
        maker: getattr(module, maker)._get_wrapped_function()(sandbox),
    }
    for test in rubric(module):
        arguments = [fixtures[name] for name in inspect.signature(test).parameters]
        try:
            test(*arguments)
        except MISSED as missed:
            str(missed)
        except Exception as error:
            error.add_note(f"{test.__name__} over forged answers")
            raise


def report(forger: Forger, sent: list[list[Any]]) -> dict[str, Any]:
    """One report of the actor of js-sse."""
    rng = forger.rng
    return {
        "notes": sent,
        "read": rng.random() < 0.9,
        "cancelled": rng.random() < 0.1,
        "id": rng.choice(["", "1", None, 7, 0.5]),
        "time": rng.choice([None, 10, 1500, 0.5, "x"]),
        "timeUnset": rng.random() < 0.5,
    }


def forged_reports(forger: Forger, scenes: list[list[dict[str, Any]]]) -> Any:
    """What the stage of js-sse could have said about these scenes, spoiled."""
    asked = [group for group in SSE.GROUPS.values() if [each.commands for each in group] == scenes]
    found = []
    for scenario in asked[0] if asked else []:
        reports = [report(forger, []) for _ in scenario.commands]
        for note in scenario.notes:
            forger.rng.choice(reports)["notes"].append(list(note))
        if forger.rng.random() < 0.2:
            forger.rng.choice(reports)["notes"].append([forger.rng.choice(["threw", "onerror"]), "because"])
        found.append(reports)
    return forger.spoiled(
        {"loaded": {"exported": True, "starter": forger.rng.choice(["", "", "run", None])}, "reports": found}
    )


WORDS = ["task1", "task2", "a", "b", "x", "one", "job", "slow", "caller3", "drain", "first", "1 broke", "result of one"]


def forged_logs(forger: Forger, scenes: list[list[dict[str, Any]]]) -> Any:
    """What the stage of js-bug-fix could have said about these scripts, spoiled."""
    rng = forger.rng

    def of(kind: Any) -> Any:
        if kind is object:
            return rng.choice([forger.any(), rng.randrange(9), rng.choice(WORDS), None, True, [1], {"pending": 0}])
        if kind is list:
            return [rng.choice(WORDS) for _ in range(rng.randrange(3))]
        return {bool: rng.random() < 0.5, int: rng.randrange(3000)}.get(kind, rng.choice(WORDS))

    def log(script: dict[str, Any]) -> list[list[Any]]:
        kinds = {"threw": (str, object, str), **BUGS.PLAYING.NOTES[script["subject"]]}
        asked = {"dequeue", "clear", "tryAcquire", "available", "emit", "count", "stats", "find"}
        names = [kind for kind in kinds if kind != "threw"] * 9 + ["threw"]
        size = sum(step[0] in asked for step in script["steps"]) + rng.randrange(3)
        chosen = [rng.choice(names) for _ in range(size)]
        if rng.random() < 0.5 and "dequeue" in kinds:
            chosen = ["dequeue"] * script["steps"].count(["dequeue"])
        return [[rng.randrange(0, 4000, 50), kind, *map(of, kinds[kind])] for kind in chosen]

    return forger.spoiled({"loaded": {}, "reports": [[log(script) for script in scene] for scene in scenes]})


@PROFILE
@given(FORGERS)
def test_js_sse_over_forged_reports(forger: Forger) -> None:
    all_end(SSE, "seen", ForgedSandbox(forger, forged_reports), "new TextDecoder();")


@PROFILE
@given(FORGERS)
def test_js_bug_fix_over_forged_logs(forger: Forger) -> None:
    all_end(BUGS, "play", ForgedSandbox(forger, forged_logs), "")
