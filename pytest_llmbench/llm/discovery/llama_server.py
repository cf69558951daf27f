"""What a llama-server says of itself at ``/props``: slots, context, its own sampling defaults. Loads no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_llmbench.llm.guarded_json import short
from pytest_llmbench.schema.numbers import MOST, count

MAX_SLOTS = 1024
"""More at once is no llama-server's."""
_CONNECT_S = 2.0
_LIMIT_S = 4.0
_BUILD_CHARS = 100
_DIGITS = 6
_SAMPLING = ("temperature", "top_k", "top_p", "min_p", "seed", "repeat_penalty", "presence_penalty")


@dataclass(frozen=True, slots=True)
class Props:
    """None, or nothing: not said."""

    slots: int | None = None
    """Requests that it works on side by side."""
    context: int | None = None
    """Tokens of prompt and reply together, of one slot."""
    routes: bool = False
    """True: it holds one of several models, and loads them as they are asked for."""
    metadata: dict[str, Any] = field(default_factory=dict)


def ask_props(base_url: str, api_key: str | None = None) -> Props:
    """Ask a server on this machine; any other kind of server says nothing. Never raises for what the server does."""
    from pytest_llmbench.llm.guarded_get import look_at

    root = base_url.rstrip("/").removesuffix("/v1")
    said = look_at(f"{root}/props", api_key, near=True, connect_s=_CONNECT_S, limit_s=_LIMIT_S).value
    return _props(said) if isinstance(said, Mapping) else Props()


def _props(said: Mapping[str, Any]) -> Props:
    if said.get("role") == "router":
        return Props(routes=True)
    slots = count(said.get("total_slots"))
    if slots is None or not 1 <= slots <= MAX_SLOTS:
        return Props()
    defaults = _table(said.get("default_generation_settings"))
    # Its floats have 32 bits: 0.6 is told as 0.6000000238418579.
    sampling = {
        name: float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
        for name in _SAMPLING
        if _is_setting(value := _table(defaults.get("params")).get(name))
    }
    context = count(defaults.get("n_ctx")) or None
    build = short(said.get("build_info"), _BUILD_CHARS)
    told = {"slots": slots, "context": context, "sampling": sampling, "build": build}
    return Props(slots, context, metadata={"server": {name: value for name, value in told.items() if value}})


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_setting(value: Any) -> bool:
    """A number that is no more than any count; settings may be below zero, as a seed or a penalty is."""
    return isinstance(value, int | float) and -MOST <= value <= MOST
