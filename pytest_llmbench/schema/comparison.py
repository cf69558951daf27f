"""What a comparison of two sides says: side b is judged against side a. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_llmbench.schema.difference import Difference

Verdict = Literal["better", "worse", "cannot tell"]


@dataclass(frozen=True, slots=True)
class PermutationTest:
    """What a stratified permutation test found."""

    difference: float
    """Sum over tasks of mean(b) - mean(a), in points."""
    p_value: float
    """Two-sided: the share of rearrangements whose difference is at least as far from 0."""
    least_p: float
    """The least p-value that any result with these scores, differently dealt, could have."""
    exact: bool
    """False: the rearrangements were too many to count and 100,000 were drawn, with a fixed seed."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float
    level: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """One task, both sides."""

    task: str
    mean_a: float
    mean_b: float
    epochs_a: int
    epochs_b: int
    p_value: float
    """Adjusted after Holm for the number of tasks."""
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """One model against one model, over the tasks that both have scores for."""

    tasks: tuple[TaskComparison, ...]
    overall: PermutationTest
    interval: Interval | None
    """Of the difference over epochs; None with a single epoch: the variation is unknown."""
    alpha: float
    """The share of comparisons of equals that may end in a verdict."""
    verdict: Verdict
    reason: str
    """Why it cannot be told; empty when it can."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One model of run b against one of run a, or why they cannot be compared."""

    a: str
    b: str
    differences: tuple[Difference, ...]
    """All that shapes scores and is not the same."""
    refused: tuple[Difference, ...]
    """Those of them that forbid a comparison."""
    comparison: Comparison | None
    """None: refused."""
