"""Tasks x models, down to single rubric points: results -> cells that say what stands behind their shade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pytest_llmbench.reporting.html.figures import level, number
from pytest_llmbench.reporting.html.text import link
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.results import AttemptResult, CriterionResult, Results, TaskInfo


class EpochLink(NamedTuple):
    """The way to one attempt."""

    epoch: int
    link: str
    text: str
    short: str
    """The same where there is room for hardly more than a figure."""


class HeatCell(NamedTuple):
    """One model at one task."""

    text: str
    shade: str
    """``h0`` to ``h10`` for a figure, ``none`` without one."""
    label: str
    """The cell in words, for those who do not see the table around it."""
    epochs: Sequence[EpochLink]
    points: Sequence[tuple[str, str, str]]
    """Of each rubric point: what stands in its cell, its shade, and the same in words."""


class HeatRow(NamedTuple):
    """One model."""

    model: str
    cells: Sequence[HeatCell | None]
    """In the order of the tasks; None: the task was not asked of it."""


_MARKS = {"earned": "\u2713", "missed": "\u2717", "bonus": "\u00b7", "skipped": "\u2013", "not_reached": "\u2013"}
_WORDS = {"bonus": "not earned", "not_reached": "not reached"}


def heat_rows(results: Results) -> list[HeatRow]:
    """Ranked models first, then the others."""
    attempts: dict[tuple[str, str], list[AttemptResult]] = {}
    for attempt in results.attempts:
        attempts.setdefault((attempt.model, attempt.task), []).append(attempt)
    ranked = [*results.leaderboard, *results.incomplete]
    figures = {row.model: row.per_task for row in ranked}
    names = dict.fromkeys([row.model for row in ranked] + [attempt.model for attempt in results.attempts])
    return [
        HeatRow(
            name,
            [
                _cell(task, found, figures.get(name, {}).get(task.id))
                if (found := attempts.get((name, task.id)))
                else None
                for task in results.tasks
            ],
        )
        for name in names
    ]


def attempt_text(attempt: AttemptResult) -> str:
    """Its points, or why there are none."""
    if attempt.status == "scored":
        return number(attempt.points)
    if attempt.status == "incomplete":
        return f"{number(attempt.points)}+"
    return attempt.error.kind.replace("_", " ") if attempt.error else "not run"


def attempt_link(attempt: AttemptResult) -> str:
    """Its address within the page."""
    return link(AttemptKey(attempt.task, attempt.model, attempt.epoch))


def _cell(task: TaskInfo, attempts: Sequence[AttemptResult], figure: float | None) -> HeatCell:
    epochs = [EpochLink(each.epoch, attempt_link(each), attempt_text(each), _short(each)) for each in attempts]
    lone = attempts[0] if len(attempts) == 1 else None
    shown = lone.points if figure is None and lone and lone.status in ("scored", "incomplete") else figure
    if lone:
        text = attempt_text(lone)
    else:
        text = number(figure) if figure is not None else _common([each.text for each in epochs])
    words = text if shown is None else f"{text} of {number(task.max_points)} points"
    return HeatCell(
        text=text,
        shade="none" if shown is None else f"h{level(shown, task.max_points)}",
        label=f"{attempts[0].model}, {task.id}: {words}",
        epochs=epochs,
        points=[_point(str(each["id"]), attempts) for each in task.criteria],
    )


def _short(attempt: AttemptResult) -> str:
    return "err" if attempt.status == "error" else attempt_text(attempt)


def _common(texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else "no figure"


def _point(name: str, attempts: Sequence[AttemptResult]) -> tuple[str, str, str]:
    found = [point for each in attempts for point in each.criteria if point.id == name]
    if len(attempts) == 1 and found:
        return _one(found[0])
    judged = [point for point in found if point.outcome in ("earned", "missed", "bonus")]
    if not judged:
        return _MARKS["not_reached"], "none", "not reached"
    earned = sum(point.outcome == "earned" for point in judged)
    return f"{earned}/{len(judged)}", f"h{level(earned, len(judged))}", f"earned in {earned} of {len(judged)} epochs"


def _one(point: CriterionResult) -> tuple[str, str, str]:
    word = _WORDS.get(point.outcome, point.outcome)
    mark = "\u25d0" if point.outcome == "missed" and point.points > 0 else _MARKS[point.outcome]
    if point.outcome in ("skipped", "not_reached"):
        return mark, "none", word
    if not point.max_points:  # a cap or a penalty: it gives nothing, and is kept or not
        return mark, "h10" if point.outcome == "earned" else "h0", word
    text = f"{mark} {number(point.points)}"
    return (
        text,
        f"h{level(point.points, point.max_points)}",
        f"{word}, {number(point.points)} of {number(point.max_points)}",
    )
