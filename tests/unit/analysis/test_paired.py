"""Paired tests against scipy and closed forms, and how often equals are called different."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_llmbench.analysis import paired
from pytest_llmbench.analysis.paired import Stratum, difference_interval, holm, permutation_test

points = st.integers(0, 12).map(lambda n: n / 2)


def by_hand(strata: list[Stratum]) -> float:
    """All rearrangements, one by one, in exact arithmetic."""

    def dealt(stratum: Stratum) -> list[Fraction]:
        pool = [Fraction(str(x)) for x in (*stratum.a, *stratum.b)]
        na, nb = len(stratum.a), len(stratum.b)
        return [
            sum((pool[i] for i in chosen), Fraction()) / nb
            - sum((pool[i] for i in range(na + nb) if i not in chosen), Fraction()) / na
            for chosen in itertools.combinations(range(na + nb), nb)
        ]

    observed = abs(sum((s.difference for s in strata), Fraction()))
    everything = [abs(sum(each, Fraction())) for each in itertools.product(*map(dealt, strata))]
    return sum(each >= observed for each in everything) / len(everything)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@example([Stratum((0.0,), (0.5,)), Stratum((0.0, 0.0), (0.0, 0.5))])
@given(
    st.lists(
        st.builds(
            Stratum,
            st.lists(points, min_size=1, max_size=3).map(tuple),
            st.lists(points, min_size=1, max_size=3).map(tuple),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_counting_agrees_with_going_through_all(strata: list[Stratum]) -> None:
    assert permutation_test(strata).p_value == pytest.approx(by_hand(strata), abs=1e-12)


def test_one_epoch_is_the_sign_flip_test_of_scipy() -> None:
    a, b = [12.0, 15, 9, 17, 11, 14], [15.0, 16, 13, 17, 15, 16]
    expected = stats.permutation_test(
        (b, a), lambda x, y: np.sum(x - y), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    found = permutation_test([Stratum((x,), (y,)) for x, y in zip(a, b, strict=True)])
    assert (found.p_value, found.difference, found.exact) == (pytest.approx(expected), 14, True)


def test_one_task_is_the_permutation_test_of_scipy() -> None:
    a, b = (10.0, 12.0, 11.5, 9.0), (13.0, 12.0, 14.0, 13.5)
    expected = stats.permutation_test(
        (b, a), lambda x, y: np.mean(x) - np.mean(y), permutation_type="independent", n_resamples=np.inf
    ).pvalue
    assert permutation_test([Stratum(a, b)]).p_value == pytest.approx(expected)


def test_the_least_p_of_six_tasks_with_one_epoch() -> None:
    found = permutation_test([Stratum((0.0,), (float(n),)) for n in range(1, 7)])
    assert found.p_value == found.least_p == 2 / 2**6


def test_thirds_of_a_point_are_thirds() -> None:
    """Rounded for the record to nine digits: 20/3 against 6.666666667 is no difference."""
    found = permutation_test([Stratum((6.666666667, 3.333333333), (5.0, 5.0))])
    assert (found.difference, found.p_value, found.exact) == (0.0, 1.0, True)


def test_equal_sides_cannot_be_told_apart() -> None:
    assert permutation_test([Stratum((5.0, 5.0), (5.0, 5.0))]).p_value == 1.0


def test_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="no task has scores on both sides"):
        permutation_test([])


def test_drawing_is_near_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    strata = [Stratum((10.0, 12.0, 9.0), (12.0, 14.0, 11.0)), Stratum((3.0, 4.0), (4.0, 6.0))]
    counted = permutation_test(strata)
    monkeypatch.setattr(paired, "_MOST_CELLS", 1)
    drawn = permutation_test(strata)
    assert (counted.exact, drawn.exact) == (True, False)
    assert drawn.p_value == pytest.approx(counted.p_value, abs=0.01)
    assert drawn == permutation_test(strata)


def test_interval_is_that_of_welch_for_one_task() -> None:
    a, b = (10.0, 12.0, 11.0, 9.0), (13.0, 12.5, 14.0)
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    found = difference_interval([Stratum(a, b)])
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_interval_needs_two_epochs() -> None:
    assert difference_interval([Stratum((1.0, 2.0), (3.0,))]) is None


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == [pytest.approx(0.03), pytest.approx(0.06), pytest.approx(0.06)]
    assert holm([]) == []
