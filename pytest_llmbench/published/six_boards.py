"""Slips in the two boards of the six tasks: the leaderboard and the models that are not complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from pytest_llmbench.measures.ranking import rank
from pytest_llmbench.published.slips import (
    Check,
    Discrepancy,
    Row,
    Tables,
    number,
    once,
    plain,
    same_ranks,
    stated,
)

TASKS = ("python", "javascript", "typescript", "rust", "go", "sse")
"""Columns of the leaderboard."""
_MOST = 20
_BOARD, _INCOMPLETE = "six-tasks/leaderboard", "six-tasks/incomplete"


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as its board has it."""

    score: Fraction
    complete: bool
    wall: str
    """Average wall time in whole seconds, as it is written."""
    size: str
    """GB, as it is written."""
    completed: str
    """``6/6``"""
    sum: Fraction | None = None
    """Of the scores of its tasks; None where they are not published."""

    @property
    def written(self) -> str:
        """``100``, or ``83+``."""
        return plain(self.score) + ("" if self.complete else "+")


def boards(tables: Tables) -> Mapping[str, Listed]:
    """Every model of both boards that has a figure."""
    found: dict[str, Listed] = {}
    for row in tables.get(_BOARD, ()):
        if (total := number(row["total"])) is not None:
            done = f"{len(TASKS)}/{len(TASKS)}"
            found[row["model"]] = Listed(total, True, row["avg_wall_s"], row["size_gb"], done, task_sum(row))
    for row in tables.get(_INCOMPLETE, ()):
        if (score := stated(row["score"])) is not None:
            found[row["model"]] = Listed(score.figure, False, row["avg_wall_s"], row["size_gb"], row["completed"])
    return found


def task_sum(row: Row) -> Fraction | None:
    """The sum of a row's tasks; None where one is not a figure."""
    scores = [number(row[task]) for task in TASKS]
    known = [score for score in scores if score is not None]
    return sum(known, Fraction()) if len(known) == len(scores) else None


def _sums(tables: Tables) -> Iterator[Discrepancy]:
    for row in tables.get(_BOARD, ()):
        for task in TASKS:
            score = number(row[task])
            if score is None or not 0 <= score <= _MOST:
                yield Discrepancy(
                    f"{_BOARD}.csv", row["model"], task, row[task], f"0 to {_MOST}", "not a score of a task"
                )
        total = task_sum(row)
        if total is not None and number(row["total"]) != total:
            why = "the scores of its tasks sum to something else"
            yield Discrepancy(f"{_BOARD}.csv", row["model"], "total", row["total"], plain(total), why)


def _ranks(tables: Tables) -> Iterator[Discrepancy]:
    """By the totals as stated; and, where these are right, by the sums: one wrong total moves other models."""
    rows = tables.get(_BOARD, ())
    by_totals = list(same_ranks(f"{_BOARD}.csv", rows, "total"))
    yield from by_totals
    wrong = {slip.row for slip in by_totals}
    sums = {row["model"]: total for row in rows if (total := task_sum(row)) is not None}
    for row in rows:
        total = sums.get(row["model"])
        if total is None or row["model"] in wrong:
            continue
        if row["rank"] != (found := str(rank(total, sums.values()))):
            why = "ranked by the sums of all models' tasks; follows from a wrong total"
            yield Discrepancy(f"{_BOARD}.csv", row["model"], "rank", row["rank"], found, why)


def _bounds(tables: Tables) -> Iterator[Discrepancy]:
    file = f"{_INCOMPLETE}.csv"
    for row in tables.get(_INCOMPLETE, ()):
        score, (done, _, of) = stated(row["score"]), row["completed"].partition("/")
        if score is None or not done.isdigit() or of != str(len(TASKS)):
            yield Discrepancy(file, row["model"], "completed", row["completed"], f"n/{len(TASKS)}", "cannot be read")
            continue
        if int(done) >= len(TASKS):
            yield Discrepancy(
                file, row["model"], "completed", row["completed"], "less", "a complete model among the incomplete"
            )
        elif not score.bound:
            why = f"{row['completed']} tasks: a lower bound, written as if it were whole"
            yield Discrepancy(file, row["model"], "score", row["score"], f"{plain(score.figure)}+", why)
        if score.figure > int(done) * _MOST:
            most = str(int(done) * _MOST)
            yield Discrepancy(
                file, row["model"], "score", row["score"], f"at most {most}", f"{done} tasks of {_MOST} points"
            )


def _once(tables: Tables) -> Iterator[Discrepancy]:
    yield from once(f"{_BOARD}.csv", tables.get(_BOARD, ()))
    yield from once(f"{_INCOMPLETE}.csv", tables.get(_INCOMPLETE, ()))
    ranked = {row["model"] for row in tables.get(_BOARD, ())}
    for row in tables.get(_INCOMPLETE, ()):
        if row["model"] in ranked:
            yield Discrepancy(
                f"{_INCOMPLETE}.csv", row["model"], "model", "incomplete", "ranked", "it is on both boards"
            )


CHECKS: tuple[Check, ...] = (_sums, _ranks, _bounds, _once)
