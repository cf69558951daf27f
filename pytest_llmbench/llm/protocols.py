"""The seams of generation: what a client, a cache and a gateway's user must look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from pytest_llmbench.llm.prices import Price
from pytest_llmbench.schema.attempt import (
    Completion,
    CompletionRequest,
    Message,
    Outcome,
)
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.settings import LLMSettings

RESERVED_PREFIXES = ("dir", "run", "builtin", "folder", "http", "https")
"""What begins a model's name, or is the kind of a target, without any client: no provider is called so."""
LOOKED_UP = ("openai", "litellm")
"""Providers whose models are looked up by name alone: they have no prefix."""


@dataclass(frozen=True, slots=True)
class ModelTarget:
    """What a model's label resolved to."""

    label: str
    kind: str
    """The provider of its client: ``openai``, ``litellm`` or a plugin's; or ``folder``, ``builtin``, ``run``."""
    name: str
    """The name sent to the endpoint; ``folder`` and ``run``: the absolute path; ``builtin``: whose files."""
    endpoint: str
    """Part of a request's identity: base URL without credentials, ``litellm``, ``dir``, ``run``, ``builtin``, or
    the name of a plugin's provider."""
    queue: str = ""
    """Models of one queue never overlap: one per base URL; hosted models have a queue each."""
    base_url: str | None = None
    concurrency: int = 1
    """Requests in flight."""
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
    routes: bool = False
    """True for a llama-server that loads models as they are asked for."""
    problem: str = ""
    """Set when the endpoint did not answer while looking the model up: every attempt is then ``error: connection``."""
    passed_over: tuple[str, ...] = ()
    """Servers on this machine that may have it and were not asked, each with the reason."""

    @property
    def local(self) -> bool:
        """True when nothing is asked: the files are on this machine."""
        return self.kind in ("folder", "builtin", "run")


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt to generate."""

    key: AttemptKey
    messages: tuple[Message, ...]
    files: tuple[str, ...]
    """Names the task expects."""
    data: Path | None = None
    """The task's data folder, for ``builtin`` models."""


class LLMClient(Protocol):
    """Asks one endpoint."""

    async def complete(self, request: CompletionRequest, *, timeout_s: float) -> Completion:
        """Send the request once and read the whole answer; raises ``ModelError``. Never retries."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class ClientContext(NamedTuple):
    """What a client may need beside its target."""

    settings: LLMSettings
    environment: Mapping[str, str]
    """``os.environ`` and, beside it, the API keys that were taken out of it. Whatever is one must not be shown."""

    def __repr__(self) -> str:
        """Without the environment."""
        return "<ClientContext>"


@dataclass(frozen=True, slots=True)
class ModelProvider:
    """A way of asking for models, as ``echo`` is for ``--llm-model=echo:NAME``."""

    name: str
    """Before the colon, and part of the identity of requests to it; lower case."""
    client: Callable[[ModelTarget, ClientContext], LLMClient]
    """Makes the client of one model, on the event loop's thread, when its first request is due."""
    key_variable: str | None = None
    """The environment variable with its API key: taken out of the environment, and its value redacted."""
    concurrency: int = 1
    """Requests in flight for each model, unless an option or the models file says otherwise."""


@runtime_checkable
class TellsLoaded(Protocol):
    """A client whose endpoint can be asked which models it holds."""

    async def is_loaded(self, model: str) -> bool | None:
        """Whether the model is loaded; None: not told. Loads nothing, and never raises for what the server does."""
        ...


class CompletionCache(Protocol):
    """Stored completions, by request."""

    def load(self, request: CompletionRequest) -> Completion | None:
        """The stored completion of an equal request."""
        ...

    def stored_by(self, request: CompletionRequest) -> str | None:
        """The run that asked for the stored completion; None: not known."""
        ...

    def difference(self, request: CompletionRequest) -> str:
        """In what the stored request that is most like this one differs; empty: none is of the same model."""
        ...

    def save(self, request: CompletionRequest, completion: Completion) -> None:
        """Keep a good completion; raises ``StoreError``."""
        ...


Recorded = Callable[[ModelTarget, AttemptKey], Outcome]
"""Reads how an attempt ended in the stored run that a target names; never raises."""
OnOutcome = Callable[[AttemptKey, CompletionRequest, Outcome], None]
"""Called once for each attempt when its generation ended; may raise ``StoreError``."""


class CompletionSource(Protocol):
    """What a grading process sees of generation, in the same process or over the channel."""

    def fetch(self, key: AttemptKey) -> Outcome:
        """Wait for the end of an attempt's generation. Raises ``SourceClosedError`` when the session ends first."""
        ...

    def ask(self, key: AttemptKey, messages: Sequence[Message]) -> Outcome:
        """Go on with a conversation: ask for the reply of a later turn, and wait. Raises as ``fetch``."""
        ...


class SourceClosedError(Exception):
    """The session is ending; nothing more will come."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of one gateway at one moment; an attempt of several turns counts once, by its first."""

    total: int
    asked: int
    """Attempts whose request was sent."""
    reused: int
    answered: int
    """Attempts with a completion, reused ones included."""
    failed: int
    in_flight: Sequence[AttemptKey] = ()
    tokens: int = 0
    """Generated in the replies asked for in this session, as far as servers told."""
    spent_usd: float = 0.0
    """On what has a known price."""
    earlier: int = 0
    """Attempts whose outcome an earlier part of a resumed run left."""
