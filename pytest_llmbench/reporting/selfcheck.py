"""The self-check's table and lines for the terminal. Computes no figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_llmbench.schema.results import SelfCheck, TaskCheck

COLUMNS = ("task", "gradings", "reference", "starter", "mutants", "equivalent", "points covered")


def rows(check: SelfCheck) -> list[tuple[str, ...]]:
    """One row of text per task, in the order of ``COLUMNS``."""
    return [
        (
            task.task,
            str(task.gradings),
            f"{_points(task.reference)}/{_points(task.max_points)}",
            f"{_points(task.starter)}, floor {_points(task.floor)}",
            f"{task.mutants_as_stated}/{task.mutants}",
            str(task.sound),
            f"{task.points_lost}/{task.points}",
        )
        for task in check.tasks
    ]


def lines(check: SelfCheck) -> Iterator[str]:
    """The problems of each task, and the verdict."""
    for task in check.tasks:
        yield from (f"{task.task}: {problem}" for problem in task.problems)
    if not check.tasks:
        yield "self-check: failed: no task could be graded"
    elif not check.passed:
        yield f"self-check: failed: {_count([p for task in check.tasks for p in task.problems], 'problem')}"
    else:
        yield f"self-check: passed{_partly(check.tasks)}"


def _partly(tasks: Sequence[TaskCheck]) -> str:
    partial = [task.task for task in tasks if not task.complete]
    return f" for a partial selection of {', '.join(partial)}" if partial else ""


def _points(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _count(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"
