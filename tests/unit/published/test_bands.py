"""Scales are whole, or refused."""

from __future__ import annotations

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.published.bands import SIX_TASK_BANDS, Band, Bands, grouped, letter_value, ranges, tiers


@pytest.mark.parametrize(
    ("points", "name"),
    [(0, "1-4"), (4, "1-4"), (4.9, "1-4"), (5, "5-8"), (12.5, "9-12"), (16, "13-16"), (17, "17-20"), (20, "17-20")],
)
def test_every_score_of_the_scale_has_one_band(points, name):
    assert SIX_TASK_BANDS.of(points).name == name


@pytest.mark.parametrize("points", [-1, 20.1, float("nan")])
def test_a_score_off_the_scale_has_none(points):
    with pytest.raises(OptionError, match="not on the scale from 0 to 20"):
        SIX_TASK_BANDS.of(points)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(0, 4, ""), (6, 10, "")], "0-4 and 6-10 leave a gap. Let the second begin at 5"),
        ([(0, 4, ""), (4, 10, "")], "overlap"),
        ([(5, 10, ""), (0, 4, "")], "not sorted"),
        ([(0, 4, ""), (5, 9, "")], "ends at 9, the scale at 10"),
        ([(4, 0, ""), (5, 10, "")], "ends before it begins"),
        ([(2, 4, ""), (5, 10, "")], "lower scores have no band"),
        ([], "there is none"),
    ],
)
def test_ranges_with_a_gap_are_refused(rows, message):
    with pytest.raises(OptionError, match=message):
        ranges(rows, maximum=10)


@pytest.mark.parametrize(
    ("bands", "message"),
    [
        ([Band("low", 0), Band("high", 0)], "Sort them"),
        ([Band("low", 0), Band("high", 8), Band("mid", 5)], "Sort them"),
        ([Band("low", 0), Band("high", 11)], "above the most"),
        ([Band("same", 0), Band("same", 5)], "more than once"),
        ([Band("low", float("nan"))], "begins at nan"),
    ],
)
def test_bands_that_are_no_scale_are_refused(bands, message):
    with pytest.raises(OptionError, match=message):
        Bands(tuple(bands), 10)


def test_custom_tiers_come_in_any_order():
    custom = tiers([("gold", 9, "g"), ("none", 0, ""), ("silver", 7, "s")], maximum=10)
    assert [custom.of(points).name for points in (10, 9, 8.9, 7, 6.99)] == ["gold", "gold", "silver", "silver", "none"]
    assert grouped([("a", 8), ("b", 0), ("c", 7)], custom) == {"gold": [], "silver": ["a", "c"], "none": ["b"]}


def test_letters_have_an_order_and_no_others():
    assert [letter_value(letter) for letter in ("S", "A", "A-", "B+", "B", "C", "C-", "F")] == [8, 7, 6, 5, 4, 3, 2, 1]
    with pytest.raises(OptionError, match="rank 'E' is none of S, A, A-"):
        letter_value("E")
