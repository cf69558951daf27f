"""The order of items: what suits generation, and attempts in one piece whatever others did to the order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.plugin.collect.plan import keep_attempts_together, order_for_generation
from pytest_llmbench.plugin.collect.tasks import ITEM_REF
from pytest_llmbench.schema.keys import ItemRef


class Item:
    """As much of a test item as ordering looks at."""

    def __init__(self, name: str, ref: ItemRef | None = None) -> None:
        self.name = name
        self.stash = pytest.Stash()
        if ref is not None:
            self.stash[ITEM_REF] = ref

    def __repr__(self) -> str:
        return self.name


def items(tasks: str, models: list[str], points: int = 2) -> list[Item]:
    return [
        Item(f"{task}.{model}.{point}", ItemRef(task, model, 1, f"p{point}", ""))
        for task in tasks
        for model in models
        for point in range(points)
    ]


def attempts(order: list[Item]) -> list[str]:
    return list(dict.fromkeys(item.name.rpartition(".")[0] for item in order if "." in item.name))


def test_one_queue_goes_model_by_model():
    order = items("ab", ["m1", "m2"])
    order_for_generation(order, ["m2", "m1"], {"m1": "q", "m2": "q"})
    assert attempts(order) == ["a.m2", "b.m2", "a.m1", "b.m1"]


def test_queues_that_run_side_by_side_are_graded_side_by_side():
    order = items("ab", ["m1", "m2", "other"])
    order_for_generation(order, ["m1", "m2", "other"], {"m1": "q", "m2": "q", "other": "r"})
    assert attempts(order) == ["a.m1", "a.other", "b.m1", "b.other", "a.m2", "b.m2"]


def test_ordinary_tests_come_first_and_keep_their_order():
    order = [Item("z"), *items("a", ["m"]), Item("b")]
    order_for_generation(order, ["m"], {"m": "q"})
    assert [item.name for item in order] == ["z", "b", "a.m.0", "a.m.1"]


@given(st.randoms(use_true_random=False))
def test_attempts_stay_together_after_any_shuffle(rng: random.Random):
    order = [*items("abc", ["m1", "m2"], points=3), Item("x"), Item("y")]
    rng.shuffle(order)
    before = list(order)
    keep_attempts_together(order)
    owners = [item.name.rpartition(".")[0] or item.name for item in order]
    assert len([i for i in range(1, len(owners)) if owners[i] != owners[i - 1]]) == len(set(owners)) - 1
    firsts = list(dict.fromkeys(item.name.rpartition(".")[0] or item.name for item in before))
    assert list(dict.fromkeys(owners)) == firsts
    for owner in firsts:
        mine = [item for item in order if (item.name.rpartition(".")[0] or item.name) == owner]
        assert mine == [item for item in before if item in mine]
