"""A solver's way to its model and to the task's own look at a reply, for one attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from pytest_llmbench import clock
from pytest_llmbench.errors import HarnessError
from pytest_llmbench.llm.generation.pending import PendingGenerations
from pytest_llmbench.llm.generation.requests import Asked, RequestScheduler
from pytest_llmbench.llm.solving import FeedbackJob
from pytest_llmbench.llm.targets import ModelTarget, OfflineTarget
from pytest_llmbench.schema.attempt import Message
from pytest_llmbench.schema.keys import AttemptKey


class AttemptAccess:
    """The ``ModelAccess`` of one attempt: numbers its turns. For the loop's thread."""

    def __init__(
        self,
        key: AttemptKey,
        target: ModelTarget,
        requests: RequestScheduler,
        pending: PendingGenerations,
        *,
        since: float,
        admitted: Callable[[], None],
    ) -> None:
        """``since``: when the attempt was announced; ``admitted`` is called when its first turn is known or queued."""
        self.target = target
        self.turns = 0
        """Turns so far."""
        self.last: Asked | None = None
        """How the last of them ended."""
        self._key = key
        self._requests = requests
        self._pending = pending
        self._since = since
        self._admitted = admitted

    async def complete(self, messages: Sequence[Message]) -> Asked:
        """Ask for the next reply. Raises ``HarnessError`` where there is no model to ask."""
        if isinstance(self.target, OfflineTarget):
            raise HarnessError(
                f"the solver {self.target.solver!r} of {self.target.label!r} asks a model, and there is none: it says "
                "that it needs none. Set needs_model to True, and choose it by --llm-solver."
            )
        since = self._since if self.turns == 0 else clock.monotonic()
        self.turns += 1
        self.last = None
        self.last = await self._requests.complete(self._key.turn(self.turns), messages, since, self._admitted)
        return self.last

    async def feedback(self) -> str | None:
        """What the task says of the last reply: a job for whichever grading process waits."""
        if self.last is None:
            raise HarnessError(f"{self._key}: feedback on a reply that there is not: complete one first.")
        told: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._pending.offer(FeedbackJob(self._key.turn(self.turns), self.last), told)
        return await told
