"""Pure: what a score costs in time, size and money, and which models no other one beats at it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pytest_llmbench.analysis.model_scores import ModelScore
from pytest_llmbench.measures import ranking
from pytest_llmbench.schema.numbers import exact

Cost = Literal["avg_wall_s", "size_gb", "cost_usd"]
"""What should be low: seconds, GB, USD."""

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Points for time and size. With a ``score`` that is a lower bound, so are these."""

    score: ModelScore
    per_minute: Fraction | None
    """Points per minute of average wall time; None: time not known."""
    per_gb: Fraction | None
    """Points per GB of weights; None: size not known."""


def efficiency(scores: Iterable[ModelScore]) -> list[Efficiency]:
    """One entry for each model, in the order given."""
    return [
        Efficiency(
            score=score,
            per_minute=_per(exact(score.total) * _SECONDS, score.avg_wall_s),
            per_gb=_per(exact(score.total), score.size_gb),
        )
        for score in scores
    ]


def pareto_front(scores: Iterable[ModelScore], costs: Sequence[Cost] = ("avg_wall_s",)) -> list[ModelScore]:
    """The models that no other one beats: as good or better in total and every cost, and better in one of them.

    Highest total first. Models that are not complete, or of which a cost is not known, are left out: nothing can be
    said about them. Models that are equal in everything stand side by side.
    """
    known = [s for s in scores if s.complete and all(getattr(s, cost) is not None for cost in costs)]
    front = ranking.pareto_front({n: (-s.total, *(getattr(s, cost) for cost in costs)) for n, s in enumerate(known)})
    return sorted((s for n, s in enumerate(known) if n in front), key=lambda s: (-s.total, s.model))


def _per(points: Fraction, cost: float | None) -> Fraction | None:
    return points / exact(cost) if cost else None
