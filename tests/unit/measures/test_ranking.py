"""Ranks and Pareto fronts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.measures.ranking import pareto_front, rank


def test_equal_totals_share_a_rank_and_the_next_is_counted_on() -> None:
    totals = [83, 100, 90.5, 90.5]
    assert [rank(total, totals) for total in totals] == [4, 1, 2, 2]


@given(st.lists(st.integers(0, 5), min_size=1))
def test_a_rank_is_the_place_of_the_first_equal(totals: list[int]) -> None:
    ordered = sorted(totals, reverse=True)
    assert [rank(total, totals) for total in ordered] == [ordered.index(total) + 1 for total in ordered]


@given(st.dictionaries(st.text(max_size=3), st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8))
def test_nobody_on_the_front_is_beaten_and_everybody_else_is(places: dict[str, tuple[int, int]]) -> None:
    front = pareto_front(places)
    for name, (one, two) in places.items():
        beaten = any(a <= one and b <= two and (a < one or b < two) for a, b in places.values())
        assert (name in front) == (not beaten)


def test_equals_stand_side_by_side() -> None:
    assert pareto_front({"a": (1, 2), "b": (1, 2), "c": (1, 3)}) == {"a", "b"}
