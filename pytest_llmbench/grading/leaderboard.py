"""The leaderboard: one row per model, ranked, with incomplete models apart. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from statistics import fmean

from pytest_llmbench.grading.aggregate import DESELECTED_HERE, Graded
from pytest_llmbench.grading.score import figure
from pytest_llmbench.measures.ranking import rank
from pytest_llmbench.schema.numbers import exact
from pytest_llmbench.schema.results import AttemptResult, IncompleteRow, LeaderboardRow

_SECONDS_DIGITS = 3
_USD_DIGITS = 8


def rank_models(graded: Graded, models: Sequence[str]) -> tuple[list[LeaderboardRow], list[IncompleteRow]]:
    """Rank the models with a score for every selected point; list the others with their lower bounds.

    A task's score is the mean over its scored epochs, a total their sum. Equal totals share a rank (1, 2, 2, 4).
    """
    tasks = list(graded.asked.tasks)
    most = graded.asked.selection.points
    complete: list[LeaderboardRow] = []
    incomplete: list[IncompleteRow] = []
    for model in models:
        attempts = [a for a in graded.attempts if a.model == model and a.task in graded.asked.tasks]
        if not attempts:
            continue
        figures = _task_figures(tasks, attempts)
        reasons = _reasons(attempts)
        row = LeaderboardRow(
            rank=None,
            model=model,
            total=figure(sum((f for f in figures.values() if f is not None), Fraction())),
            max_total=most,
            completed=f"{sum(f is not None for f in figures.values())}/{len(tasks)}",
            avg_wall_s=_mean_wall_s(attempts),
            per_task={task: None if f is None else figure(f) for task, f in figures.items()},
            **_cost(attempts),
        )
        if reasons or None in figures.values():
            incomplete.append(IncompleteRow(**row.model_dump(), reasons=reasons or [DESELECTED_HERE]))
        else:
            complete.append(row)
    incomplete.sort(key=lambda row: (-row.total, row.model))
    return _with_ranks(complete), incomplete


def _task_figures(tasks: Iterable[str], attempts: Iterable[AttemptResult]) -> dict[str, Fraction | None]:
    """Mean points over a task's epochs that have a verdict on everything asked; None without any."""
    points: dict[str, list[Fraction]] = {task: [] for task in tasks}
    for attempt in attempts:
        if attempt.counts:
            points[attempt.task].append(exact(attempt.points))
    return {task: sum(each, Fraction()) / len(each) if each else None for task, each in points.items()}


def _reasons(attempts: Iterable[AttemptResult]) -> list[str]:
    """Why a model is not complete, one line a cause with the number of attempts it took."""
    causes: dict[str, int] = {}
    for attempt in attempts:
        if not attempt.counts:
            cause = attempt.error.kind if attempt.error else f"{attempt.status.replace('_', ' ')}: {attempt.reason}"
            causes[cause] = causes.get(cause, 0) + 1
    return [cause if count == 1 else f"{cause} ({count} attempts)" for cause, count in sorted(causes.items())]


def _mean_wall_s(attempts: Iterable[AttemptResult]) -> float | None:
    walls = [a.wall_s for a in attempts if a.wall_s is not None]
    return round(fmean(walls), _SECONDS_DIGITS) if walls else None


def _cost(attempts: Sequence[AttemptResult]) -> dict[str, float | None]:
    """What a model cost, and what a point of it did."""
    known = [a.cost_usd for a in attempts if a.cost_usd is not None]
    if not known or any(a.cost_usd is None for a in attempts if a.status != "not_run"):
        return {"cost_usd": None, "usd_per_point": None}
    cost, points = sum(known), sum(a.points for a in attempts)
    return {
        "cost_usd": round(cost, _USD_DIGITS),
        "usd_per_point": round(cost / points, _USD_DIGITS) if points else None,
    }


def _with_ranks(rows: Iterable[LeaderboardRow]) -> list[LeaderboardRow]:
    ordered = sorted(rows, key=lambda row: (-row.total, row.model))
    totals = [row.total for row in ordered]
    return [row.model_copy(update={"rank": rank(row.total, totals)}) for row in ordered]
