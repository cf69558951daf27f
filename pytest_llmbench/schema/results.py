"""The contract of ``results.json``: what every report and every later analysis reads."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from pytest_llmbench.schema.attempt import Frozen, RecordedErrorKind, Retry, Usage
from pytest_llmbench.schema.run_options import RunOptions
from pytest_llmbench.text import without_numbers

SCHEMA_VERSION = 2
READABLE_VERSIONS = (1, SCHEMA_VERSION)
"""Version 1 called an error of kind ``grader`` ``harness``."""

AttemptStatus = Literal["scored", "error", "incomplete", "not_run"]

DESELECTED = "deselected"
"""Reason of an attempt with a verdict on every point selected, where that is not the whole task."""


class CriterionResult(Frozen):
    """One rubric point of one attempt."""

    id: str
    dimension: str
    by: Literal["executed", "judge", "human"] = "executed"
    points: float
    max_points: float
    outcome: Literal["earned", "missed", "bonus", "skipped", "not_reached"]
    """``bonus``: bonus points that were not earned, no fault."""
    message: str = ""
    raised: str = ""
    """Type of the exception that its test raised over what was handed in; empty where it did not."""


class ErrorInfo(Frozen):
    """Why an attempt has no score."""

    kind: RecordedErrorKind
    message: str
    cause: str = ""
    """Equal for errors of one cause, whatever their messages count or measure; empty in older results."""

    @property
    def told_by(self) -> tuple[str, str]:
        """What errors that are told together have in common."""
        return self.kind, self.cause or without_numbers(self.message)


class Dimension(Frozen):
    """Points of one dimension."""

    points: float
    max_points: float


class AttemptResult(Frozen):
    """One (task, model, epoch), in exactly one state."""

    task: str
    model: str
    epoch: int
    status: AttemptStatus
    error: ErrorInfo | None = None
    reason: str = ""
    """Why it is ``incomplete`` or ``not_run``."""
    points: float
    max_points: float
    """Points of the criteria that were asked for."""
    caps: list[str] = Field(default_factory=list)
    """Caps that bit."""
    dimensions: dict[str, Dimension] = Field(default_factory=dict)
    labels: list[str] = Field(default_factory=list)
    criteria: list[CriterionResult] = Field(default_factory=list)
    wall_s: float | None = None
    first_token_s: float | None = None
    tokens_per_s: float | None = None
    """Of generation."""
    prompt_tokens_per_s: float | None = None
    """None where the prompt was cached or short: not measurable."""
    queue_s: float | None = None
    load_s: float | None = None
    grading_s: float | None = None
    usage: Usage = Usage()
    timings: dict[str, Any] | None = None
    finish_reason: str | None = None
    iterations: int | None = None
    phases: list[dict[str, Any]] = Field(default_factory=list)
    cost_usd: float | None = None
    cached: bool = False
    retries: list[Retry] = Field(default_factory=list)

    @property
    def counts(self) -> bool:
        """True with a verdict on all that was asked of the task, be that the selected points only."""
        return self.status == "scored" or (self.status == "incomplete" and self.reason == DESELECTED)


class LeaderboardRow(Frozen):
    """One model. ``rank`` is None for a model that is not complete."""

    rank: int | None
    model: str
    total: float
    max_total: float
    completed: str
    """Tasks with a figure of all tasks asked for: ``6/6``."""
    avg_wall_s: float | None
    per_task: dict[str, float | None]
    cost_usd: float | None = None
    """Of all its attempts, errors included; None as soon as one of them is unknown."""
    usd_per_point: float | None = None
    """``cost_usd`` by the points of all its attempts; None without points."""


def _reason_of_version_1(reason: Any) -> Any:
    return re.sub(r"^harness(?= \(|$)", "grader", reason) if isinstance(reason, str) else reason


class IncompleteRow(LeaderboardRow):
    """A model that cannot be ranked: its total is a lower bound."""

    reasons: list[Annotated[str, BeforeValidator(_reason_of_version_1)]] = Field(default_factory=list)


class Reduced(Frozen):
    """Several epochs of one model at one task, or over all tasks."""

    model: str
    task: str | None
    """None: over all tasks asked for."""
    n: int
    """Attempts with a verdict on everything asked; over all tasks: the least of any."""
    passes: int
    mean: float | None
    """Points; over all tasks the sum. None without an attempt, or as soon as one task has none."""
    best: float | None
    """Points of the best attempt; over all tasks the sum."""
    pass_at_k: dict[str, float | None]
    """k -> the chance that at least one of k attempts passes; None when n < k. Over all tasks: the mean."""
    pass_hat_k: dict[str, float | None]
    """k -> the chance that all of k attempts pass."""


class ModelInfo(Frozen):
    """A model under test."""

    name: str
    resolved: str
    endpoint: str
    params: dict[str, Any] = Field(default_factory=dict)
    metadata: dict[str, Any] = Field(default_factory=dict)


class TaskInfo(Frozen):
    """A task of the run."""

    id: str
    suite: str
    max_points: float
    criteria: list[dict[str, Any]]
    fingerprint: str
    unavailable: str = ""


class LeftOut(Frozen):
    """Points nobody could be asked for."""

    task: str
    points: float
    reason: str


class Selection(Frozen):
    """What was asked for, of what there is."""

    partial: bool = False
    """True when points or tasks were deselected: figures are of the selection only."""
    points: float = 0.0
    """Points asked for, over all tasks of one model."""
    of_points: float = 0.0
    """Points of all tasks touched."""
    left_out: list[LeftOut] = Field(default_factory=list)


class RunInfo(Frozen):
    """Where and how the figures came about."""

    id: str
    started: str
    ended: str | None = None
    finished: bool = False
    """False when the session was stopped before its end."""
    stopped_by: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    options: RunOptions = RunOptions()
    machine: dict[str, Any] = Field(default_factory=dict)
    sandbox: dict[str, Any] = Field(default_factory=dict)
    selection: Selection = Selection()


class TaskCheck(Frozen):
    """A task whose own files were graded."""

    task: str
    gradings: int
    """Of each of its files."""
    reference: float | None
    """The least points of all gradings; None: not graded."""
    max_points: float
    starter: float | None
    floor: float
    mutants: int
    mutants_as_stated: int
    """Those that lost exactly the points that they name, every time."""
    sound: int
    """Mutants that must have all points: other right ways."""
    points: int
    """Rubric points asked for, caps and penalties included."""
    points_lost: int
    """Those that some mutant lost."""
    complete: bool
    """False when only a part was selected: then nothing is said about points that no mutant lost."""
    problems: list[str] = Field(default_factory=list)


class SelfCheck(Frozen):
    """What ``--llm-selfcheck`` found."""

    passed: bool
    tasks: list[TaskCheck]


class Results(Frozen):
    """The whole of ``results.json``."""

    schema_version: int = SCHEMA_VERSION
    run: RunInfo
    models: list[ModelInfo]
    tasks: list[TaskInfo]
    attempts: list[AttemptResult]
    leaderboard: list[LeaderboardRow]
    incomplete: list[IncompleteRow]
    reduced: list[Reduced] = Field(default_factory=list)
    """Empty with a single epoch."""
    selfcheck: SelfCheck | None = None
    """Of a run with ``--llm-selfcheck``, whose attempts at mutants are on no leaderboard."""


class RunHeader(Frozen):
    """``run.json``: what is known before the first attempt."""

    run: RunInfo
    models: list[ModelInfo]
