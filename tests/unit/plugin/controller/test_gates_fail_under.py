"""When a run reaches ``--llm-fail-under``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import card, criterion, failed, plan, records, results

from pytest_llmbench.plugin.controller.gates import shortfall
from pytest_llmbench.schema.keys import AttemptKey

TASK = card("t", criterion("a", 7), criterion("b", 3))


def run(verdict=lambda ref: "earned", *, models=("alpha",), only=lambda ref: True, outcomes=None):
    of = plan(TASK, models=models, only=only)
    return results(of, records(of, verdict), outcomes)


@pytest.mark.parametrize(("percent", "enough"), [(0, True), (69.9, True), (70, True), (70.1, False), (100, False)])
def test_the_points_asked_for_are_compared(percent, enough):
    assert (not shortfall(run(lambda ref: "earned" if ref.point == "a" else "missed"), percent)) is enough


def test_everything_reaches_a_hundred():
    assert not shortfall(run(), 100)


def test_every_model_has_to_reach_it():
    found = run(lambda ref: "missed" if (ref.model, ref.point) == ("beta", "b") else "earned", models=("alpha", "beta"))
    assert not shortfall(found, 70)
    assert shortfall(found, 71)


def test_an_error_of_one_model_is_never_enough():
    key = AttemptKey("t", "beta", 1)
    found = run(
        lambda ref: "not_reached" if ref.key == key else "earned",
        models=("alpha", "beta"),
        outcomes={key: failed("timeout")},
    )
    assert shortfall(found, 0)


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
    assert shortfall(found, 0)


def test_an_incomplete_run_is_never_enough():
    assert shortfall(run(lambda ref: None if ref.point == "b" else "earned"), 0)


def test_nothing_graded_is_never_enough():
    assert shortfall(run(lambda ref: "skipped"), 0)


def test_nothing_to_earn_is_never_enough():
    """Only a cap was selected: 0 of 0 points say nothing."""
    of = plan(card("t", criterion("a", 7), criterion("cap", 3, "cap")), only=lambda ref: ref.point == "cap")
    assert shortfall(results(of, records(of)), 0)


def test_a_partial_selection_is_never_enough():
    """It says nothing about the whole, and its attempts are incomplete."""
    assert shortfall(run(only=lambda ref: ref.point == "b"), 0) == "1 of 1 attempts ended as incomplete"


def test_the_shortfall_is_told():
    found = run(lambda ref: "missed" if ref.point == "b" else "earned")
    assert shortfall(found, 80) == "alpha has 7 of 10 points, 70.0 %"


@given(st.integers(1, 99))
def test_a_score_of_exactly_the_percentage_is_enough(earned):
    """0.29 times 100 is 28.999999999999996 in binary; points are decimals."""
    task = card("t", criterion("got", earned / 100), criterion("rest", (100 - earned) / 100))
    of = plan(task.model_copy(update={"points": 1.0}))
    found = results(of, records(of, lambda ref: "earned" if ref.point == "got" else "missed"))
    assert not shortfall(found, float(earned))
    assert shortfall(found, earned + 0.01)
