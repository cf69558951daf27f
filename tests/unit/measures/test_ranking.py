"""Ranks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.measures.ranking import rank


def test_equal_totals_share_a_rank_and_the_next_is_counted_on() -> None:
    totals = [83, 100, 90.5, 90.5]
    assert [rank(total, totals) for total in totals] == [4, 1, 2, 2]


@given(st.lists(st.integers(0, 5), min_size=1))
def test_a_rank_is_the_place_of_the_first_equal(totals: list[int]) -> None:
    ordered = sorted(totals, reverse=True)
    assert [rank(total, totals) for total in ordered] == [ordered.index(total) + 1 for total in ordered]
