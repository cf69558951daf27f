"""What changed between two gradings of the same replies. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_llmbench.schema.results import AttemptResult, LeaderboardRow, Results


@dataclass(frozen=True, slots=True)
class MovedVerdict:
    """One rubric point of one attempt."""

    task: str
    model: str
    epoch: int
    point: str
    was: str
    """Outcome and points, or ``no such point``."""
    now: str
    message: str
    """Of the present grading."""


@dataclass(frozen=True, slots=True)
class MovedRank:
    """One model."""

    model: str
    was: int | None
    """Rank; None: not ranked."""
    now: int | None
    was_total: float
    now_total: float


@dataclass(frozen=True, slots=True)
class Moves:
    """Everything that moved."""

    verdicts: tuple[MovedVerdict, ...]
    ranks: tuple[MovedRank, ...]
    compared: int
    """Verdicts that are on either side of attempts scored on both."""
    left_out: int
    """Attempts that have a score on one side only."""


def moves(before: Results, after: Results) -> Moves:
    """Compare the verdicts of all attempts that were scored both times, and the models' ranks and totals."""
    old, new = _scored(before), _scored(after)
    verdicts: list[MovedVerdict] = []
    compared = 0
    for key in sorted(old.keys() & new.keys()):
        was, now, messages = _outcomes(old[key]), _outcomes(new[key]), {c.id: c.message for c in new[key].criteria}
        points = list(dict.fromkeys([*was, *now]))
        compared += len(points)
        for point in points:
            one, other = was.get(point, "no such point"), now.get(point, "no such point")
            if one != other:
                verdicts.append(MovedVerdict(*key, point, one, other, messages.get(point, "")))
    return Moves(tuple(verdicts), tuple(_ranks(before, after)), compared, len(old.keys() ^ new.keys()))


_Key = tuple[str, str, int]


def _scored(results: Results) -> dict[_Key, AttemptResult]:
    return {(a.task, a.model, a.epoch): a for a in results.attempts if a.status in ("scored", "incomplete")}


def _outcomes(attempt: AttemptResult) -> dict[str, str]:
    return {c.id: f"{c.outcome} {c.points:g}/{c.max_points:g}" for c in attempt.criteria}


def _ranks(before: Results, after: Results) -> list[MovedRank]:
    old, new = _rows(before), _rows(after)
    return [
        MovedRank(model, old[model].rank, new[model].rank, old[model].total, new[model].total)
        for model in sorted(old.keys() & new.keys())
        if (old[model].rank, old[model].total) != (new[model].rank, new[model].total)
    ]


def _rows(results: Results) -> dict[str, LeaderboardRow]:
    return {row.model: row for row in [*results.leaderboard, *results.incomplete]}
