"""The turns of an attempt: a task looks at a reply and tells the model what is wrong; the model replies again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_llmbench.attempts.submission import Submission, read_submission
from pytest_llmbench.catalog.prompt import full_prompt
from pytest_llmbench.schema.attempt import Failure, Message, Outcome
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.task import Task

LONGEST_FEEDBACK = 20_000
"""Characters that are sent back: what a program printed may be in it, and has no end of its own."""


@dataclass(frozen=True, slots=True)
class ConversationEnd:
    """An attempt after its last turn: something to grade, or the failure in its place."""

    turn: int
    submission: Submission | None = None
    failure: Failure | None = None


def opening(task: Task) -> tuple[Message, ...]:
    """What every attempt at a task begins with."""
    return (Message(role="user", content=full_prompt(task)),)


def converse(
    key: AttemptKey,
    task: Task,
    first: Outcome,
    *,
    ask: Callable[[AttemptKey, Sequence[Message]], Outcome],
    feedback: Callable[[Submission], str | None],
) -> ConversationEnd:
    """Go on from the first reply until the task has nothing more to tell, or its turns are used up.

    ``feedback`` looks at a submission and says what is wrong with it; ``ask`` sends the whole conversation and waits.
    Files that were handed in without asking anybody are taken as they are, and so is a reply without any code: there
    is nothing that could be looked at.
    """
    outcome, turn, messages = first, 1, opening(task)
    while True:
        completion = outcome.completion
        if outcome.failure is not None or completion is None:
            return ConversationEnd(turn, failure=outcome.failure)
        submission = read_submission(key, task, completion)
        if turn >= task.turns or completion.wall_s is None or submission.no_code:
            return ConversationEnd(turn, submission)
        told = feedback(submission)
        if not told:
            return ConversationEnd(turn, submission)
        turn += 1
        messages = (
            *messages,
            Message(role="assistant", content=completion.text),
            Message(role="user", content=_shortened(told)),
        )
        outcome = ask(key._replace(turn=turn), messages)


def _shortened(text: str) -> str:
    """The beginning and the end: a compiler's first message and the sum of them are what helps."""
    if len(text) <= LONGEST_FEEDBACK:
        return text
    half = LONGEST_FEEDBACK // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"
