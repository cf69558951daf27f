"""Gates beside ``--llm-fail-under``: coverage, speed, single tasks, a baseline."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.boards import results_of

from pytest_llmbench.plugin.controller.gates import rule
from pytest_llmbench.schema.results import Results
from pytest_llmbench.schema.settings import Gates

GOOD = {"m": {"a": [20.0, 18.0], "b": [16.0, 18.0]}}
HOLED = {"m": {"a": [20.0, None], "b": [20.0, 20.0]}}


def only(results: Results, against: Results | None = None, **gates: object) -> str:
    """The shortfall of the last of these gates."""
    return rule(results, Gates(**gates), against)[-1].shortfall  # type: ignore[arg-type]


def test_no_gate_says_nothing() -> None:
    assert rule(results_of(GOOD), Gates(), None) == []
    assert not Gates().any
    assert Gates(min_tps=1.0).any


@pytest.mark.parametrize(("percent", "told"), [(85, ""), (86, "m has 17 of 20 points, 85.0 %")])
def test_a_task_of_its_own(percent: float, told: str) -> None:
    assert only(results_of(GOOD), fail_under_task=(("b", percent),)) == told


def test_a_task_that_is_not_there() -> None:
    assert only(results_of(GOOD), fail_under_task=(("c", 1.0),)) == "no task 'c' in this run (tasks: a, b)"


@pytest.mark.parametrize(("percent", "told"), [(75, ""), (76, "m: 3 of 4 attempts have a score, 75.0%")])
def test_coverage(percent: float, told: str) -> None:
    assert only(results_of(HOLED), min_coverage=percent) == told


def test_coverage_lets_fail_under_count_errors_as_nothing() -> None:
    strict, tolerant = Gates(fail_under=70.0), Gates(fail_under=75.0, min_coverage=50.0)
    assert rule(results_of(HOLED), strict, None)[0].shortfall == "1 of 4 attempts ended as error"
    assert [ruling.shortfall for ruling in rule(results_of(HOLED), tolerant, None)] == ["", ""]
    higher = Gates(fail_under=76.0, min_coverage=50.0)
    assert rule(results_of(HOLED), higher, None)[0].shortfall == (
        "m has 75.0 % of the points, counting attempts without a score as 0"
    )


def test_speed() -> None:
    results = results_of(GOOD)
    assert only(results, min_tps=5.0) == "m: the speed of generation was not measured"
    speeds = [10.0, 20.0, 30.0, None]
    attempts = [
        attempt.model_copy(update={"tokens_per_s": speed})
        for attempt, speed in zip(results.attempts, speeds, strict=True)
    ]
    measured = results.model_copy(update={"attempts": attempts})
    assert only(measured, min_tps=20.0) == ""
    assert only(measured, min_tps=20.1) == "m generates 20.0 tokens per second on average"


def test_baseline() -> None:
    tasks = ("a", "b", "c", "d", "e", "f")
    low = results_of({"m": {task: [10.0, 11.0, 9.0] for task in tasks}})
    high = results_of({"m": {task: [15.0, 16.0, 14.0] for task in tasks}})
    gate = Path("old/results.json")
    assert only(high, low, baseline=gate) == ""
    assert only(low, low, baseline=gate) == ""
    assert only(low, high, baseline=gate).startswith("m is worse by 30 points (p = ")
    other = results_of({"m": {task: [15.0, 16.0, 14.0] for task in tasks}}, params={"seed": 1})
    told = only(low, other, baseline=gate)
    assert told.startswith("m is not comparable: sampling: parameters sent: seed: 1 and 'not set'")
    assert "is worse" in only(low, other, baseline=gate, baseline_allow=frozenset({"sampling"}))
