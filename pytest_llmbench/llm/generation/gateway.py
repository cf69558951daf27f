"""The one place that talks to models: runs a solver for each attempt, and sends what solvers ask for.

An event loop on a thread of its own runs the solvers and asks; a second thread does everything that touches a disk,
one thing at a time; any thread announces and fetches. ``requests.py`` orders what is asked, ``queues.py`` decides what
is next, ``pending.py`` holds what became of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from pytest_llmbench import clock
from pytest_llmbench.errors import HarnessError, LLMBenchError, ModelError
from pytest_llmbench.llm.clients.factory import ClientFactory, real_clients
from pytest_llmbench.llm.event_loop import new_event_loop
from pytest_llmbench.llm.failures.retry import RetryPolicy
from pytest_llmbench.llm.generation.access import AttemptAccess
from pytest_llmbench.llm.generation.budget import Budget
from pytest_llmbench.llm.generation.dispatch import RequestDispatcher
from pytest_llmbench.llm.generation.pending import PendingGenerations, Recall
from pytest_llmbench.llm.generation.requests import Earlier, RequestScheduler
from pytest_llmbench.llm.generation.reuse import CompletionReuse, fault, lost
from pytest_llmbench.llm.protocols import CompletionCache, OnOutcome, Progress
from pytest_llmbench.llm.solving import FeedbackJob, Files, Job, Solution, Solver
from pytest_llmbench.llm.targets import ModelTarget, OfflineTarget, ServedTarget
from pytest_llmbench.schema.attempt import Failure
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.outcome import Ended, Failed, HandedInFiles, HandedInReply, NotRun, Outcome, Replied
from pytest_llmbench.schema.settings import LLMSettings
from pytest_llmbench.schema.tree import Tree

CLOSE_S = 0.2
"""Longest wait for each of: requests to end, connections to close, the disk to be written."""

SolverOf = Callable[[Job, ModelTarget], Solver]
"""Which solver does a job with a target."""
Freeze = Callable[[Job, Files], Tree]
"""Keeps handed-in files and gives their manifest. Raises ``StoreError``, and ``HarnessError`` for what is none."""

_T = TypeVar("_T")


def _cannot_freeze(_job: Job, _files: Files) -> Tree:
    raise HarnessError("this session keeps no files that are handed in.")


class Gateway:
    """Brings each announced attempt to its end. A ``SubmissionSource``."""

    def __init__(
        self,
        targets: Sequence[ModelTarget],
        settings: LLMSettings,
        cache: CompletionCache,
        on_outcome: OnOutcome,
        solver_of: SolverOf,
        *,
        freeze: Freeze = _cannot_freeze,
        client_factory: ClientFactory | None = None,
        lookahead: bool = False,
        recall: Recall | None = None,
        earlier: Earlier | None = None,
        own_run: str | None = None,
        budget: Budget | None = None,
        policy: RetryPolicy | None = None,
        scrub: Callable[[Outcome], Outcome] = lambda outcome: outcome,
    ) -> None:
        """Start the threads; nothing is asked before ``announce``.

        ``on_outcome``, ``freeze`` and ``cache`` are called from one thread, never two at once. ``lookahead``: generate
        at most the concurrency ahead of fetching. ``recall`` reads a turn back that is fetched a second time; without
        it every outcome stays in memory. ``earlier`` has what the first part of a resumed run left of a turn, and
        ``own_run`` is its id: a completion that it stored is its own and not one used again. ``scrub`` takes secrets
        out of what came of asking, before anybody sees it.
        """
        self._targets = {target.label: target for target in targets}
        self._solver_of = solver_of
        self._freeze = freeze
        self._reuse = CompletionReuse(cache, on_outcome, settings.cache, own_run)
        self._dispatcher = RequestDispatcher(
            client_factory or real_clients(settings),
            budget or Budget.of(settings),
            policy or RetryPolicy(),
            timeout_s=settings.timeout_s,
        )
        self._pending = PendingGenerations(recall)
        self._closing = threading.Lock()
        self.closed = False
        """True once ``close`` was called."""
        self._store = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llmbench-store")
        # Everything below belongs to the loop's thread.
        self._rank = {label: rank for rank, label in enumerate(self._targets)}
        self._requests = RequestScheduler(
            self,
            targets,
            self._dispatcher,
            self._reuse,
            self._pending,
            lookahead=lookahead,
            earlier=earlier,
            scrub=scrub,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending: asyncio.Task[None] | None = None
        self._loop = new_event_loop()
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
        first: dict[AttemptKey, Job] = {}
        for job in jobs:
            if job.key in new:
                first.setdefault(job.key, job)
        known = threading.Event()
        since = clock.monotonic()
        self._call(lambda: self.spawn(self._admit(list(first.values()), known, since)))
        return known

    def add_offline(self, targets: Iterable[OfflineTarget]) -> None:
        """Take in more of what stands in for models; to be called before they are announced."""
        for target in targets:
            if target.label not in self._targets:
                self._rank[target.label] = len(self._targets)
                self._targets[target.label] = target

    def fetch(self, key: AttemptKey) -> Ended | FeedbackJob:
        """Wait for the end of an attempt's generation, or for a job to do meanwhile.

        Raises ``SourceClosedError`` when the gateway closes first, ``HarnessError`` for an attempt never announced.
        """
        got = self._pending.take(key, lambda: self._call(self._requests.want, key))
        if isinstance(got, Ended):
            self._call(self._requests.fetched, key)
        return got

    def tell(self, key: TurnKey, told: str | None, problem: str = "") -> None:
        """The result of a job that ``fetch`` gave."""
        self._call(self._pending.done, key, told, problem)

    def progress(self) -> Progress:
        """Counts at this moment."""
        spent = self._dispatcher.budget
        now = self._pending.progress()
        targets = [self._targets[pace.model] for pace in now.paces]
        paces = [
            replace(pace, queue=target.queue, concurrency=target.concurrency)
            for pace, target in zip(now.paces, targets, strict=True)
            if isinstance(target, ServedTarget)
        ]
        return replace(now, tokens=spent.generated_tokens, spent_usd=spent.spent_usd, paces=paces)

    def close(self) -> None:
        """Cancel what is in flight, wake who waits, finish what is being written; may be called again.

        Streams are closed, which frees the server's slot. Attempts that had not ended get no outcome.
        """
        with self._closing:
            if self.closed:
                return
            self.closed = True
        self._pending.close()
        self._call(self._begin_end)
        self._thread.join(3 * CLOSE_S)
        with contextlib.suppress(RuntimeError, TimeoutError):
            # One thread works in order: when it comes to this, everything before is on the disk.
            self._store.submit(lambda: None).result(CLOSE_S)
        self._store.shutdown(wait=False)

    # On the loop's thread

    async def on_disk(self, work: Callable[[], _T]) -> _T:
        """Do it on the store's thread, to its end also when this task is cancelled."""
        return await asyncio.shield(self._loop.run_in_executor(self._store, work))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task; none is started once the session is ending."""
        if self.closed:
            work.close()
            return
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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
            await asyncio.wait_for(self._requests.aclose(), CLOSE_S)
        self._loop.stop()

    def _call(self, function: Callable[..., object], *args: object) -> None:
        """Have the loop's thread call a function; nothing happens once the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *args)

    async def _admit(self, jobs: Sequence[Job], known: threading.Event, since: float) -> None:
        """Start the solvers in the order of the models, each when the first request of the one before is known."""
        try:
            async with self._admission:
                for job in sorted(jobs, key=lambda job: self._rank[job.key.model]):
                    admitted = asyncio.Event()
                    self.spawn(self._bring_to_end(job, since, admitted.set))
                    await admitted.wait()
        finally:
            known.set()  # also when the session ends meanwhile: nobody waits for the rest

    async def _bring_to_end(self, job: Job, since: float, admitted: Callable[[], None]) -> None:
        """One attempt. Whatever breaks is its end and of no other: nobody waits for it in vain."""
        target = self._targets[job.key.model]
        access = AttemptAccess(job.key, target, self._requests, self._pending, since=since, admitted=admitted)
        try:
            solver = self._solver_of(job, target)
            solution = await solver.solve(job, access)
            ended = await self._submitted(job, solver, access, solution)
        except BaseException as error:
            if self.closed or isinstance(error, GeneratorExit):
                raise
            try:
                ended = await self._keep(job.key.turn(access.turns + 1), Failed(failure=_broken(error)))
            except RuntimeError:  # the process is ending, and its threads take no more work
                self._pending.close()
                return
        finally:
            admitted()
        self._pending.end(job.key, ended)

    async def _submitted(self, job: Job, solver: Solver, access: AttemptAccess, solution: Solution) -> Ended:
        """The attempt's end, kept in the run folder. What a request gave was kept when it came."""
        if isinstance(solution, Files):
            files = solution
            outcome = await self.on_disk(lambda: self._frozen(job, solver, files))
            return await self._keep(job.key.turn(access.turns + 1), outcome)
        if solution is access.last:
            return Ended(outcome=solution, turns=access.turns)
        if not isinstance(solution, Replied | HandedInReply | Failed | NotRun):
            raise HarnessError(f"the solver {solver.name!r} gave {type(solution).__name__}, which is no solution.")
        return await self._keep(job.key.turn(access.turns + 1), solution)

    async def _keep(self, key: TurnKey, outcome: Outcome) -> Ended:
        kept: Any = await self.on_disk(lambda: self._reuse.keep(key, None, outcome))
        return Ended(outcome=kept, turns=key.turn)

    def _frozen(self, job: Job, solver: Solver, files: Files) -> Outcome:
        try:
            tree = self._freeze(job, files)
        except HarnessError as error:
            return Failed(failure=_broken(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the attempt ends with it
            return lost(None, error)
        return HandedInFiles(
            tree=tree,
            solver=solver.name,
            asked=solver.needs_model,
            labels=files.labels,
            wall_s=files.wall_s,
            usage=files.usage,
            cost_usd=files.cost_usd,
            iterations=files.iterations,
            phases=files.phases,
        )


def _broken(error: BaseException) -> Failure:
    if isinstance(error, ModelError):
        return error.failure
    if isinstance(error, LLMBenchError):
        return Failure(kind="grader", message=str(error), cause=str(error))
    return fault("generation broke", error)
