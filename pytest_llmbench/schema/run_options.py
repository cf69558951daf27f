"""Those options in a run's header that later commands go by; a header may hold any others."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class RunOptions(BaseModel):
    """What ``run.options`` must be like, as far as anybody reads it again."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    models: tuple[str, ...] = ()
    """As they were given to ``--llm-model``."""
    epochs: Annotated[int, Field(ge=1)] = 1
    pass_at: Annotated[float, Field(ge=0)] = 100.0
    """Percentage of a task's points."""
    selfcheck: bool = False
    suites: tuple[str, ...] = ()
    system_prompts: dict[str, str] = {}
    """Model's label -> what came before every prompt."""
