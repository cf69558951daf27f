"""What a llama-server says of itself at ``/props``: slots, context, its own sampling defaults. Loads no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pytest_llmbench.llm.discovery.made_by import of_props
from pytest_llmbench.schema.numbers import count

MAX_SLOTS = 1024
"""More at once is no llama-server's."""
_CONNECT_S = 2.0
_LIMIT_S = 4.0
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
    made_by: dict[str, Any] = field(default_factory=dict, compare=False)
    """What answers (``made_by.py``)."""
    loading: bool = False
    """True: it said that it was not ready to tell."""


def ask_props(base_url: str, api_key: str | None = None) -> Props:
    """Ask a server on this machine; any other kind of server says nothing. Never raises for what the server does."""
    from pytest_llmbench.llm.guarded_get import look_at

    root = base_url.rstrip("/").removesuffix("/v1")
    look = look_at(f"{root}/props", api_key, near=True, connect_s=_CONNECT_S, limit_s=_LIMIT_S)
    if look.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return Props(loading=True)
    return _props(look.value) if isinstance(look.value, Mapping) else Props()


def ask_tags(base_url: str) -> Any:
    """What an Ollama says of its models at ``/api/tags``; None: nothing. Loads no model, and never raises."""
    from pytest_llmbench.llm.guarded_get import look_at

    root = base_url.rstrip("/").removesuffix("/v1")
    return look_at(f"{root}/api/tags", near=True, connect_s=_CONNECT_S, limit_s=_LIMIT_S).value


def _props(said: Mapping[str, Any]) -> Props:
    if said.get("role") == "router":
        return Props(routes=True)
    made_by = of_props(said)
    slots = count(said.get("total_slots"))
    if slots is None or not 1 <= slots <= MAX_SLOTS:
        return Props(made_by=made_by)
    settings = made_by.get("sampling", {})
    sampling = {name: settings[name] for name in _SAMPLING if isinstance(settings.get(name), int | float)}
    told = {"slots": slots, **made_by, "sampling": sampling}
    metadata = {"server": {name: value for name, value in told.items() if value}}
    return Props(slots, made_by.get("context"), metadata=metadata, made_by=made_by)
