"""How long the rest will take."""

from __future__ import annotations

from dataclasses import replace

from pytest_llmbench.llm.protocols import ModelPace
from pytest_llmbench.plugin.controller.time_left import GradingPace, generation_left_s


def pace(model="a", waiting=0, ages=(), *, recent=(), queue="", concurrency=1):
    return ModelPace(model, waiting, tuple(ages), tuple(recent), queue, concurrency)


def test_nothing_to_go_by_before_the_first_reply():
    assert generation_left_s([pace(waiting=5, ages=[30])]) is None
    assert generation_left_s([]) is None


def test_a_models_own_pace():
    assert generation_left_s([pace(waiting=3, recent=[10, 12, 14])]) == 36
    assert generation_left_s([pace(waiting=3, ages=[2], recent=[10])]) == 38
    assert generation_left_s([pace(waiting=4, recent=[10], concurrency=2)]) == 20


def test_one_slow_reply_does_not_tell_the_pace():
    assert generation_left_s([pace(waiting=1, recent=[60, 5, 5, 5, 5])]) == 5


def test_it_falls_and_never_rises_as_time_passes():
    """Between two ends, whatever is in flight: a request that takes longer than usual adds nothing."""
    now = pace(waiting=2, ages=[0, 3], recent=[10, 11, 9], concurrency=2)
    told = [
        generation_left_s([replace(now, ages_s=[age + passed for age in now.ages_s]), pace("b", 1, queue="b")])
        for passed in range(60)
    ]
    assert told == sorted(told, reverse=True)
    assert told[0] > told[5] > told[9]
    assert told[-1] == 10


def test_models_of_one_queue_come_in_turn_and_queues_side_by_side():
    seen = [pace("a", recent=[10], queue="x"), pace("b", waiting=2, queue="x"), pace("c", waiting=5, queue="y")]
    assert generation_left_s(seen[:2]) == 20
    assert generation_left_s(seen) == 50
    own = [pace("a", waiting=1, recent=[10], queue="x"), pace("b", waiting=1, recent=[3], queue="x")]
    assert generation_left_s(own) == 13


def test_grading():
    grading = GradingPace(workers=2)
    grading.begin(10)
    assert grading.left_s(5.0) is None
    for _ in range(4):
        grading.ended(3.0, now=20.0)
    assert grading.left_s(20.0) == 9
    assert [grading.left_s(20.0 + passed) for passed in (1, 1.5, 100)] == [8, 7.5, 7.5]
