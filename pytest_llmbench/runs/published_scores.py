"""Published tables as scores that can be shown next to those of a run."""

from __future__ import annotations

from dataclasses import replace

from pytest_llmbench.analysis.model_scores import ModelScore, from_rows
from pytest_llmbench.errors import OptionError
from pytest_llmbench.published.tables import Published

TASKS = {
    "python": "python-top-k",
    "javascript": "js-bug-fix",
    "typescript": "ts-refactor",
    "rust": "rust-cli",
    "go": "go-middleware",
    "sse": "js-sse",
}
"""Column of the published table -> our task that re-creates it."""
_MOST = 20.0


def six_tasks(published: Published) -> list[ModelScore]:
    """The models of the six-task benchmark, the incomplete ones last, by our tasks' ids; totals as stated.

    Raises ``OptionError`` without that table.
    """
    complete = published.tables.get("six-tasks/leaderboard")
    if complete is None:
        raise OptionError(
            "the published tables have no six-tasks/leaderboard.csv. Name another directory: --with-published=FOLDER."
        )
    try:
        scores = from_rows(complete, tasks=tuple(TASKS), max_points=_MOST, metadata=published.models)
        partly = from_rows(
            published.tables.get("six-tasks/incomplete", ()), max_points=_MOST, metadata=published.models
        )
    except ValueError as error:
        raise OptionError(f"six-tasks: {error}") from error
    ours = [
        replace(
            score,
            per_task={TASKS[task]: points for task, points in score.per_task.items()},
            max_per_task=dict.fromkeys(TASKS.values(), _MOST),
        )
        for score in scores
    ]
    return [*ours, *partly]
