"""Numbers that are believed and tables of them; decimals as they were written."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmbench.schema.numbers import MAX_FIGURES, MOST, count, exact, figures, half_up, is_figure, positive

UNBELIEVABLE = [
    float("nan"),
    float("inf"),
    float("-inf"),
    -1,
    -0.5,
    10**400,
    -(10**400),
    1e308,
    MOST + 1,
    True,
    None,
    "5",
    [5],
]


@pytest.mark.parametrize("value", UNBELIEVABLE)
def test_what_is_no_figure(value: Any) -> None:
    assert not is_figure(value)
    assert positive(value) is None
    assert count(value) is None


def test_what_is_one() -> None:
    assert [positive(value) for value in (0, 5e-324, 3, MOST)] == [None, 5e-324, 3.0, float(MOST)]
    assert [count(value) for value in (0, 3, 3.0, MOST)] == [0, 3, None, MOST]


def test_a_server_s_table_is_kept_as_it_came() -> None:
    told = {"prompt_n": 13, "prompt_ms": 2.11, "cache_n": 0, "note": "warm", "draft": {"n": [1, 2], "on": True}}
    assert figures(told) == (told, ())


@pytest.mark.parametrize("value", [each for each in UNBELIEVABLE if isinstance(each, float | int) and each is not True])
def test_one_bad_figure_costs_itself_alone(value: Any) -> None:
    told = {"prompt_n": 13, "bad": value, "within": [1, value], "inside": {"a": {"b": value}}}
    assert figures(told) == ({"prompt_n": 13}, ("bad", "within", "inside"))


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def test_size_and_depth_are_bounded() -> None:
    assert figures({"x": deep(2), "y": deep(3), "z": deep(900)}) == ({"x": deep(2)}, ("y", "z"))
    kept, left_out = figures({f"n{number}": number for number in range(3 * MAX_FIGURES)})
    assert len(kept) == len(left_out) == MAX_FIGURES
    assert figures(
        {"many": [0] * MAX_FIGURES, "n" * 101: 1, "long": "x" * 101, "s": {"n" * 101: 1}, "\n": "\x1b", "\ud800": 1}
    ) == (
        {},
        ("many", "n" * 100, "long", "s", r"\n", r"\ud800"),
    )


numbers = st.integers() | st.floats() | st.just(10**400)
values = st.recursive(
    numbers | st.none() | st.text() | st.booleans(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@pytest.mark.slow
@given(st.dictionaries(st.text(), values))
@settings(deadline=None)
def test_whatever_is_kept_is_json_that_everybody_reads(told: dict[str, Any]) -> None:
    kept, left_out = figures(told)
    assert len(kept) + len(left_out) == len(told)
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept


@pytest.mark.parametrize(
    ("value", "digits", "rounded"),
    [
        (1.65, 1, 1.7),
        (2.5, 0, 3),
        (-2.5, 0, -3),
        (0.4999996, 0, 0),
        (Fraction(2, 3), 2, 0.67),
        (Fraction(1, 8), 2, 0.13),
    ],
)
def test_halves_are_rounded_up(value: Fraction | float, digits: int, rounded: float) -> None:
    assert half_up(value, digits) == rounded


def test_a_decimal_is_what_was_written() -> None:
    assert exact(0.1) == Fraction(1, 10)
    assert exact(83) == 83
