"""Intervals against closed forms, and against scipy where it has the same thing."""

from __future__ import annotations

import random
from math import sqrt
from statistics import fmean, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from support.records import card, criterion, failed, plan, record, results

from pytest_llmbench.analysis.intervals import (
    epochs_by_task,
    pass_at_k_interval,
    pass_interval,
    total_interval,
)
from pytest_llmbench.schema.comparison import Interval
from pytest_llmbench.schema.keys import AttemptKey


def test_one_task_has_the_interval_of_a_mean():
    points = [12.0, 15.0, 11.0, 17.0, 14.0]
    low, high = stats.t.interval(0.95, 4, loc=fmean(points), scale=stats.sem(points))
    found = total_interval({"t": points})
    assert found.value == pytest.approx(fmean(points))
    assert found.interval == Interval(pytest.approx(low), pytest.approx(high), 0.95)
    assert found.reason == ""


def test_two_tasks_have_the_interval_of_welch():
    """The sum of two means varies as their difference does, which scipy knows."""
    one, two = [10.0, 12.0, 17.0], [3.0, 4.0, 4.0, 9.0, 1.0]
    welch = stats.ttest_ind(one, two, equal_var=False).confidence_interval(0.9)
    found = total_interval({"a": one, "b": two}, 0.9)
    assert found.value == pytest.approx(fmean(one) + fmean(two))
    assert found.interval is not None
    assert found.interval.high - found.interval.low == pytest.approx(welch.high - welch.low)


def test_equal_variances_add_their_degrees_of_freedom():
    """Six tasks of the same n and variance: sixfold variance, six times n - 1 degrees of freedom."""
    each = [10.0, 11.0, 13.0]
    found = total_interval({str(n): each for n in range(6)})
    half = stats.t.ppf(0.975, 12) * sqrt(6 * variance(each) / 3)
    assert found.interval == Interval(pytest.approx(68 - half), pytest.approx(68 + half), 0.95)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Six tasks of different means and spreads, four epochs each: about 95 of 100 intervals hold the true total."""
    draw = random.Random(20240229)
    tasks = [(12, 1), (15, 3), (8, 2), (17, 1), (11, 4), (14, 2)]
    truth, runs = sum(mean for mean, _ in tasks), 1500
    held = 0
    for _ in range(runs):
        points = {str(n): [draw.gauss(mean, sd) for _ in range(4)] for n, (mean, sd) in enumerate(tasks)}
        interval = total_interval(points).interval
        held += interval is not None and interval.low <= truth <= interval.high
    assert 0.935 <= held / runs <= 0.975


@pytest.mark.parametrize(
    ("points", "value", "reason"),
    [
        ({"a": [3.0], "b": [4.0]}, 7, "one epoch: cannot tell"),
        ({"a": [3.0, 4.0], "b": [4.0]}, 7.5, "one epoch: cannot tell (b)"),
        ({"a": [3.0, 4.0], "b": []}, None, "no epoch with a verdict: b"),
        ({}, None, "no epoch with a verdict: no task"),
    ],
)
def test_what_cannot_be_told_is_not_told(points, value, reason):
    found = total_interval(points)
    assert (found.value, found.interval, found.reason) == (value, None, reason)


def test_epochs_without_any_difference_say_so():
    found = total_interval({"a": [3.0, 3.0], "b": [4.0, 4.0]})
    assert (found.interval, found.reason) == (Interval(7, 7, 0.95), "every epoch of a task gave the same points")


@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_clopper_pearson_is_that_of_scipy(n):
    for c in range(n + 1):
        exact = stats.binomtest(c, n).proportion_ci(0.95, method="exact")
        assert pass_interval(n, c) == Interval(pytest.approx(exact.low), pytest.approx(exact.high), 0.95)


@pytest.mark.parametrize("n", [2, 5, 10])
def test_no_pass_and_all_passes_have_a_closed_form(n):
    assert pass_interval(n, 0) == Interval(0, pytest.approx(1 - 0.025 ** (1 / n)), 0.95)
    assert pass_interval(n, n) == Interval(pytest.approx(0.025 ** (1 / n)), 1, 0.95)
    # Carried through: (1 - p)^k of the upper end is 0.025^(k/n).
    assert pass_at_k_interval(n, 0, 2).interval == Interval(0, pytest.approx(1 - 0.025 ** (2 / n)), 0.95)


def test_pass_at_k():
    found, one = pass_at_k_interval(10, 3, 5), stats.binomtest(3, 10).proportion_ci(0.95, method="exact")
    assert found.value == pytest.approx(1 - 21 / 252)
    assert found.interval == Interval(
        pytest.approx(1 - (1 - one.low) ** 5), pytest.approx(1 - (1 - one.high) ** 5), 0.95
    )
    assert pass_at_k_interval(10, 3, 1).value == pytest.approx(0.3)


def test_pass_at_more_than_there_are_attempts_has_bounds_only():
    found = pass_at_k_interval(3, 1, 5)
    assert found.value is None
    assert found.interval is not None
    assert found.reason == "3 attempts are fewer than 5: no estimate, bounds only"


def test_pass_of_one_epoch_or_none_has_no_interval():
    one, none = pass_at_k_interval(1, 1, 1), pass_at_k_interval(0, 0, 1)
    assert (one.value, one.interval, one.reason) == (1, None, "one epoch: cannot tell")
    assert (none.value, none.interval, none.reason) == (None, None, "no epoch with a verdict")


@pytest.mark.parametrize(("n", "c", "k"), [(3, 4, 1), (3, -1, 1), (3, 1, 0)])
def test_impossible_counts_are_refused(n, c, k):
    with pytest.raises(ValueError, match=r"passes in|pass@0"):
        pass_at_k_interval(n, c, k)


@given(st.integers(2, 40), st.data())
def test_an_interval_is_inside_of_0_and_1_and_rises_with_k(n, data):
    c = data.draw(st.integers(0, n))
    intervals = [pass_at_k_interval(n, c, k).interval for k in (1, 2, 5)]
    for interval in intervals:
        assert interval is not None
        assert 0 <= interval.low <= interval.high <= 1
    assert [i.low for i in intervals if i] == sorted(i.low for i in intervals if i)


def test_epochs_of_a_run_without_its_errors():
    planned = plan(card("a", criterion("p", 2)), card("b", criterion("q", 3)), models=("x", "y"), epochs=3)
    broken = {
        AttemptKey("a", "x", 2): failed("timeout"),
        **{AttemptKey("b", "y", n): failed("timeout") for n in (1, 2, 3)},
    }
    graded = [
        record(ref, "missed" if ref.epoch == 3 else "earned") for ref in planned.items.values() if ref.key not in broken
    ]
    run = results(planned, graded, broken)
    assert epochs_by_task(run, "x") == {"a": [2, 0], "b": [3, 3, 0]}
    assert epochs_by_task(run, "y") == {"a": [2, 2, 0], "b": []}
    assert total_interval(epochs_by_task(run, "y")).reason == "no epoch with a verdict: b"
    assert epochs_by_task(run, "nobody") == {}
