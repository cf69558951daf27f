"""What a llama-server says of itself at ``/props``: slots, context, its own sampling defaults. Loads no model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_READ_S = 2.0
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
    """Ask a server on this machine; any other kind of server says nothing. Never raises."""
    import httpx

    root = base_url.rstrip("/").removesuffix("/v1")
    try:
        headers = httpx.Headers({"Authorization": f"Bearer {api_key}"} if api_key else {})  # its repr shows no key
        with httpx.Client(timeout=_READ_S, headers=headers, trust_env=False) as client:
            said = client.get(f"{root}/props").raise_for_status().json()
        defaults = said.get("default_generation_settings") or {}
        params = defaults.get("params") or {}
        slots, context = said.get("total_slots"), defaults.get("n_ctx")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError, AttributeError, RecursionError):
        return Props()
    if said.get("role") == "router":
        return Props(routes=True)
    if not isinstance(slots, int) or slots < 1:
        return Props()
    # Its floats have 32 bits: 0.6 is told as 0.6000000238418579.
    sampling = {
        name: float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
        for name in _SAMPLING
        if isinstance(value := params.get(name), int | float)
    }
    context = context if isinstance(context, int) and context > 0 else None
    told = {"slots": slots, "context": context, "sampling": sampling, "build": str(said.get("build_info", ""))[:100]}
    return Props(slots, context, metadata={"server": {name: value for name, value in told.items() if value}})
