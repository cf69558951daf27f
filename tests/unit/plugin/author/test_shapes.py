"""Shapes: what a probe answered is checked strictly, and soon."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import pydantic
import pytest
from annotated_types import Interval
from typing_extensions import TypedDict

from pytest_llmbench import Row, checked, fits


class Report(TypedDict):
    done: bool
    sizes: list[int]


STRICT_COMPLEX = pytest.mark.skipif(
    tuple(map(int, pydantic.VERSION.split(".")[:2])) < (2, 12), reason="older pydantics take a float for a complex"
)
NOTE = Row[tuple[Literal["begin", "end"], int]] | Row[tuple[Literal["failed"], str, None]]
SMALL = Annotated[float, Interval(ge=0, lt=10)]
DEEP: list[Any] = []
for _ in range(390):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ({"done": True, "sizes": [1, 2]}, Report),
        ({"done": True, "sizes": [], "more": 1}, Report),
        ([["begin", 1], ["failed", "why", None]], list[NOTE]),
        ([], list[NOTE]),
        (9, SMALL),
        (["\ud800"], list[str]),
        ([DEEP], list[object]),
        pytest.param(10**5000, object, id="huge"),
        ((1, "a"), tuple[int, str]),
        ((1, 2, 3), tuple[int, ...]),
        ({1, 2}, set[int]),
        (frozenset({(1, 2)}), frozenset[tuple[int, int]]),
        ({1: b"x", 2: b""}, dict[int, bytes]),
        ({(1, None): 2}, dict[tuple[int, None], int]),
        (1 + 2j, complex),
        ([float("nan"), -float("inf"), -0.0], list[float]),
    ],
)
def test_what_fits_is_given_back_as_it_is(value: Any, shape: Any) -> None:
    assert fits(value, shape)
    assert checked(value, shape, "the report") is value


@pytest.mark.parametrize(
    ("value", "shape", "why"),
    [
        ({"done": 1, "sizes": []}, Report, "the report: Input should be a valid boolean, at ['done']"),
        ({"done": True, "sizes": [1, True]}, Report, "the report: Input should be a valid integer, at ['sizes'][1]"),
        ({"done": True, "sizes": ["1"]}, Report, "valid integer, at ['sizes'][0]"),
        ({"done": True}, Report, "the report: Field required, at ['sizes']"),
        ([], Report, "the report: Input should be a valid dictionary"),
        ([["begin"]], list[NOTE], "the report: "),
        ([["begin", 1, 2]], list[NOTE], "the report: "),
        ([["other", 1]], list[NOTE], "the report: "),
        ([("\ud800", 1)], list[NOTE], "the report: "),
        (10, SMALL, "less than 10"),
        (float("nan"), SMALL, "the report: "),
        (float("inf"), SMALL, "the report: "),
        pytest.param(10**5000, SMALL, "the report: ", id="huge"),
        ("x" * 5000, int, "the report: Input should be a valid integer"),
        (DEEP, list[list[int]], "the report: "),
        ({"x" * 5000: ""}, dict[str, int], "the report: Input should be a valid integer, at "),
        (["x"] * 2000, list[int], "the report: 2000 parts do not fit"),
        ([1, "a"], tuple[int, str], "the report: Input should be a valid tuple"),
        ((1, True), tuple[int, ...], "valid integer, at [1]"),
        ((1, 2), list[int], "valid list"),
        ({1}, frozenset[int], "valid frozenset"),
        (frozenset({1}), set[int], "valid set"),
        ([1], set[int], "valid set"),
        ({1, "a", None, "b"}, set[int], "valid integer, at {'a'}"),
        ([{frozenset({"x", "b"})}], list[set[frozenset[int]]], "valid integer, at [0]{frozenset({'b', 'x'})}{'b'}"),
        ({True: 1}, dict[int, int], "valid integer"),
        ({"1": 1}, dict[int, int], "valid integer"),
        ("x", bytes, "valid bytes"),
        pytest.param(1.0, complex, "instance of complex", marks=STRICT_COMPLEX),
        (set(map(str, range(100))), set[int], "the report: 100 parts do not fit"),
    ],
)
def test_what_does_not_fit_is_a_miss_that_says_where(value: Any, shape: Any, why: str) -> None:
    assert not fits(value, shape)
    with pytest.raises(pytest.fail.Exception) as missed:
        checked(value, shape, "the report")
    assert str(missed.value).startswith("the report: ")
    assert why in str(missed.value)
    assert len(str(missed.value)) < 400


def test_a_row_is_a_list_and_no_other_sequence_stands_for_one() -> None:
    assert not fits("ab", Row[tuple[str, str]])
    assert not fits({"a": 1, "b": 2}, Row[tuple[str, str]])


@pytest.mark.parametrize(
    "value",
    [[0] * 2_000_000, [["x"] * 1000] * 1001, {"a": [{}] * 1_000_000}, ((0,) * 1000,) * 1001, [set(range(1000))] * 1001,
     [{(0,) * 1_000_000: 1}], {frozenset(range(600_000)): set(range(600_000))}],
    ids=["flat", "lists", "dict", "tuples", "sets", "key", "key and value"],
)  # fmt: skip
def test_what_is_far_too_large_is_not_looked_at(value: Any) -> None:
    began = time.process_time()
    with pytest.raises(pytest.fail.Exception, match="the report: more than 1000000 parts"):
        checked(value, Any, "the report")
    assert time.process_time() - began < 2
