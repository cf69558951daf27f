"""The seams of generation: what a client, a cache and a gateway's user must look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from pytest_llmbench.llm.targets import ServedTarget
from pytest_llmbench.schema.attempt import Completion, CompletionRequest
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.outcome import Outcome
from pytest_llmbench.schema.settings import LLMSettings

RESERVED_PREFIXES = ("dir", "run", "builtin", "mutant", "http", "https")
"""What begins a model's name without being a provider's prefix."""
LOOKED_UP = ("openai", "litellm")
"""Providers whose models are looked up by name alone: they have no prefix."""


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
    client: Callable[[ServedTarget, ClientContext], LLMClient]
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


@runtime_checkable
class TellsContext(Protocol):
    """A client whose endpoint can be asked how long a context a model was loaded with."""

    async def context_of(self, model: str) -> int | None:
        """Tokens; None: not told. Loads nothing, and never raises for what the server does."""
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

    def last_made_by(self, model: str, endpoint: str) -> dict[str, Any]:
        """What answered the completion of this model that was stored last; empty: it was not told, or none is."""
        ...

    def save(self, request: CompletionRequest, completion: Completion) -> None:
        """Keep a good completion; raises ``StoreError``."""
        ...


OnOutcome = Callable[[TurnKey, CompletionRequest | None, Outcome], None]
"""Called once for each turn when it ended, and for what was handed in, with no request; may raise ``StoreError``."""


@dataclass(frozen=True, slots=True)
class ModelPace:
    """How far one model is at one moment, and how long it takes for a reply."""

    model: str
    waiting: int
    """Attempts that are neither generated nor in flight."""
    ages_s: Sequence[float] = ()
    """Of each request in flight, the time since it was first sent."""
    recent_s: Sequence[float] = ()
    """What the latest replies took, retries included."""
    queue: str = ""
    """Models of one queue generate one after the other."""
    concurrency: int = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of one gateway at one moment; an attempt of several turns counts once."""

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
    paces: Sequence[ModelPace] = ()
    """Of the models that have something to generate or have generated something."""
