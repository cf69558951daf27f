"""Reducers over the epochs of a task: mean, best, pass@k and pass^k. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from pytest_llmbench.grading.aggregate import Graded
from pytest_llmbench.grading.score import figure
from pytest_llmbench.measures.pass_at_k import pass_at_k, pass_hat_k
from pytest_llmbench.schema.numbers import exact
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.schema.results import AttemptResult, Reduced

_KS = (1, 2, 5, 10)
_DIGITS = 6


def reduce_epochs(plan: Plan, graded: Graded, models: Sequence[str], *, pass_at: float) -> list[Reduced]:
    """One row for each model and task, and one for each model over its tasks; no rows with a single epoch.

    ``pass_at``: percentage of a task's required points at which an attempt passes. Attempts without a verdict on every
    selected point are not counted in n.
    """
    epochs = max((attempt.epoch for attempt in graded.attempts), default=1)
    if epochs == 1:
        return []
    ks = sorted({k for k in (*_KS, epochs) if k <= epochs})
    bonus = {card.id: {c.id for c in card.criteria if c.kind == "bonus"} for card in plan.tasks}
    rows: list[Reduced] = []
    for model in models:
        own = [
            _row(model, task, ks, attempts, bonus=bonus[task], pass_at=pass_at)
            for task in graded.asked.tasks
            if (attempts := [a for a in graded.attempts if (a.model, a.task) == (model, task)])
        ]
        rows += own
        if own:
            rows.append(_over_tasks(model, ks, own))
    return rows


def _row(
    model: str,
    task: str,
    ks: Iterable[int],
    attempts: Iterable[AttemptResult],
    *,
    bonus: set[str],
    pass_at: float,
) -> Reduced:
    judged = [attempt for attempt in attempts if attempt.counts]
    points = [exact(attempt.points) for attempt in judged]
    n, c = len(judged), sum(_passes(attempt, bonus, pass_at) for attempt in judged)
    return Reduced(
        model=model,
        task=task,
        n=n,
        passes=c,
        mean=figure(sum(points, Fraction()) / n) if n else None,
        best=figure(max(points)) if n else None,
        pass_at_k={str(k): _rounded(pass_at_k(n, c, k)) for k in ks},
        pass_hat_k={str(k): _rounded(pass_hat_k(n, c, k)) for k in ks},
    )


def _passes(attempt: AttemptResult, bonus: set[str], pass_at: float) -> bool:
    """A bonus makes up for no point; caps, penalties and the score itself count."""
    required = [criterion for criterion in attempt.criteria if criterion.id not in bonus]
    most = sum((exact(criterion.max_points) for criterion in required), Fraction())
    gained = sum((exact(criterion.points) for criterion in required), Fraction())
    return min(gained, exact(attempt.points)) >= most * exact(pass_at) / 100


def _over_tasks(model: str, ks: Iterable[int], rows: Sequence[Reduced]) -> Reduced:
    """Sums of points and means of chances; None as soon as one task has none."""
    means, bests = [row.mean for row in rows], [row.best for row in rows]
    return Reduced(
        model=model,
        task=None,
        n=min(row.n for row in rows),
        passes=sum(row.passes for row in rows),
        mean=_total(means),
        best=_total(bests),
        pass_at_k={str(k): _mean([row.pass_at_k[str(k)] for row in rows]) for k in ks},
        pass_hat_k={str(k): _mean([row.pass_hat_k[str(k)] for row in rows]) for k in ks},
    )


def _total(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return figure(sum(map(exact, known), Fraction())) if len(known) == len(values) else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), _DIGITS) if known and len(known) == len(values) else None


def _rounded(chance: Fraction | None) -> float | None:
    return None if chance is None else round(float(chance), _DIGITS)
