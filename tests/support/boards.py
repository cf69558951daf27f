"""Results built straight from scores, each as small as a test needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_llmbench.schema.results import (
    AttemptResult,
    CriterionResult,
    ErrorInfo,
    IncompleteRow,
    LeaderboardRow,
    ModelInfo,
    Results,
    RunInfo,
    TaskInfo,
)

MOST = 20.0


def results_of(
    scores: Mapping[str, Mapping[str, Sequence[float | None]]],
    *,
    options: Mapping[str, Any] | None = None,
    fingerprint: str = "f",
    run: str = "20260101-000000-abcdef",
    **model: Any,
) -> Results:
    """A run with these points by model, task and epoch; None is an error. ``model``: fields of every ``ModelInfo``."""
    tasks = list(dict.fromkeys(task for by_task in scores.values() for task in by_task))
    attempts = [
        _attempt(name, task, epoch, points)
        for name, by_task in scores.items()
        for task, several in by_task.items()
        for epoch, points in enumerate(several, 1)
    ]
    complete, incomplete = [], []
    for name, by_task in scores.items():
        means = {task: _mean(by_task.get(task, ())) for task in tasks}
        row = LeaderboardRow(
            rank=None,
            model=name,
            total=sum(mean or 0.0 for mean in means.values()),
            max_total=MOST * len(tasks),
            completed=f"{sum(mean is not None for mean in means.values())}/{len(tasks)}",
            avg_wall_s=None,
            per_task=means,
        )
        lost = any(points is None for several in by_task.values() for points in several) or None in means.values()
        if lost:
            incomplete.append(IncompleteRow(**row.model_dump(), reasons=["timeout"]))
        else:
            complete.append(row)
    complete.sort(key=lambda row: -row.total)
    totals = [row.total for row in complete]
    info: dict[str, Any] = {"endpoint": "http://127.0.0.1:8080/v1", **model}
    return Results(
        run=RunInfo(id=run, started="2026-01-01T00:00:00+00:00", options=dict(options or {})),
        models=[ModelInfo(name=name, resolved=name, **info) for name in scores],
        tasks=[
            TaskInfo(id=task, suite="tests", max_points=MOST, criteria=[], fingerprint=fingerprint) for task in tasks
        ],
        attempts=sorted(attempts, key=lambda a: (a.task, a.model, a.epoch)),
        leaderboard=[row.model_copy(update={"rank": totals.index(row.total) + 1}) for row in complete],
        incomplete=incomplete,
    )


def _attempt(model: str, task: str, epoch: int, points: float | None) -> AttemptResult:
    if points is None:
        error = ErrorInfo(kind="timeout", message="no whole answer within 1 s")
        return AttemptResult(
            task=task, model=model, epoch=epoch, status="error", error=error, points=0.0, max_points=MOST
        )
    criterion = CriterionResult(
        id="all", dimension="", points=points, max_points=MOST, outcome="earned" if points == MOST else "missed"
    )
    return AttemptResult(
        task=task, model=model, epoch=epoch, status="scored", points=points, max_points=MOST, criteria=[criterion]
    )


def _mean(several: Sequence[float | None]) -> float | None:
    known = [points for points in several if points is not None]
    return sum(known) / len(known) if known else None
