"""Outcomes are handed over in any order, and few of them are kept in memory."""

from __future__ import annotations

import threading

import pytest

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.llm.generation.pending import ROOM, PendingGenerations
from pytest_llmbench.schema.attempt import Completion, Failure, Outcome
from pytest_llmbench.schema.keys import AttemptKey

KEYS = [AttemptKey("t", "m", epoch) for epoch in range(1, 3 * ROOM)]


def reply(key: AttemptKey) -> Outcome:
    return Outcome(completion=Completion(text=f"reply {key.epoch}"))


def never() -> None:
    raise AssertionError("it has ended")


def test_of_many_that_wait_most_are_read_back() -> None:
    recalled: list[AttemptKey] = []

    def recall(key: AttemptKey) -> Outcome:
        recalled.append(key)
        return reply(key)

    board = PendingGenerations(recall)
    board.add(KEYS)
    for key in KEYS:
        board.end(key, reply(key))
    taken = [board.take(key, never) for key in reversed(KEYS)]
    assert taken == [reply(key) for key in reversed(KEYS)]
    assert len(recalled) == len(KEYS) - ROOM
    again = AttemptKey("t", "m", 1)
    assert board.take(again, never) == reply(again)
    assert recalled[-1] == again, "what was taken is not kept either"


def test_room_comes_back_when_outcomes_are_taken() -> None:
    recalled: list[AttemptKey] = []
    board = PendingGenerations(lambda key: recalled.append(key) or reply(key))  # type: ignore[func-returns-value]
    board.add(KEYS)
    for key in KEYS:
        board.end(key, reply(key))
        assert board.take(key, never) == reply(key)
    assert not recalled


def test_what_somebody_waits_for_is_kept_for_them() -> None:
    board = PendingGenerations(lambda key: None)
    board.add(KEYS)
    waiting, got = threading.Event(), []
    taker = threading.Thread(target=lambda: got.append(board.take(KEYS[-1], waiting.set)))
    taker.start()
    assert waiting.wait(10)
    for key in KEYS:
        board.end(key, reply(key))
    taker.join(10)
    assert got == [reply(KEYS[-1])]


def test_failures_without_a_reply_are_kept() -> None:
    board = PendingGenerations(lambda key: None)
    board.add(KEYS)
    failed = Outcome(failure=Failure(kind="timeout", message="too late"))
    for key in KEYS:
        board.end(key, failed)
    assert [board.take(key, never) for key in KEYS] == [failed] * len(KEYS)


def test_a_reply_that_the_run_folder_lost_is_told() -> None:
    board = PendingGenerations(lambda key: None)
    board.add(KEYS)
    for key in KEYS:
        board.end(key, reply(key))
    with pytest.raises(HarnessError, match="the run folder no longer has it"):
        board.take(KEYS[-1], never)
