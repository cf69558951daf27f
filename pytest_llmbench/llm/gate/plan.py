"""What a gate is opened for, and what it tells of its use. The seam between ``agents`` and ``llm/gate``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from pytest_llmbench.schema.agent import Dialect
from pytest_llmbench.schema.attempt import Failure, Usage

KeepWire = Literal["full", "usage"]


@dataclass(frozen=True, slots=True)
class GatePlan:
    """A gate to be opened for one attempt."""

    dialect: Dialect
    """What the harness speaks; requests in the other two are served all the same where the endpoint can."""
    socket: Path
    """Where to listen; its folder exists and is short enough (107 bytes)."""
    wire: Path | None = None
    """File in which each exchange is logged as it ends; None: nowhere."""
    keep: KeepWire = "full"
    replay: Path | None = None
    """A wire log to answer from in place of the endpoint."""
    requests: int | None = None
    tokens: int | None = None
    """Most tokens, prompts and replies together."""
    cost_usd: float | None = None
    used: GateUse | None = None
    """What earlier iterations of the attempt have used: counts towards the limits."""
    hosted_tools: bool = False
    """True: tools that a provider would run itself (web search, code execution, remote MCP) may be asked for."""


@dataclass(slots=True)
class GateUse:
    """What went through a gate so far."""

    requests: int = 0
    """Sent to the endpoint, or answered from a log."""
    usage: Usage = field(default_factory=Usage)
    """Sums of what the endpoint told; a count that one answer lacks is missing in the sum of nothing but that."""
    untold: int = 0
    """Answers without counts."""
    cost_usd: float | None = 0.0
    """None: a price or a count is unknown."""
    model_s: float = 0.0
    """Seconds with at least one request in flight."""
    queue_s: float = 0.0
    """Waited for the endpoint's slots."""
    refused: int = 0
    """Requests answered by the gate itself: unknown paths, other models' names, limits."""
    failures: list[Failure] = field(default_factory=list)
    """Of requests to the endpoint, the latest 50."""
    last_ok: bool = True
    """Whether the last request that ended was answered well."""
    limit: str = ""
    """The limit of the attempt that was reached; empty: none."""
    budget: str = ""
    """The session's budget that was used up; empty: none."""
    in_flight: int = 0
    last_activity: float = 0.0
    """``clock.monotonic()`` of the last byte in either direction."""
    differs: str = ""
    """Of a replay: the first request that matches none of the log, and how."""


class OpenGate(Protocol):
    """A gate that listens."""

    @property
    def use(self) -> GateUse:
        """What went through it; changes while the agent works."""
        ...

    @property
    def model(self) -> str:
        """The only model name that it serves, which is what the harness is told."""
        ...

    @property
    def context(self) -> int | None:
        """The model's window in tokens, if it is known."""
        ...

    def on_use(self, callback: Callable[[], None]) -> None:
        """Call when a request begins or ends, on the loop's thread."""
        ...
