"""Asking for one attempt: the client of its endpoint, retries, the budget, what it cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.clients.factory import ClientFactory
from pytest_llmbench.llm.failures.cut_prompts import (
    LEAST_COUNT,
    PromptCounts,
    filled_context,
    told_tokens,
    too_few_tokens,
)
from pytest_llmbench.llm.failures.retry import RetryPolicy, complete_with_retries
from pytest_llmbench.llm.generation.budget import Budget
from pytest_llmbench.llm.generation.load_time import Loads, load_apart
from pytest_llmbench.llm.generation.reuse import fault
from pytest_llmbench.llm.protocols import LLMClient, TellsContext, TellsLoaded
from pytest_llmbench.llm.targets import ServedTarget
from pytest_llmbench.schema.attempt import Completion, CompletionRequest
from pytest_llmbench.schema.outcome import Failed, NotRun, Replied


class RequestDispatcher:
    """Sends requests, on the gateway's loop; holds a client for each queue."""

    def __init__(self, make_client: ClientFactory, budget: Budget, policy: RetryPolicy, *, timeout_s: float) -> None:
        """``timeout_s`` holds for each sending."""
        self.budget = budget
        self._make_client = make_client
        self._policy = policy
        self._timeout_s = timeout_s
        self._clients: dict[str, LLMClient] = {}
        self._loads = Loads()
        self._counts: dict[tuple[str, str], PromptCounts] = {}

    async def ask(
        self, target: ServedTarget, request: CompletionRequest, gate: Callable[[], None]
    ) -> Replied | Failed | NotRun:
        """Ask, again where that helps; everything that goes wrong is in the outcome.

        ``gate`` is called before each sending, the first one too, and may raise ``ModelError``.
        """

        def may_be_sent() -> None:
            if reason := self.budget.used_up():
                raise _BudgetError(NotRun(reason=reason).failure)
            gate()

        loads = False
        outcome: Replied | Failed
        try:
            client = self._clients.get(target.queue) or self._make_client(target)
            self._clients[target.queue] = client
            if target.routes and isinstance(client, TellsLoaded):
                loads = await self._loads.expected(target, client.is_loaded)
            completion, retries = await complete_with_retries(
                _Turnstile(client, may_be_sent), request, timeout_s=self._timeout_s, policy=self._policy
            )
            outcome = Replied(completion=completion, retries=retries)
        except _BudgetError as error:
            return NotRun(reason=error.failure.cause, retries=error.retries)
        except ModelError as error:
            # A reply that cannot be graded has its price too.
            outcome = Failed(completion=error.completion, failure=error.failure, retries=error.retries)
        except Exception as error:  # noqa: BLE001 - a fault of ours or of a library: told, never waited for in vain
            return Failed(failure=fault(f"asking {target.label} broke", error))
        finally:
            self._loads.answered(target)
        outcome = await self._read_whole(target, client, request, outcome)
        return self._paid(target, load_apart(outcome) if loads else outcome)

    async def _read_whole(
        self, target: ServedTarget, client: LLMClient, request: CompletionRequest, outcome: Replied | Failed
    ) -> Replied | Failed:
        """The outcome; of a prompt that the server cut in silence, the failure in its place."""
        completion = outcome.completion
        if completion is None:
            return outcome
        told = told_tokens(completion) or 0
        context = None
        if told >= LEAST_COUNT and completion.timings is None and isinstance(client, TellsContext):
            context = await client.context_of(request.model)
        counts = self._counts.setdefault((target.queue, target.name), PromptCounts())
        cut = (
            counts.cut(request, completion, target.endpoint)
            or filled_context(request, completion, context, target.endpoint)
            or too_few_tokens(request, completion, target.endpoint)
        )
        if cut is None:
            return outcome
        known = {"retries": outcome.retries, "queue_s": outcome.queue_s, "load_s": outcome.load_s}
        return Failed(failure=cut, completion=completion, **known)

    async def aclose(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(client.aclose() for client in set(self._clients.values())), return_exceptions=True)

    def _paid(self, target: ServedTarget, outcome: Replied | Failed) -> Replied | Failed:
        if outcome.completion is not None:
            self.budget.add(outcome.completion, target.price)
        return with_cost(target, outcome)


def with_cost(target: ServedTarget, outcome: Replied | Failed) -> Replied | Failed:
    """The outcome with what its answer cost when it was asked for; unknown without a price or an answer."""
    if target.price is None or outcome.completion is None:
        return outcome
    return outcome.model_copy(update={"cost_usd": target.price.cost_usd(outcome.completion.usage)})


class _BudgetError(ModelError):
    """The request may not be sent any more; the failure's cause says why."""


class _Turnstile:
    """A client whose every request, retries included, passes a gate first."""

    def __init__(self, client: LLMClient, gate: Callable[[], None]) -> None:
        self._client = client
        self._gate = gate

    async def complete(self, request: CompletionRequest, *, timeout_s: float) -> Completion:
        """Pass the gate, then ask; raises ``ModelError``."""
        self._gate()
        return await self._client.complete(request, timeout_s=timeout_s)

    async def aclose(self) -> None:
        """Close nothing: the client is shared."""
