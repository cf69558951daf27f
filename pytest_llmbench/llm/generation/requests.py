"""The order of requests: stored replies, queues, concurrency, stops. Everything here belongs to the loop's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pytest_llmbench import clock
from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.failures.context_window import overflow
from pytest_llmbench.llm.generation.dispatch import RequestDispatcher, with_cost
from pytest_llmbench.llm.generation.pending import PendingGenerations
from pytest_llmbench.llm.generation.queues import QueueState, next_keys
from pytest_llmbench.llm.generation.reuse import CompletionReuse, fault
from pytest_llmbench.llm.targets import ModelTarget, ServedTarget
from pytest_llmbench.schema.attempt import CompletionRequest, Failure, Message
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.outcome import Failed, NotRun, Outcome, Replied

Asked = Replied | Failed | NotRun
"""How a request ends."""
Earlier = Callable[[TurnKey], Outcome | None]
"""What the first part of a resumed run left of a turn; None: ask."""

_T = TypeVar("_T")


class Host(Protocol):
    """What the owner of the loop does for its requests."""

    async def on_disk(self, work: Callable[[], _T]) -> _T:
        """Do it on the store's thread, to its end also when the task is cancelled."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task; one that is not started any more is closed."""
        ...

    @property
    def closed(self) -> bool:
        """True once the session is ending."""
        ...


@dataclass(frozen=True, slots=True)
class _Open:
    """A request in a queue or in flight."""

    request: CompletionRequest
    since: float
    ended: asyncio.Future[Asked]

    def end(self, outcome: Asked) -> None:
        if not self.ended.done():  # its solver may be gone
            self.ended.set_result(outcome)


class RequestScheduler:
    """Asks for replies, each when its turn has come."""

    def __init__(
        self,
        host: Host,
        targets: Sequence[ModelTarget],
        dispatcher: RequestDispatcher,
        reuse: CompletionReuse,
        pending: PendingGenerations,
        *,
        lookahead: bool,
        earlier: Earlier | None,
        scrub: Callable[[Outcome], Outcome],
    ) -> None:
        """``pending`` hears of what is sent and of what need not be; ``scrub`` takes secrets out of what came."""
        self._host = host
        self._targets: dict[str, ServedTarget] = {t.label: t for t in targets if isinstance(t, ServedTarget)}
        self._dispatcher = dispatcher
        self._reuse = reuse
        self._pending = pending
        self._earlier = earlier
        self._scrub = scrub
        self._queues = _queues(self._targets, lookahead=lookahead)
        self._open: dict[TurnKey, _Open] = {}
        self._turns: dict[AttemptKey, dict[TurnKey, None]] = {}
        """The part of ``_open`` that waits in a queue, by attempt."""
        self._stopped: dict[str, Failure] = {}
        self._waited_for: set[AttemptKey] = set()

    async def complete(
        self, key: TurnKey, messages: Sequence[Message], since: float, admitted: Callable[[], None]
    ) -> Asked:
        """The end of one turn: from an earlier part of the run, from the stored replies, or from the endpoint.

        ``since``: when it was announced (monotonic, s). ``admitted`` is called once it is known whether it must be
        asked for.
        """
        target = self._targets[key.model]
        request = _request(target, key, messages)
        try:
            if target.made_by is None:
                untold = request
                request = await self._host.on_disk(lambda: self._reuse.as_last_stored(untold))
            outcome = await self._without_asking(target, key, request)
            if outcome is not None:
                return outcome
            queued = self._open[key] = _Open(request, since, asyncio.get_running_loop().create_future())
        finally:
            admitted()
        self._turns.setdefault(key.attempt, {})[key] = None
        queue = self._queues[target.queue]
        queue.add(key, wanted=key.attempt in self._waited_for)
        self._pump(queue)
        return await queued.ended

    def want(self, attempt: AttemptKey) -> None:
        """Somebody waits for an attempt: its requests go first."""
        self._waited_for.add(attempt)
        queue = self._queue(attempt.model)
        if queue is not None:
            for key in self._turns.get(attempt, ()):
                queue.want(key)
            self._pump(queue)

    def fetched(self, attempt: AttemptKey) -> None:
        """Somebody took an attempt's end."""
        self._waited_for.discard(attempt)
        queue = self._queue(attempt.model)
        if queue is not None:
            queue.fetched(attempt)
            self._pump(queue)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._dispatcher.aclose()

    async def _without_asking(self, target: ServedTarget, key: TurnKey, request: CompletionRequest) -> Asked | None:
        if self._earlier is not None:
            look = self._earlier
            earlier = await self._host.on_disk(lambda: look(key))
            if isinstance(earlier, Replied | Failed | NotRun):
                self._pending.known(key.attempt, earlier=True)
                return earlier
        outcome: Replied | Failed | None = await self._host.on_disk(lambda: self._reuse.stored(target, key, request))
        stopped = self._stopped.get(key.model)
        if outcome is None and stopped is not None:
            outcome = Failed(failure=stopped)
        if outcome is None and (too_long := overflow(request, target.endpoint)) is not None:
            outcome = Failed(failure=too_long)
        if outcome is None:
            return None
        if isinstance(outcome, Replied) and outcome.cached:
            self._pending.known(key.attempt)
        return await self._finish(key, request, with_cost(target, outcome))

    def _queue(self, model: str) -> QueueState | None:
        target = self._targets.get(model)
        return self._queues[target.queue] if target is not None else None

    def _pump(self, queue: QueueState) -> None:
        """Start whatever may start now."""
        if self._host.closed:
            return
        if (reason := self._dispatcher.budget.used_up()) and any(queue.pending.values()):
            self._give_up(queue, list(queue.concurrency), NotRun(reason=reason))
            return
        for key in next_keys(queue):
            queue.start(key)
            queued = self._take_out(key)
            self._host.spawn(self._guarded(key, queued, self._generate(queue, key, queued)))

    async def _guarded(self, key: TurnKey, queued: _Open, work: Awaitable[Asked]) -> None:
        """Do it; whatever breaks is the end of this request and of no other: nobody waits for it in vain."""
        try:
            outcome = await work
        except BaseException as error:
            if self._host.closed or isinstance(error, GeneratorExit):
                raise
            broken = Failed(failure=fault("generation broke", error))
            outcome = await self._kept(key, queued.request, broken)
        queued.end(outcome)

    async def _generate(self, queue: QueueState, key: TurnKey, queued: _Open) -> Asked:
        queue_s = clock.monotonic() - queued.since
        try:
            asked = await self._dispatcher.ask(self._targets[key.model], queued.request, lambda: self._pass(key))
            outcome: Any = self._scrub(asked)
            if not isinstance(outcome, NotRun):
                outcome = outcome.model_copy(update={"queue_s": queue_s})
            return await self._finish(key, queued.request, outcome)
        finally:
            # Only now is the slot free: a reply that could not be kept has stopped the queue by this time.
            queue.end(key)
            self._pump(queue)

    def _pass(self, key: TurnKey) -> None:
        """A request is about to be sent, first or again; raises ``ModelError`` once the model was stopped."""
        if key.model in self._stopped:
            raise ModelError(self._stopped[key.model])
        self._pending.sent(key.attempt)

    async def _kept(self, key: TurnKey, request: CompletionRequest, outcome: Asked) -> Asked:
        kept: Any = await self._host.on_disk(lambda: self._reuse.keep(key, request, outcome))
        return kept  # type: ignore[no-any-return]  # its own kind, or a failure

    async def _finish(self, key: TurnKey, request: CompletionRequest, outcome: Asked) -> Asked:
        """Keep an outcome, and draw what follows from it for others."""
        kept = await self._kept(key, request, outcome)
        if isinstance(kept, Failed) and kept.failure.stops_model:
            queue = self._queues[self._targets[key.model].queue]
            # What cannot be kept must not be bought: the server's other models are not asked either.
            models = queue.concurrency if kept.failure.kind == "grader" else [key.model]
            new = [model for model in models if model not in self._stopped]
            self._stopped.update(dict.fromkeys(new, kept.failure))
            self._give_up(queue, new, Failed(failure=kept.failure))
        return kept

    def _give_up(self, queue: QueueState, models: Iterable[str], outcome: Asked) -> None:
        """What is pending of these models ends without a request."""
        for model in models:
            for key in queue.give_up(model):
                queued = self._take_out(key)
                self._host.spawn(self._guarded(key, queued, self._finish(key, queued.request, outcome)))

    def _take_out(self, key: TurnKey) -> _Open:
        waiting = self._turns[key.attempt]
        del waiting[key]
        if not waiting:
            del self._turns[key.attempt]
        return self._open.pop(key)


def _request(target: ServedTarget, key: TurnKey, messages: Sequence[Message]) -> CompletionRequest:
    said = [Message(role="system", content=target.system_prompt)] if target.system_prompt else []
    return CompletionRequest(
        model=target.name,
        endpoint=target.endpoint,
        messages=(*said, *messages),
        epoch=key.epoch,
        params=target.params,
        context=target.context,
        aliases=target.aliases,
        made_by=target.made_by or {},
    )


def _queues(targets: Mapping[str, ServedTarget], *, lookahead: bool) -> dict[str, QueueState]:
    models: dict[str, dict[str, int]] = {}
    for target in targets.values():
        models.setdefault(target.queue, {})[target.label] = target.concurrency
    return {name: QueueState(concurrency, lookahead) for name, concurrency in models.items()}
