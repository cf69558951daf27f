"""Model targets: what the name of a model resolved to, one kind for each way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pytest_llmbench.llm.prices import Price

LOADING: dict[str, Any] = {"state": "loading"}
"""``made_by`` of a server that was still loading when it was asked: what is stored so is never taken for an equal."""


@dataclass(frozen=True, slots=True)
class ServedTarget:
    """A model behind an endpoint."""

    label: str
    client: str
    """The provider of its client: ``openai``, ``litellm`` or a plugin's."""
    name: str
    """The name sent to the endpoint."""
    endpoint: str
    """Part of a request's identity: base URL without credentials, ``litellm``, or the name of a plugin's provider."""
    queue: str = ""
    """Models of one queue never overlap: one per base URL; hosted models have a queue each."""
    base_url: str | None = None
    concurrency: int = 1
    """Requests in flight."""
    slots: int | None = None
    """Requests that the server works on side by side; None: it does not say."""
    params: dict[str, Any] = field(default_factory=dict)
    provider: str = ""
    """``litellm``: its name for who answers."""
    price: Price | None = None
    """None: unknown."""
    context: int | None = None
    """Longest prompt and reply together, in tokens; None: unknown."""
    system_prompt: str | None = None
    """Comes before every prompt."""
    key_variable: str | None = None
    """Name of the environment variable with the key for this endpoint alone; None: the usual ones."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """What is known of the model and its server."""
    made_by: dict[str, Any] | None = field(default_factory=dict)
    """What answers, as the server tells it (``CompletionRequest.made_by``); None: it could not be asked."""
    aliases: tuple[str, ...] = ()
    """Other names that the server lists for it."""
    routes: bool = False
    """True for a server that loads models as they are asked for, and tells which are loaded."""
    problem: str = ""
    """Set when the endpoint did not answer while looking the model up: every attempt is then ``error: connection``."""
    passed_over: tuple[str, ...] = ()
    """Servers on this machine that may have it and were not asked, each with the reason."""


@dataclass(frozen=True, slots=True)
class OfflineTarget:
    """What takes a model's place and asks none: a solver that hands in what it has."""

    label: str
    solver: str
    """``dir``, ``run``, ``builtin``, or a plugin's solver."""
    name: str
    """What follows the solver's name: ``dir`` and ``run``: an absolute path; ``builtin``: whose files."""

    @property
    def endpoint(self) -> str:
        """Where a record says that it comes from."""
        return self.solver


ModelTarget: TypeAlias = ServedTarget | OfflineTarget
"""What a model's label resolved to."""
