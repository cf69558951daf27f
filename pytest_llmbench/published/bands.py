"""Pure: what a score means. Bands of points, tiers from a minimum, letters in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_llmbench.errors import OptionError


@dataclass(frozen=True, slots=True)
class Band:
    """One stretch of the scale: from ``minimum`` up to the next band's minimum, that one not included."""

    name: str
    minimum: float
    """Points."""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Bands:
    """A whole scale, worst band first. Raises ``OptionError`` where it is not sorted or does not begin at 0."""

    bands: tuple[Band, ...]
    maximum: float
    """The most points there are."""

    def __post_init__(self) -> None:
        if not self.bands:
            raise OptionError("bands: there is none. Name at least one, from 0 points on.")
        if self.bands[0].minimum != 0:
            raise OptionError(
                f"bands: {self.bands[0].name!r} begins at {self.bands[0].minimum:g}, so lower scores have no band. "
                "Let the lowest begin at 0."
            )
        for lower, upper in pairwise(self.bands):
            if not lower.minimum < upper.minimum:
                raise OptionError(
                    f"bands: {upper.name!r} begins at {upper.minimum:g}, {lower.name!r} before it at "
                    f"{lower.minimum:g}. Sort them, worst first, each with a minimum of its own."
                )
        if self.bands[-1].minimum > self.maximum:
            raise OptionError(
                f"bands: {self.bands[-1].name!r} begins at {self.bands[-1].minimum:g}, above the most there is, "
                f"{self.maximum:g}. Lower it."
            )
        names = [band.name for band in self.bands]
        for name in names:
            if names.count(name) > 1:
                raise OptionError(f"bands: {name!r} is there more than once. Give each band a name of its own.")

    def of(self, points: float) -> Band:
        """The band of a score. Raises ``OptionError`` for a score outside of the scale."""
        if not 0 <= points <= self.maximum:
            raise OptionError(f"bands: a score of {points:g} is not on the scale from 0 to {self.maximum:g}.")
        return next(band for band in reversed(self.bands) if band.minimum <= points)


def tiers(minimums: Iterable[tuple[str, float, str]], *, maximum: float) -> Bands:
    """Bands from (name, minimum, meaning), in any order. Raises ``OptionError`` where two are the same or none is 0."""
    return Bands(tuple(sorted((Band(*each) for each in minimums), key=lambda band: band.minimum)), maximum)


def ranges(bounds: Iterable[tuple[int, int, str]], *, maximum: int) -> Bands:
    """Bands from (lowest, highest, meaning) in whole points, worst first, named ``9-12``.

    Scores of whole points leave no gap from 8 to 9; one between the two is in the lower band. A lowest of 1 holds 0 as
    well. Raises ``OptionError`` for a gap, an overlap or an end that is not ``maximum``.
    """
    rows = list(bounds)
    for low, high, _ in rows:
        if low > high:
            raise OptionError(f"bands: {low}-{high} ends before it begins. Write the lower figure first.")
    for (low, high, _), (next_low, next_high, _) in pairwise(rows):
        if next_low != high + 1:
            what = "leave a gap" if next_low > high + 1 else "overlap or are not sorted"
            raise OptionError(
                f"bands: {low}-{high} and {next_low}-{next_high} {what}. Let the second begin at {high + 1}."
            )
    if rows and rows[-1][1] != maximum:
        raise OptionError(f"bands: the last one ends at {rows[-1][1]}, the scale at {maximum}. Let them meet.")
    return Bands(tuple(Band(f"{a}-{b}", 0 if a == 1 else a, meaning) for a, b, meaning in rows), maximum)


def grouped(scores: Iterable[tuple[str, float]], bands: Bands) -> dict[str, list[str]]:
    """Band name -> the models in it, best band first, in the order given; bands without a model are empty."""
    found: dict[str, list[str]] = {band.name: [] for band in reversed(bands.bands)}
    for model, points in scores:
        found[bands.of(points).name].append(model)
    return found


SIX_TASK_BANDS = ranges(
    [
        (1, 4, "broken, or off the task"),
        (5, 8, "attempted, significant faults"),
        (9, 12, "works, notable gaps"),
        (13, 16, "good, minor faults"),
        (17, 20, "excellent"),
    ],
    maximum=20,
)
"""What the points of one of the six tasks mean."""

RAILS_TIERS = tiers(
    [
        ("A", 80, "ship as is, or patch in under 30 minutes"),
        ("B", 60, "1 to 2 hours to ship"),
        ("C", 40, "major rework"),
        ("D", 0, "discard"),
    ],
    maximum=100,
)
"""What the points of the Rails application mean."""

LETTERS: Sequence[str] = ("F", "C-", "C", "B", "B+", "A-", "A", "S")
"""The letters that a reviewer gives a Rust port, worst first. An order: there are no points behind them."""


def letter_value(letter: str) -> int:
    """Place of a letter from 1, the worst, to 8, for correlations of ranks. Raises ``OptionError`` for another."""
    if letter not in LETTERS:
        raise OptionError(f"rank {letter!r} is none of {', '.join(reversed(LETTERS))}. Write one of these.")
    return LETTERS.index(letter) + 1
