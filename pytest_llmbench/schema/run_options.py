"""The options that a run had, as its header keeps them: what later commands go by, and what reports show."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class RunOptions(BaseModel):
    """The options of one run, without secrets; one that nobody here knows, such as a later version's, is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    models: tuple[str, ...] = ()
    """As they were given to ``--llm-model``."""
    epochs: Annotated[int, Field(ge=1)] = 1
    params: dict[str, Any] = Field(default_factory=dict)
    """Sampling parameters for all models."""
    system_prompts: dict[str, str] = Field(default_factory=dict)
    """Model's label -> what came before every prompt."""
    max_cost_usd: float | None = None
    max_tokens: int | None = None
    """Of all replies together."""
    max_minutes: float | None = None
    concurrency: int | Literal["slots"] | None = None
    """Requests in flight at each endpoint; ``slots``: as many as the server has; None: 1 nearby, otherwise 8."""
    timeout_s: float | None = None
    """Longest time for one request."""
    cache: str | None = None
    """How stored replies were used: ``use``, ``refresh``, ``only`` or ``off``."""
    suites: tuple[str, ...] = ()
    pass_at: Annotated[float, Field(ge=0)] = 100.0
    """Percentage of a task's points from which an attempt counts as passed."""
    fail_under: float | None = None
    """Percentage that the run had to reach."""
    shard: str | None = None
    """``1/3``: the part of the attempts that this run has."""
    selfcheck: bool = False
    solver: str = "auto"
    """How tasks were done: ``--llm-solver``."""
