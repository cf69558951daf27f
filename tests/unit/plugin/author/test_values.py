"""Seeded input, and values in few words."""

from __future__ import annotations

import random
from typing import Any

from pytest_llmbench import seeded, shortened


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
