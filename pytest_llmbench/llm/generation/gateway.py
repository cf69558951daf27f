"""The one place that talks to models: order, concurrency, retries, reuse of stored replies.

An event loop on a thread of its own asks; a second thread does everything that touches a disk, one thing at a time;
any thread announces and fetches. ``queues.py`` decides what is asked next, ``pending.py`` holds what became of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from pytest_llmbench.errors import HarnessError, ModelError
from pytest_llmbench.llm.clients.factory import ClientFactory, real_clients
from pytest_llmbench.llm.failures.context_window import overflow
from pytest_llmbench.llm.failures.retry import RetryPolicy
from pytest_llmbench.llm.generation.budget import Budget
from pytest_llmbench.llm.generation.dispatch import RequestDispatcher, unasked, with_cost
from pytest_llmbench.llm.generation.pending import PendingGenerations, Recall
from pytest_llmbench.llm.generation.queues import QueueState, next_keys
from pytest_llmbench.llm.generation.reuse import CompletionReuse, fault
from pytest_llmbench.llm.protocols import CompletionCache, Job, ModelTarget, OnOutcome, Progress, Recorded
from pytest_llmbench.schema.attempt import CompletionRequest, Failure, Message, Outcome
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.settings import LLMSettings

CLOSE_S = 0.2
"""Longest wait for each of: requests to end, connections to close, the disk to be written."""

_T = TypeVar("_T")


class Gateway:
    """Generates one outcome for each announced attempt. A ``CompletionSource``."""

    def __init__(
        self,
        targets: Sequence[ModelTarget],
        settings: LLMSettings,
        cache: CompletionCache,
        on_outcome: OnOutcome,
        *,
        client_factory: ClientFactory | None = None,
        lookahead: bool = False,
        recall: Recall | None = None,
        earlier: Recall | None = None,
        own_run: str | None = None,
        recorded: Recorded | None = None,
        budget: Budget | None = None,
        policy: RetryPolicy | None = None,
        scrub: Callable[[Outcome], Outcome] = lambda outcome: outcome,
    ) -> None:
        """Start the threads; nothing is asked before ``announce``.

        ``on_outcome`` and ``cache`` are called from one thread, never two at once. ``lookahead``: generate at most
        the concurrency ahead of fetching. ``recall`` reads an outcome back that is fetched a second time; without it
        every outcome stays in memory. ``earlier`` has what the first part of a resumed run left of an
        attempt, and ``own_run`` is its id: a completion that it stored is its own and not one used again.
        ``recorded`` reads what a target of the kind ``run`` names. ``scrub`` takes secrets out of what came of
        asking, before anybody sees it.
        """
        self._targets = {target.label: target for target in targets}
        self._keeper = CompletionReuse(cache, on_outcome, settings.cache, own_run, recorded)
        self._asker = RequestDispatcher(
            client_factory or real_clients(settings),
            budget or Budget.of(settings),
            policy or RetryPolicy(),
            timeout_s=settings.timeout_s,
        )
        self._scrub = scrub
        self._earlier = earlier
        self._pending = PendingGenerations(recall)
        self._closing = threading.Lock()
        self._closed = False
        self._store = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llmbench-store")
        # Everything below belongs to the loop's thread.
        self._rank = {label: rank for rank, label in enumerate(self._targets)}
        self._queues = _queues(targets, lookahead=lookahead)
        self._requests: dict[AttemptKey, CompletionRequest] = {}
        self._since: dict[AttemptKey, float] = {}
        self._stopped: dict[str, Failure] = {}
        self._waited_for: set[AttemptKey] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._admission = asyncio.Lock()
        self._thread = threading.Thread(target=self._serve, name="llmbench-gateway", daemon=True)
        self._thread.start()

    # For any thread

    def announce(self, jobs: Sequence[Job]) -> threading.Event:
        """Start to generate; an attempt announced before is left as it is.

        The event is set once it is known of every job whether it must be asked for. Raises ``HarnessError`` for a
        model that is none of the targets, ``SourceClosedError`` after ``close``.
        """
        unknown = {job.key.model for job in jobs} - self._targets.keys()
        if unknown:
            raise HarnessError(f"no such model in this session: {', '.join(sorted(unknown))}.")
        new = self._pending.add(job.key for job in jobs)
        first = {job.key: job for job in reversed(jobs) if job.key in new}
        known = threading.Event()
        since = time.monotonic()
        self._call(lambda: self._spawn(self._admit(list(first.values())[::-1], known, since)))
        return known

    def add_local(self, targets: Iterable[ModelTarget]) -> None:
        """Take in more files on this machine that stand in for models; to be called before they are announced."""
        for target in targets:
            assert target.local
            if target.label not in self._targets:
                self._rank[target.label] = len(self._targets)
                self._targets[target.label] = target

    def fetch(self, key: AttemptKey) -> Outcome:
        """Wait for the end of an attempt's generation.

        Raises ``SourceClosedError`` when the gateway closes first, ``HarnessError`` for an attempt never announced.
        """
        outcome = self._pending.take(key, lambda: self._call(self._wait_begins, key))
        self._call(self._fetched, key)
        return outcome

    def ask(self, key: AttemptKey, messages: Sequence[Message]) -> Outcome:
        """Go on with a conversation: ask for the reply of a later turn, before what nobody waits for, and wait.

        Raises as ``fetch``.
        """
        self.announce([Job(key=key, messages=tuple(messages), files=())])
        return self.fetch(key)

    def progress(self) -> Progress:
        """Counts at this moment."""
        spent = self._asker.budget
        return replace(self._pending.progress(), tokens=spent.generated_tokens, spent_usd=spent.spent_usd)

    def close(self) -> None:
        """Cancel what is in flight, wake who waits, finish what is being written; may be called again.

        Streams are closed, which frees the server's slot. Attempts that had not ended get no outcome.
        """
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._pending.close()
        self._call(self._begin_end)
        self._thread.join(3 * CLOSE_S)
        with contextlib.suppress(RuntimeError, TimeoutError):
            # One thread works in order: when it comes to this, everything before is on the disk.
            self._store.submit(lambda: None).result(CLOSE_S)
        self._store.shutdown(wait=False)

    # On the loop's thread

    def _serve(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._pending.close()  # also if something ended the loop: nobody may wait for ever
            with contextlib.suppress(RuntimeError):
                self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def _begin_end(self) -> None:
        self._ending = self._loop.create_task(self._wind_up())

    async def _wind_up(self) -> None:
        """End all tasks and connections, and with them the loop; nothing new starts meanwhile."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._asker.aclose(), CLOSE_S)
        self._loop.stop()

    def _call(self, function: Callable[..., object], *args: object) -> None:
        """Have the loop's thread call a function; nothing happens once the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *args)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._closed:
            work.close()
            return
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(
        self, key: AttemptKey, work: Coroutine[Any, Any, None], request: CompletionRequest | None = None
    ) -> None:
        """Do it; whatever breaks is the end of this attempt and of no other: nobody waits for it in vain.

        With its ``request`` known, that end is kept like any other.
        """
        try:
            await work
        except BaseException as error:
            if self._closed or isinstance(error, GeneratorExit):
                raise
            broken = Outcome(failure=fault("generation broke", error))
            if request is not None:
                target = self._targets[key.model]
                broken = await self._on_disk(lambda: self._keeper.keep(target, key, request, broken))
            self._pending.end(key, broken)

    def _wait_begins(self, key: AttemptKey) -> None:
        self._waited_for.add(key)
        queue = self._queues.get(self._targets[key.model].queue)
        if queue is not None and key.model in queue.pending:
            queue.want(key)
            self._pump(queue)

    def _fetched(self, key: AttemptKey) -> None:
        self._waited_for.discard(key)
        queue = self._queues.get(self._targets[key.model].queue)
        if queue is not None:
            queue.fetched(key)
            self._pump(queue)

    async def _admit(self, jobs: Sequence[Job], known: threading.Event, since: float) -> None:
        """End what needs no asking and queue the rest, in the order of the models; one announcement at a time."""
        try:
            async with self._admission:
                for job in sorted(jobs, key=lambda job: self._rank[job.key.model]):
                    await self._guarded(job.key, self._admit_one(self._targets[job.key.model], job, since))
        finally:
            known.set()  # also when the session ends meanwhile: nobody waits for the rest

    async def _admit_one(self, target: ModelTarget, job: Job, since: float) -> None:
        key = job.key
        said = [Message(role="system", content=target.system_prompt)] if target.system_prompt else []
        messages = (*said, *job.messages)
        request = CompletionRequest(
            model=target.name,
            endpoint=target.endpoint,
            messages=messages,
            epoch=key.epoch,
            params=target.params,
            context=target.context,
        )
        if self._earlier is not None and not target.local:
            earlier = await self._on_disk(lambda: self._earlier(key) if self._earlier is not None else None)
            if earlier is not None:
                self._pending.end(key, earlier, earlier=True)
                return
        outcome = await self._on_disk(lambda: self._keeper.without_asking(target, job, request))
        stopped = self._stopped.get(key.model)
        if outcome is None and stopped is not None:
            outcome = Outcome(failure=stopped)
        if outcome is None and (too_long := overflow(request, target.endpoint)) is not None:
            outcome = Outcome(failure=too_long)
        if outcome is not None:
            await self._finish(key, request, with_cost(target, outcome))
            return
        self._requests[key] = request
        self._since[key] = since
        queue = self._queues[target.queue]
        queue.add(key, wanted=key in self._waited_for)
        self._pump(queue)

    def _pump(self, queue: QueueState) -> None:
        """Start whatever may start now."""
        if self._closed:
            return
        if (reason := self._asker.budget.used_up()) and any(queue.pending.values()):
            self._end_unasked(queue, reason)
            return
        for key in next_keys(queue):
            queue.start(key)
            request, queue_s = self._requests.pop(key), time.monotonic() - self._since.pop(key)
            self._spawn(self._guarded(key, self._generate(queue, key, request, queue_s), request))

    async def _generate(self, queue: QueueState, key: AttemptKey, request: CompletionRequest, queue_s: float) -> None:
        try:
            outcome = self._scrub(await self._asker.ask(self._targets[key.model], request, lambda: self._pass(key)))
            await self._finish(key, request, outcome.model_copy(update={"queue_s": queue_s}))
        finally:
            # Only now is the slot free: a reply that could not be kept has stopped the queue by this time.
            queue.end(key)
            self._pump(queue)

    def _end_unasked(self, queue: QueueState, reason: str) -> None:
        """The budget is used up: what is pending ends without a request."""
        for model in queue.concurrency:
            for key in queue.give_up(model):
                self._since.pop(key)
                request = self._requests.pop(key)
                finish = self._finish(key, request, Outcome(failure=unasked(reason), not_run=reason))
                self._spawn(self._guarded(key, finish, request))

    def _pass(self, key: AttemptKey) -> None:
        """A request is about to be sent, first or again; raises ``ModelError`` once the model was stopped."""
        if key.model in self._stopped:
            raise ModelError(self._stopped[key.model])
        self._pending.sent(key)

    async def _finish(self, key: AttemptKey, request: CompletionRequest, outcome: Outcome) -> None:
        """Keep an outcome, publish it, and draw what follows from it for others."""
        kept = await self._on_disk(lambda: self._keeper.keep(self._targets[key.model], key, request, outcome))
        if kept.failure is not None and kept.failure.stops_model:
            target = self._targets[key.model]
            # What cannot be kept must not be bought: the server's other models are not asked either.
            broken = kept.failure.kind == "grader" and target.queue in self._queues
            self._stop(self._queues[target.queue].concurrency if broken else [key.model], kept.failure)
        self._pending.end(key, kept)

    def _stop(self, models: Iterable[str], failure: Failure) -> None:
        """Ask these models nothing more: what is pending of them ends with the same failure."""
        for model in models:
            if model in self._stopped:
                continue
            self._stopped[model] = failure
            queue = self._queues.get(self._targets[model].queue)
            for key in queue.give_up(model) if queue is not None else ():
                self._since.pop(key, None)
                request = self._requests.pop(key)
                self._spawn(self._guarded(key, self._finish(key, request, Outcome(failure=failure)), request))

    async def _on_disk(self, work: Callable[[], _T]) -> _T:
        """Do it on the store's thread, to its end also when this task is cancelled."""
        return await asyncio.shield(self._loop.run_in_executor(self._store, work))


def _queues(targets: Sequence[ModelTarget], *, lookahead: bool) -> dict[str, QueueState]:
    models: dict[str, dict[str, int]] = {}
    for target in targets:
        if not target.local:
            models.setdefault(target.queue, {})[target.label] = target.concurrency
    return {name: QueueState(concurrency, lookahead) for name, concurrency in models.items()}
