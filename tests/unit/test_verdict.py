"""When a run reaches ``--llm-fail-under``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import card, criterion, failed, plan, records, results

from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.verdict import reaches

TASK = card("t", criterion("a", 7), criterion("b", 3))


def run(verdict=lambda ref: "earned", *, models=("alpha",), only=lambda ref: True, outcomes=None):
    of = plan(TASK, models=models, only=only)
    return results(of, records(of, verdict), outcomes)


@pytest.mark.parametrize(("percent", "enough"), [(0, True), (69.9, True), (70, True), (70.1, False), (100, False)])
def test_the_points_asked_for_are_compared(percent, enough):
    assert reaches(run(lambda ref: "earned" if ref.point == "a" else "missed"), percent) is enough


def test_everything_reaches_a_hundred():
    assert reaches(run(), 100)


def test_every_model_has_to_reach_it():
    found = run(lambda ref: "missed" if (ref.model, ref.point) == ("beta", "b") else "earned", models=("alpha", "beta"))
    assert reaches(found, 70)
    assert not reaches(found, 71)


def test_an_error_of_one_model_is_never_enough():
    key = AttemptKey("t", "beta", 1)
    found = run(
        lambda ref: "not_reached" if ref.key == key else "earned",
        models=("alpha", "beta"),
        outcomes={key: failed("timeout")},
    )
    assert not reaches(found, 0)


def test_an_error_on_a_task_left_out_for_all_is_never_enough():
    """The server failed for beta where the attempt of alpha was skipped: the points are left out, the error stays."""
    of = plan(TASK, card("u", criterion("c", 5)), models=("alpha", "beta"))
    key = AttemptKey("u", "beta", 1)
    found = results(
        of,
        records(of, lambda ref: "not_reached" if ref.key == key else "skipped" if ref.task == "u" else "earned"),
        {key: failed("server_error")},
    )
    assert not found.incomplete
    assert not reaches(found, 0)


def test_an_incomplete_run_is_never_enough():
    assert not reaches(run(lambda ref: None if ref.point == "b" else "earned"), 0)


def test_nothing_graded_is_never_enough():
    assert not reaches(run(lambda ref: "skipped"), 0)


def test_nothing_to_earn_is_never_enough():
    """Only a cap was selected: 0 of 0 points say nothing."""
    of = plan(card("t", criterion("a", 7), criterion("cap", 3, "cap")), only=lambda ref: ref.point == "cap")
    assert not reaches(results(of, records(of)), 0)


def test_a_partial_selection_is_measured_by_what_was_selected():
    assert reaches(run(only=lambda ref: ref.point == "b"), 100)


@given(st.integers(1, 99))
def test_a_score_of_exactly_the_percentage_is_enough(earned):
    """0.29 times 100 is 28.999999999999996 in binary; points are decimals."""
    task = card("t", criterion("got", earned / 100), criterion("rest", (100 - earned) / 100))
    of = plan(task.model_copy(update={"points": 1.0}))
    found = results(of, records(of, lambda ref: "earned" if ref.point == "got" else "missed"))
    assert reaches(found, float(earned))
    assert not reaches(found, earned + 0.01)
