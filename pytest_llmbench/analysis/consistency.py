"""Pure: how even a model is over the tasks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import pstdev

from pytest_llmbench.analysis.model_scores import ModelScore
from pytest_llmbench.schema.numbers import exact

EXCELLENT = 0.075
"""Standard deviation, as a share of a task's maximum, up to which a model is called excellent: 1.5 points of 20."""
GOOD = 0.125
"""The same for good: 2.5 points of 20."""


@dataclass(frozen=True, slots=True)
class Consistency:
    """One model over those of its tasks that have a figure."""

    model: str
    tasks: int
    """Tasks with a figure."""
    lowest: float
    """Points of its worst task."""
    highest: float
    """Points of its best task."""
    spread: float
    """Points between the two."""
    stdev: float
    """Standard deviation of the points: of these tasks, not of a sample of more."""
    share: float
    """0 to 1: its points of the most that these tasks can give."""
    stdev_share: float
    """0 to 1: standard deviation of each task's points as a share of its maximum; for tasks of unequal maximum."""

    @property
    def label(self) -> str:
        """``excellent``, ``good`` or ``uneven``, by ``stdev_share``."""
        if self.stdev_share <= EXCELLENT:
            return "excellent"
        return "good" if self.stdev_share <= GOOD else "uneven"


def consistency(scores: Iterable[ModelScore]) -> list[Consistency]:
    """One entry for each model with points for at least one task, in the order given."""
    return [found for score in scores if (found := _of(score)) is not None]


def _of(score: ModelScore) -> Consistency | None:
    points = {task: value for task, value in score.per_task.items() if value is not None}
    most = {task: score.max_per_task.get(task, 0.0) for task in points}
    if not points or not all(most.values()):
        return None
    lowest, highest = min(points.values()), max(points.values())
    return Consistency(
        model=score.model,
        tasks=len(points),
        lowest=lowest,
        highest=highest,
        spread=float(exact(highest) - exact(lowest)),
        stdev=pstdev(points.values()),
        share=sum(points.values()) / sum(most.values()),
        stdev_share=pstdev([points[task] / most[task] for task in points]),
    )
