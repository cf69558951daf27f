"""What an agent is to do, within which limits, and what became of each of its iterations."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pytest_llmbench.schema.attempt import Frozen, Usage

Dialect = Literal["chat", "responses", "messages"]
"""The protocol that a harness speaks to its model: Chat Completions, Responses, or Anthropic Messages."""

Network = Literal["model", "open"]
"""``model``: nothing but the model gate. ``open``: the machine's network; recorded, and not comparable."""

IterationEnd = Literal[
    "exited",
    "promised",
    "time",
    "total_time",
    "stalled",
    "tool_loop",
    "error_loop",
    "limit",
    "gate_limit",
    "crashed",
    "provider",
    "harness",
    "interrupted",
]
"""How an iteration ended.

``exited``: the harness ended by itself. ``promised``: so, and the agent said that it is done. ``time``,
``total_time``: a limit of the iteration, of the attempt. ``stalled``: no event, no request, no change of a file.
``tool_loop``, ``error_loop``: the same over and over. ``limit``: a limit of the cage. ``gate_limit``: requests, tokens
or cost of the attempt. ``crashed``: a signal, or a status other than 0. ``provider``: the server failed. ``harness``:
the CLI could not do its work. ``interrupted``: the session ended.
"""


class FollowUp(Frozen):
    """A phase after the first: what is asked for next, in the same workspace."""

    name: str
    prompt: str
    session: Literal["new", "continue"] = "new"
    """``continue`` goes on with the session of the phase before; ``new`` sees the workspace alone."""


class AgentPlan(Frozen):
    """How an agent works at a task. Times in seconds; None: no limit."""

    iterations: int = 1
    """Most iterations of the first phase: each a fresh session with the same prompt in the same workspace."""
    min_iterations: int = 1
    """A promise before this one does not end the loop."""
    promise: str = ""
    """Text of the tag ``<promise>...</promise>`` that ends the loop as the last line; empty: one iteration ends it."""
    phase: str = "build"
    """Name of the first phase."""
    follow_ups: tuple[FollowUp, ...] = ()
    iteration_s: float | None = None
    total_s: float | None = 3600.0
    stall_s: float | None = 600.0
    requests: int | None = None
    """Most requests of the attempt."""
    tokens: int | None = None
    """Most tokens of the attempt, prompts and replies together."""
    cost_usd: float | None = None
    network: Network = "model"
    instructions: str = ""
    """Text of an ``AGENTS.md`` that the harness is given on purpose; empty: none."""


class Iteration(Frozen):
    """One run of the harness, as it was recorded when it ended."""

    number: int
    """Counted from 1 over all phases."""
    phase: str
    started: str
    """UTC, ISO 8601."""
    wall_s: float
    ended: IterationEnd
    detail: str = ""
    """What there is to say of its end: the limit, the server's words."""
    exit_code: int | None = None
    promised: bool = False
    """The promise is the last line of the agent's last message."""
    quoted_promise: bool = False
    """The promise is somewhere in the output, and not where it counts."""
    session: str = ""
    """The harness's id of the session."""
    requests: int = 0
    usage: Usage = Usage()
    """Counted on the wire."""
    claimed: Usage = Usage()
    """As the harness says."""
    claimed_cost_usd: float | None = None
    cost_usd: float | None = None
    model_s: float = 0.0
    """Seconds with a request in flight."""
    tools: dict[str, int] = Field(default_factory=dict)
    """Calls by name."""
    tool_s: float = 0.0
    files_changed: int = 0
    commits: int = 0
    """Made by the agent; the loop's own are not counted."""
    commit: str = ""
    """The loop's commit of the work tree after the iteration; empty: nothing had changed since the last commit."""
