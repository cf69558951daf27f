"""Seeded input, and values in few words."""

from __future__ import annotations

import functools
import random
from typing import Any

import pytest

from pytest_llmbench import same, seeded, shortened


def test_a_seed_gives_the_same_numbers_every_time() -> None:
    assert seeded(7).random() == random.Random(7).random()
    assert [seeded("a reply \ud800").random() for _ in range(2)] == [0.3426995597962975] * 2
    assert seeded("a reply").random() != seeded("another").random()


def test_a_value_in_few_words() -> None:
    assert shortened("as it is") == "as it is"
    assert shortened([1, "a"]) == "[1, 'a']"
    assert shortened("x" * 400) == "x" * 300 + "..."
    assert shortened(["x"] * 1_000_000, 20) == "['x', 'x', 'x', 'x',..."
    assert shortened(10**5000) == "<int that cannot be shown>"


def test_what_is_left_out_of_a_list_would_not_be_shown() -> None:
    assert shortened([7] * 100, 300) == repr([7] * 100)
    assert shortened([7] * 101, 300) == repr([7] * 101)[:300] + "..."


def test_a_value_of_too_many_levels_has_words_too() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert shortened(deep) == "<list that cannot be shown>"


def test_the_words_for_a_set_are_always_the_same() -> None:
    assert shortened({"b": {"y", "x", 3}}) == "{'b': {3, 'x', 'y'}}"


NAN = float("nan")
UNLIKE = [
    (1, True), (1, 1.0), (0.0, -0.0), (1, "1"), ("a", b"a"), ((1,), [1]), ({1}, frozenset({1})), ({1}, {True}),
    ({1: 2}, {True: 2}), ({1: 2}, {1: 2.0}), ({1: 2}, {1: 2, 3: 4}), ([1], [1, 1]), ({(1, 2)}, {(1, 2.0)}),
    ({frozenset({(0,)})}, {frozenset({(False,)})}), (0j, -0j), (1j, 1), (complex(NAN, 0.0), complex(NAN, -0.0)),
    (NAN, 1.0), (NAN, None), ({"a"}, {"b"}), ([NAN], [1.0]),
]  # fmt: skip


@pytest.mark.parametrize("pair", UNLIKE, ids=str)
def test_values_of_other_kinds_are_not_the_same(pair: Any) -> None:
    for left, right in (pair, pair[::-1]):
        assert not same(left, right)
        assert not same([{"a": (left,)}], [{"a": (right,)}])
        assert same(left, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (float("nan"), -float("nan")),
        ([float("nan")], [float("nan")]),
        (complex(1, float("nan")), complex(1, float("nan"))),
        ({1: 2, "a": (3,)}, {"a": (3,), 1: 2}),
        ({frozenset({1, "a"}), 2.5}, {2.5, frozenset({"a", 1})}),
    ],
)
def test_the_same(left: Any, right: Any) -> None:
    assert same(left, right)


@pytest.mark.parametrize("kind", [list, tuple, frozenset, lambda parts: {"a": parts[0]}])
def test_values_of_many_levels_are_compared(kind: Any) -> None:
    left, right, other = (
        functools.reduce(lambda inner, _: kind([inner]), range(400), kind([last])) for last in (1, 1, 1.0)
    )
    assert same(left, right)
    assert not same(left, other)
