"""What models cost: litellm's own table, read as a file, without importing litellm."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_llmbench.schema.attempt import Usage

_FILE = "model_prices_and_context_window_backup.json"
_CHAT = ("chat", "completion", "responses")
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Price:
    """USD for a token of a prompt and of a reply; cached prompt tokens may be cheaper."""

    input_usd: float
    output_usd: float
    cached_usd: float | None = None
    """None: as any other token of a prompt."""

    def cost_usd(self, usage: Usage) -> float | None:
        """What an answer cost; None where the provider did not say how many tokens it took."""
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        cached = min(usage.cached_tokens or 0, usage.prompt_tokens) if self.cached_usd is not None else 0
        prompt = (usage.prompt_tokens - cached) * self.input_usd + cached * (self.cached_usd or 0.0)
        return round(prompt + usage.completion_tokens * self.output_usd, _DIGITS)


class PriceTable:
    """litellm's table of models that chat, as it lies in the installed package."""

    def __init__(self, entries: dict[str, Any]) -> None:
        self._entries = entries

    @classmethod
    def installed(cls) -> PriceTable:
        """Read it; without litellm, or when it cannot be read, it is empty."""
        spec = importlib.util.find_spec("litellm")
        places = spec.submodule_search_locations if spec is not None else None
        try:
            text = (Path((places or [""])[0]) / _FILE).read_text(encoding="utf-8")
            entries = json.loads(text)
            return cls({name: entry for name, entry in entries.items() if entry.get("mode") in _CHAT})
        except (OSError, ValueError, AttributeError):
            return cls({})

    @property
    def providers(self) -> dict[str, str]:
        """Hosted model -> who answers, by litellm's names."""
        return {name: str(entry.get("litellm_provider")) for name, entry in self._entries.items()}

    def price(self, name: str) -> Price | None:
        """The price of a hosted model; None: unknown."""
        entry = self._entry(name)
        prompt, reply = entry.get("input_cost_per_token"), entry.get("output_cost_per_token")
        if not isinstance(prompt, int | float) or not isinstance(reply, int | float):
            return None
        cached = entry.get("cache_read_input_token_cost")
        return Price(float(prompt), float(reply), float(cached) if isinstance(cached, int | float) else None)

    def _entry(self, name: str) -> dict[str, Any]:
        """Of ``openai/gpt-9`` as of ``gpt-9``."""
        return self._entries.get(name) or self._entries.get(name.partition("/")[2]) or {}
