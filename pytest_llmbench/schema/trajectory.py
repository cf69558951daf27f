"""What an agent did, in one form whichever harness ran it: a tagged union of events, in the order of their coming.

Harnesses count tokens in different ways. Here ``prompt_tokens`` includes what was read from a cache and
``completion_tokens`` includes reasoning, as in ``Usage`` everywhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from pytest_llmbench.schema.attempt import Frozen, Usage


class _Event(Frozen):
    at_s: float = 0.0
    """Seconds since the attempt began, by our clock, when the harness reported it."""
    iteration: int = 1
    """In which iteration of the attempt, counted from 1."""


class SessionStarted(_Event):
    """The harness opened a session."""

    kind: Literal["session"] = "session"
    session: str
    """The harness's own id, by which it is continued."""


class Said(_Event):
    """A text: the prompt of an iteration (``user``), or what the model answered (``agent``)."""

    kind: Literal["message"] = "message"
    source: Literal["user", "agent", "system"] = "agent"
    text: str


class Thought(_Event):
    """Reasoning of the model, where the harness reports it."""

    kind: Literal["reasoning"] = "reasoning"
    text: str


class ToolCalled(_Event):
    """A tool call and its result; reported when the call is over."""

    kind: Literal["tool"] = "tool"
    call: str
    """Id of the call."""
    name: str
    """As the harness calls the tool: ``bash``, ``command_execution``, ``Edit``."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    output: str = ""
    exit_code: int | None = None
    """Of a shell command, where the harness reports it."""
    failed: bool = False
    """The harness says that the call failed; a command that ends with another status than 0 is one that failed."""
    duration_s: float | None = None


class Claimed(_Event):
    """What the harness says of its own tokens and cost. Never counted: kept beside what was counted on the wire."""

    kind: Literal["usage"] = "usage"
    usage: Usage = Usage()
    cost_usd: float | None = None
    total: bool = False
    """True: of the whole session so far, and takes the place of all before; False: of one request."""


class Trouble(_Event):
    """Something went wrong, in the harness's words."""

    kind: Literal["error"] = "error"
    message: str
    http_status: int | None = None
    ends: bool = False
    """True when the harness gave up with it; False for what it retried or only noticed."""


class Finished(_Event):
    """The harness says that the session is over, and how. Some never say."""

    kind: Literal["finished"] = "finished"
    reason: str = ""
    """Its word for it: ``end_turn``, ``length``, ``LimitsExceeded``."""
    final: str = ""
    """The last message of the agent, where the harness repeats it."""


TrajectoryEvent: TypeAlias = SessionStarted | Said | Thought | ToolCalled | Claimed | Trouble | Finished

EVENT: TypeAdapter[TrajectoryEvent] = TypeAdapter(Annotated[TrajectoryEvent, Field(discriminator="kind")])
"""Reads and writes one event."""
