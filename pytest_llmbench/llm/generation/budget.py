"""What a session may spend, and what it has spent. Pure, but for the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pytest_llmbench import clock
from pytest_llmbench.llm.prices import Price
from pytest_llmbench.schema.attempt import Completion
from pytest_llmbench.schema.settings import LLMSettings


@dataclass(slots=True)
class Budget:
    """Limits of a session; None: no limit. Stored replies and files cost nothing."""

    cost_usd: float | None = None
    tokens: int | None = None
    minutes: float | None = None
    clock: Callable[[], float] = clock.monotonic
    spent_usd: float = 0.0
    """Of what has a known price."""
    used_tokens: int = 0
    """Of what servers reported, prompts and replies together."""
    generated_tokens: int = 0
    """The replies' part of it."""
    _untold: bool = False
    """An answer came without the counts that a limit needs."""
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.clock()

    @classmethod
    def of(cls, settings: LLMSettings) -> Budget:
        """The limits that the user set."""
        return cls(settings.max_cost_usd, settings.max_tokens, settings.max_minutes)

    def add(self, completion: Completion, price: Price | None) -> None:
        """Count in what one answer took.

        ``price`` None: it costs nothing, for a session with a limit in USD asks nobody else whose price is unknown.
        """
        usage = completion.usage
        cost_usd = price.cost_usd(usage) if price is not None else 0.0
        tokens_untold = usage.prompt_tokens is None or usage.completion_tokens is None
        self._untold |= (self.tokens is not None and tokens_untold) or (self.cost_usd is not None and cost_usd is None)
        self.generated_tokens += usage.completion_tokens or 0
        self.used_tokens += (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
        self.spent_usd += cost_usd or 0.0

    def used_up(self) -> str:
        """Which limit was reached, and how much was used; empty: the next request may be sent."""
        if self.cost_usd is not None and self.spent_usd >= self.cost_usd:
            return f"budget: {self.spent_usd:.4f} of --llm-max-cost={self.cost_usd:g} USD were spent"
        if self.tokens is not None and self.used_tokens >= self.tokens:
            return f"budget: {self.used_tokens} of --llm-max-tokens-total={self.tokens} tokens were used"
        if self._untold:
            limit = "--llm-max-tokens-total" if self.tokens is not None else "--llm-max-cost"
            return f"budget: a server did not tell the tokens of its answer, so {limit} cannot be kept"
        minutes = (self.clock() - self._began) / 60
        if self.minutes is not None and minutes >= self.minutes:
            return f"budget: {minutes:.1f} of --llm-max-minutes={self.minutes:g} minutes are over"
        return ""
