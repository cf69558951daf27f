"""Outcomes are handed over in any order, and few of them are kept in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.llm.generation.pending import ROOM, PendingGenerations
from pytest_llmbench.llm.solving import FeedbackJob
from pytest_llmbench.schema.attempt import Completion, Failure
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.outcome import Ended, Failed, Outcome, Replied

KEYS = [AttemptKey("t", "m", epoch) for epoch in range(1, 3 * ROOM)]


def reply(key: AttemptKey) -> Ended:
    return Ended(outcome=Replied(completion=Completion(text=f"reply {key.epoch}")))


def never() -> None:
    raise AssertionError("it has ended")


def test_of_many_that_wait_most_are_read_back() -> None:
    recalled: list[AttemptKey] = []

    def recall(key: TurnKey) -> Outcome:
        recalled.append(key.attempt)
        return reply(key.attempt).outcome

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
    board = PendingGenerations(lambda key: recalled.append(key.attempt) or reply(key.attempt).outcome)  # type: ignore[func-returns-value]
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
    failed = Ended(outcome=Failed(failure=Failure(kind="timeout", message="too late")))
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


def offered(board: PendingGenerations, key: AttemptKey, loop: asyncio.AbstractEventLoop) -> asyncio.Future[str | None]:
    told: asyncio.Future[str | None] = loop.create_future()
    board.offer(FeedbackJob(key.turn(1), reply(key).outcome), told)
    return told


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def nothing() -> None:
    pass


def test_who_waits_for_another_attempt_gets_a_job_once(loop: asyncio.AbstractEventLoop) -> None:
    board = PendingGenerations()
    board.add(KEYS[:3])
    offered(board, KEYS[0], loop)
    job = board.take(KEYS[1], nothing)
    assert isinstance(job, FeedbackJob)
    assert job.key == KEYS[0].turn(1)
    board.end(KEYS[2], reply(KEYS[2]))
    assert board.take(KEYS[2], never) == reply(KEYS[2]), "what has ended comes before any job"
    board.end(KEYS[1], reply(KEYS[1]))
    assert board.take(KEYS[1], never) == reply(KEYS[1]), "the job is lent already"


@pytest.mark.timeout(60)  # whoever gets no job waits for ever
def test_who_waits_for_the_attempt_itself_gets_its_job_again_for_the_first_may_be_lost(
    loop: asyncio.AbstractEventLoop,
) -> None:
    board = PendingGenerations()
    board.add(KEYS[:2])
    told = offered(board, KEYS[0], loop)
    assert isinstance(board.take(KEYS[1], nothing), FeedbackJob)
    for _ in range(2):
        assert isinstance(board.take(KEYS[0], nothing), FeedbackJob)
    board.done(KEYS[0].turn(1), "it does not compile", "")
    board.done(KEYS[0].turn(1), "said twice", "")
    assert told.result() == "it does not compile"


def test_a_job_that_breaks_breaks_what_it_was_for(loop: asyncio.AbstractEventLoop) -> None:
    board = PendingGenerations()
    board.add(KEYS[:1])
    told = offered(board, KEYS[0], loop)
    board.done(KEYS[0].turn(1), None, "feedback= raised")
    with pytest.raises(HarnessError, match="feedback= raised"):
        told.result()


def test_the_pace_is_that_of_replies_that_were_sent() -> None:
    board = PendingGenerations()
    keys = KEYS[:4]
    board.add(keys)
    assert [(pace.model, pace.waiting, pace.recent_s) for pace in board.progress().paces] == [("m", 4, ())]
    board.end(keys[0], reply(keys[0]))  # a stored one, which took no time
    board.sent(keys[1])
    board.sent(keys[1])
    board.sent(keys[2])
    (pace,) = board.progress().paces
    assert (pace.waiting, len(pace.ages_s), pace.recent_s) == (1, 2, ())
    board.end(keys[1], reply(keys[1]))
    board.end(keys[2], Ended(outcome=Failed(failure=Failure(kind="connection", message="refused at once"))))
    (pace,) = board.progress().paces
    assert (pace.waiting, len(pace.ages_s), len(pace.recent_s)) == (1, 0, 1)
    board.end(keys[3], reply(keys[3]))
    assert board.progress().paces[0].waiting == 0
