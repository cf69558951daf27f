"""Pure: how often models earn each criterion, and which ways they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pytest_llmbench.schema.results import AttemptResult, Results

Difficulty = Literal["Easy", "Medium", "Hard"]

EASY = Fraction(80, 100)
"""Share of models from which a criterion is easy.

The published difficulties hold for any share above 19/26 (73 %, called medium) and up to 24/26 (92 %, called easy).
"""
MEDIUM = Fraction(50, 100)
"""Share from which it is medium, below it is hard; the published ones allow above 14/30 (47 %) up to 19/26 (73 %)."""


@dataclass(frozen=True, slots=True)
class FixRate:
    """One criterion over the models that completed its task."""

    task: str
    criterion: str
    fixed: float
    """Models that earned it; one with several epochs counts with the share of them in which it did."""
    of: int
    """Models with a verdict on it."""

    @property
    def difficulty(self) -> Difficulty | None:
        """By the share that earned it; None where no model has a verdict."""
        return difficulty(self.fixed, self.of)

    def __str__(self) -> str:
        return f"{self.fixed:.4g}/{self.of}"


@dataclass(frozen=True, slots=True)
class Approach:
    """One way of solving a task, from labels such as ``limiter: sliding-window``."""

    task: str
    aspect: str
    kind: str
    models: tuple[str, ...]
    """Those that went this way in any of their epochs, by name."""
    mean_points: float
    """Points for the task, over the attempts that went this way."""


def difficulty(fixed: float, of: int) -> Difficulty | None:
    """``Easy`` from 80 % of the models on, ``Medium`` from 50 % on, else ``Hard``; None without models."""
    if not of:
        return None
    share = Fraction(fixed) / of
    return "Easy" if share >= EASY else "Medium" if share >= MEDIUM else "Hard"


def fix_rates(results: Results) -> list[FixRate]:
    """One entry for each criterion of each task that a model completed, by task, in the order of the rubric.

    A model completed a task with an attempt that has a verdict on all that was asked; errors count for nobody.
    """
    verdicts: dict[tuple[str, str], dict[str, list[bool]]] = {}
    for attempt in (each for each in results.attempts if each.counts):
        for criterion in attempt.criteria:
            if criterion.outcome != "skipped":
                models = verdicts.setdefault((attempt.task, criterion.id), {})
                models.setdefault(attempt.model, []).append(criterion.outcome == "earned")
    return [
        FixRate(task=task, criterion=criterion, fixed=_models(found), of=len(found))
        for (task, criterion), found in verdicts.items()
    ]


def approaches(results: Results) -> list[Approach]:
    """One entry for each task, aspect and kind, the most frequent first; labels without ``: `` name no aspect."""
    found: dict[tuple[str, str, str], list[AttemptResult]] = {}
    for attempt in (each for each in results.attempts if each.counts):
        for label in attempt.labels:
            aspect, colon, kind = label.partition(": ")
            if colon:
                found.setdefault((attempt.task, aspect, kind), []).append(attempt)
    rows = [
        Approach(
            task=task,
            aspect=aspect,
            kind=kind,
            models=tuple(sorted({attempt.model for attempt in attempts})),
            mean_points=_mean([attempt.points for attempt in attempts]),
        )
        for (task, aspect, kind), attempts in found.items()
    ]
    return sorted(rows, key=lambda row: (row.task, row.aspect, -len(row.models), row.kind))


def _models(verdicts: Mapping[str, Sequence[bool]]) -> float:
    return float(sum((Fraction(sum(each), len(each)) for each in verdicts.values()), Fraction()))


def _mean(points: Sequence[float]) -> float:
    return sum(points) / len(points)
