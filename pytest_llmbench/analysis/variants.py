"""Pure: variants of one model, found by their metadata, and what the variation is worth in points."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from pytest_llmbench.analysis.figures import TotalDifference, difference
from pytest_llmbench.analysis.model_scores import ModelScore

Kind = Literal["thinking", "quantisation", "distilled"]
Better = Literal["first", "second", "same", "unknown"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two variants of one base."""

    kind: Kind
    first: ModelScore
    """The one that thinks, is distilled, or is smaller."""
    second: ModelScore
    """The one that does not think, is the base, or is larger."""
    also_differs: tuple[str, ...] = ()
    """Other metadata in which the two differ: the difference may be due to that as well."""

    @property
    def difference(self) -> TotalDifference:
        """Points of the first less those of the second."""
        return difference(
            self.first.total,
            self.second.total,
            first_complete=self.first.complete,
            second_complete=self.second.complete,
        )

    @property
    def better(self) -> Better:
        """Which one has more points, so far as bounds tell."""
        gap = self.difference
        if gap.bound == "exact":
            return "same" if gap.value == 0 else "first" if gap.value > 0 else "second"
        if gap.bound == "at_least" and gap.value > 0:
            return "first"
        return "second" if gap.bound == "at_most" and gap.value < 0 else "unknown"


def thinking_pairs(scores: Iterable[ModelScore]) -> list[Pair]:
    """The same weights in one quantisation, with and without thinking."""
    return [
        Pair("thinking", first, second)
        for group in _groups(scores, lambda s: (s.base, s.quant, s.distilled))
        for first in group
        for second in group
        if first.thinking is True and second.thinking is False
    ]


def quantisation_pairs(scores: Iterable[ModelScore]) -> list[Pair]:
    """The same weights, both thinking or both not, in two quantisations; the smaller first."""
    return [
        Pair("quantisation", min(two, key=_by_size), max(two, key=_by_size))
        for group in _groups(scores, lambda s: (s.base, s.thinking, s.distilled))
        for two in combinations(group, 2)
        if two[0].quant and two[1].quant and two[0].quant != two[1].quant
    ]


def distilled_pairs(scores: Iterable[ModelScore]) -> list[Pair]:
    """A distilled model and its base, both thinking or both not.

    They may be quantised differently: ``also_differs`` says so.
    """
    return [
        Pair("distilled", first, second, ("quant",) if first.quant != second.quant else ())
        for group in _groups(scores, lambda s: (s.base, s.thinking))
        for first in group
        for second in group
        if first.distilled and not second.distilled
    ]


def _groups(scores: Iterable[ModelScore], key: Callable[[ModelScore], object]) -> Iterable[Sequence[ModelScore]]:
    """Models with the same key, in the order given; those without a base are a variant of nothing known."""
    found: dict[object, list[ModelScore]] = {}
    for score in scores:
        if score.base:
            found.setdefault(key(score), []).append(score)
    return found.values()


def _by_size(score: ModelScore) -> tuple[bool, float, str]:
    return (score.size_gb is None, score.size_gb or 0.0, score.model)
