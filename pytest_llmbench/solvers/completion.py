"""Solvers that ask a model and hand in its reply: once, or in a conversation with the task."""

from __future__ import annotations

from pytest_llmbench.llm.solving import Job, ModelAccess, Solution
from pytest_llmbench.schema.attempt import Message
from pytest_llmbench.schema.outcome import NotRun, Replied

LONGEST_FEEDBACK = 20_000
"""Characters that are sent back: what a program printed may be in it, and has no end of its own."""


_WHOLE = NotRun(
    reason="the task expects a whole workspace, which a reply cannot hand in: use dir:PATH, or another solver"
)


class SingleCompletion:
    """One request, and its reply is handed in."""

    name = "completion"
    needs_model = True

    async def solve(self, job: Job, access: ModelAccess) -> Solution:
        """Ask."""
        return await access.complete(job.messages) if job.files else _WHOLE


class Conversation:
    """Several turns: the task says what is wrong with a reply, the model replies again; the last reply is handed in."""

    name = "conversation"
    needs_model = True

    async def solve(self, job: Job, access: ModelAccess) -> Solution:
        """Ask until the task has nothing more to say, or its turns are used up."""
        if not job.files:
            return _WHOLE
        messages = job.messages
        for _ in range(job.turns - 1):
            outcome = await access.complete(messages)
            told = await access.feedback() if isinstance(outcome, Replied) else None
            if not told or not isinstance(outcome, Replied):
                return outcome
            messages = (
                *messages,
                Message(role="assistant", content=outcome.completion.text),
                Message(role="user", content=_shortened(told)),
            )
        return await access.complete(messages)


def _shortened(text: str) -> str:
    """The beginning and the end: a compiler's first message and the sum of them are what helps."""
    if len(text) <= LONGEST_FEEDBACK:
        return text
    half = LONGEST_FEEDBACK // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"
