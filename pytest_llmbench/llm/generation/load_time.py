"""The time that a server needs to load a model before it answers, told apart from the answering.

A llama-server with several models loads one inside the first request for it and says nothing of the time. It is asked
just before that request, while nothing else is in flight there, whether the model is loaded; if not, what its answer's
own ``timings`` leave unexplained of the wait is loading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pytest_llmbench.llm.targets import ServedTarget
from pytest_llmbench.schema.outcome import Failed, Replied


@dataclass(slots=True)
class _Held:
    model: str
    loads: asyncio.Future[bool | None]
    first: bool = True
    """Nobody waits for the load yet."""
    answered: asyncio.Event = field(default_factory=asyncio.Event)


class Loads:
    """Which request waits until its model is loaded: the first one, and it alone. For one event loop.

    The others are held back until it has ended: a load is counted once, and is in no other request's times.
    """

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}

    async def expected(self, target: ServedTarget, is_loaded: Callable[[str], Awaitable[bool | None]]) -> bool:
        """True for the request that has to wait for the model; asks the server once each time the model changes.

        Models of one queue never overlap, so that at a change nothing is in flight.
        """
        held = self._held.get(target.queue)
        if held is None or held.model != target.name:
            held = _Held(target.name, asyncio.ensure_future(is_loaded(target.name)))
            self._held[target.queue] = held
        if held.answered.is_set() or await asyncio.shield(held.loads) is not False:
            return False
        if held.first:
            held.first = False
            return True
        await held.answered.wait()
        return False

    def answered(self, target: ServedTarget) -> None:
        """A request ended, well or not: whoever is sent from now on waits for no load."""
        held = self._held.get(target.queue)
        if held is not None and held.model == target.name:
            held.answered.set()


def load_apart(outcome: Replied | Failed) -> Replied | Failed:
    """The outcome of a request that waited for its model, with loading out of its answer's times and a figure itself.

    Unchanged without a llama-server's ``timings``, and where it was sent more than once: the load fell into another.
    """
    completion = outcome.completion
    if completion is None or completion.wall_s is None or outcome.retries:
        return outcome
    spent_ms = [(completion.timings or {}).get(name) for name in ("prompt_ms", "predicted_ms")]
    if not all(isinstance(each, int | float) and 0 <= each < float("inf") for each in spent_ms):
        return outcome
    load_s = max(0.0, completion.wall_s - sum(each for each in spent_ms if each is not None) / 1000)
    times: dict[str, float] = {"wall_s": completion.wall_s - load_s}
    if completion.first_token_s is not None:
        times["first_token_s"] = max(0.0, completion.first_token_s - load_s)
    return outcome.model_copy(update={"load_s": load_s, "completion": completion.model_copy(update=times)})
