"""Verdicts over two runs, what makes runs incomparable, and what a regrading moved."""

from __future__ import annotations

from typing import Any

import pytest
from support.boards import results_of

from pytest_llmbench.analysis.comparability import differences
from pytest_llmbench.analysis.comparison import compare
from pytest_llmbench.analysis.regrade_diff import moves
from pytest_llmbench.errors import OptionError
from pytest_llmbench.runs.compare import compare_runs
from pytest_llmbench.schema.results import Results

TASKS = ("a", "b", "c", "d", "e", "f")
LOW = {task: [10.0, 11.0, 9.0] for task in TASKS}
HIGH = {task: [15.0, 16.0, 14.0] for task in TASKS}


def test_better_worse_and_cannot_tell() -> None:
    low, high = results_of({"m": LOW}), results_of({"m": HIGH})
    up, down, same = (compare(a, "m", b, "m") for a, b in ((low, high), (high, low), (low, low)))
    assert (up.verdict, down.verdict, same.verdict) == ("better", "worse", "cannot tell")
    assert (up.overall.difference, down.overall.difference) == (30, -30)
    assert up.interval is not None
    assert up.interval.low > 0
    assert same.reason == "the totals are equal"
    assert [task.verdict for task in up.tasks] == ["cannot tell"] * 6, "six tasks with p = 0.1 each prove nothing alone"


def test_one_epoch_of_two_tasks_can_never_tell() -> None:
    a = results_of({"m": {"a": [0.0], "b": [0.0]}})
    b = results_of({"m": {"a": [20.0], "b": [20.0]}})
    found = compare(a, "m", b, "m")
    assert (found.verdict, found.interval) == ("cannot tell", None)
    assert found.reason == ("2 tasks with 1 epoch can give no p-value below 0.5: more epochs or tasks are needed")


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"params": {"temperature": 0.7}}, "sampling", "temperature: 'not set' and 0.7"),
        ({"endpoint": "https://else.example/v1"}, "server", "https://else.example/v1"),
        ({"metadata": {"quant": "q4"}}, "quantisation", "None and q4"),
        ({"metadata": {"context": 4096}}, "context", "None and 4096"),
        ({"metadata": {"server": {"context": 8192}}}, "context", "None and 8192"),
        ({"metadata": {"server": {"sampling": {"top_k": 40}}}}, "sampling", "top_k: 'not set' and 40"),
        ({"metadata": {"server": {"build": "b2"}}}, "server", "None and b2"),
        ({"options": {"system_prompts": {"m": "Be brief."}}}, "prompt", "None and 'Be brief.'"),
        ({"options": {"timeout_s": 5.0}}, "limits", "timeout_s: None and 5.0"),
        ({"fingerprint": "g"}, "prompt", "a was changed"),
    ],
)
def test_what_makes_runs_incomparable(change: dict[str, Any], kind: str, words: str) -> None:
    a, b = results_of({"m": LOW}), results_of({"m": HIGH}, **change)
    found = differences(a, "m", b, "m")
    assert kind in [difference.kind for difference in found]
    assert any(words in difference.what for difference in found)
    (refused,) = compare_runs(a, b)
    assert refused.comparison is None
    (allowed,) = compare_runs(a, b, allow={difference.kind for difference in found})
    assert (allowed.refused, allowed.comparison and allowed.comparison.verdict) == ((), "better")
    assert not differences(b, "m", b, "m")


def test_a_task_that_one_side_lacks_is_a_difference() -> None:
    a = results_of({"m": LOW})
    b = results_of({"m": {**HIGH, "f": [None, None, None]}})
    assert [d.what for d in differences(a, "m", b, "m")] == [
        "f has scores on the first side only",
        "3 attempts of the second side have no score",
    ]


def test_nothing_in_common_is_refused() -> None:
    a, b = results_of({"m": {"a": [1.0]}}), results_of({"m": {"b": [1.0]}})
    (found,) = compare_runs(a, b, allow={"coverage"})
    assert found.comparison is None
    assert [d.what for d in found.refused] == ["nothing to compare: no task has scores on both sides"]


def test_which_models_are_meant() -> None:
    a, b = results_of({"old": LOW}), results_of({"new": HIGH})
    assert [(each.a, each.b) for each in compare_runs(a, b, allow={"server"})] == [("old", "new")]
    two = results_of({"x": LOW, "y": HIGH})
    assert [(each.a, each.b) for each in compare_runs(two, two)] == [("x", "x"), ("y", "y")]
    assert [(each.a, each.b) for each in compare_runs(two, two, model="y", against="x")] == [("x", "y")]
    with pytest.raises(OptionError, match="Choose one with --against: x, y"):
        compare_runs(two, b)
    with pytest.raises(OptionError, match=r"--model: 'z' is not in that run. Choose from: x, y"):
        compare_runs(two, two, model="z")


def test_moves_of_a_regrading() -> None:
    before = results_of({"m": {"a": [20.0], "b": [5.0]}, "n": {"a": [15.0], "b": [5.0]}, "o": {"a": [None]}})
    after = results_of({"m": {"a": [12.0], "b": [5.0]}, "n": {"a": [15.0], "b": [5.0]}, "o": {"a": [3.0]}})
    found = moves(before, after)
    assert [(v.task, v.model, v.was, v.now) for v in found.verdicts] == [("a", "m", "earned 20/20", "missed 12/20")]
    assert [(r.model, r.was, r.now) for r in found.ranks] == [("m", 1, 2), ("n", 2, 1), ("o", None, None)]
    assert (found.compared, found.left_out) == (4, 1)


def test_partial_selections_are_compared_when_they_are_the_same() -> None:
    def partly(points: float, most: float) -> Results:
        results = results_of({"m": {task: [points] * 3 for task in TASKS}})
        attempts = [
            attempt.model_copy(update={"status": "incomplete", "reason": "deselected", "max_points": most})
            for attempt in results.attempts
        ]
        return results.model_copy(update={"attempts": attempts})

    (found,) = compare_runs(partly(2.0, 5.0), partly(4.0, 5.0))
    assert found.comparison is not None
    assert found.comparison.verdict == "better"
    (refused,) = compare_runs(partly(2.0, 5.0), partly(4.0, 6.0))
    assert "points of a asked for: 5 and 6" in [difference.what for difference in refused.refused]
