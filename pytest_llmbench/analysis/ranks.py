"""Pure: totals -> ranks. Equal totals share a rank; a lower bound has none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_llmbench.analysis.model_scores import ModelScore
from pytest_llmbench.measures.ranking import rank


@dataclass(frozen=True, slots=True)
class Ranked:
    """A model and its place."""

    rank: int | None
    """1 is best; None for a model that is not complete, whatever its lower bound."""
    score: ModelScore


def ranked(scores: Iterable[ModelScore]) -> list[Ranked]:
    """Best first, equal totals in one rank (1, 2, 2, 4) and by name; then the incomplete models, unranked.

    A lower bound is not compared with a total: 83+ may be more than 87, or less.
    """
    ordered = sorted(scores, key=lambda score: (not score.complete, -score.total, score.model))
    totals = [score.total for score in ordered if score.complete]
    return [Ranked(rank(s.total, totals) if s.complete else None, s) for s in ordered]
