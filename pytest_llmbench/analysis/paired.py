"""Exact paired tests of two sides over tasks, and the size of their difference.

A task is a stratum: under the null hypothesis the attempts of both sides at one task are exchangeable. The test is the
stratified permutation test (Fisher, "The Design of Experiments", 1935, section 21; Good, "Permutation, Parametric and
Bootstrap Tests of Hypotheses", 2005, section 3.2) of the sum over tasks of the differences of means. With one attempt a
side it is the exact sign-flip test over tasks. All rearrangements are counted, by convolution, not drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_llmbench.analysis.intervals import LEVEL, satterthwaite
from pytest_llmbench.schema.comparison import Interval, PermutationTest
from pytest_llmbench.schema.numbers import exact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_CELLS = 4_000_000
"""Of the lattice that the sums lie on; 32 MB."""
_MOST_PARTS = 1000
_DRAWS = 100_000
_SEED = 20_250_101


@dataclass(frozen=True, slots=True)
class Stratum:
    """The scores of both sides at one task, in points; each side has at least one."""

    a: tuple[float, ...]
    b: tuple[float, ...]

    @property
    def difference(self) -> Fraction:
        """Mean of ``b`` less mean of ``a``."""
        return _mean(self.b) - _mean(self.a)


def permutation_test(strata: Sequence[Stratum]) -> PermutationTest:
    """Test whether the two sides differ; raises ``ValueError`` without a stratum."""
    if not strata:
        raise ValueError("nothing to compare: no task has scores on both sides")
    observed = sum((stratum.difference for stratum in strata), Fraction())
    pooled = [[_fraction(score) for score in (*stratum.a, *stratum.b)] for stratum in strata]
    if all(len(set(scores)) == 1 for scores in pooled):
        return PermutationTest(float(observed), 1.0, 1.0, exact=True)
    # Of a stratum only the sum of side b's scores varies: difference = weight * sum - constant.
    weights = [Fraction(len(s.a) + len(s.b), len(s.a) * len(s.b)) for s in strata]
    # Every sum of differences is a multiple of this: of the weighted sums, and of the constants.
    parts = [
        part.denominator * score.denominator
        for stratum, weight, scores in zip(strata, weights, pooled, strict=True)
        for part in (weight, Fraction(1, len(stratum.a)))
        for score in scores
    ]
    unit = Fraction(1, math.lcm(*parts))
    reach = sum(
        (
            weight * (max(scores) - min(scores)) * len(s.b)
            for weight, scores, s in zip(weights, pooled, strata, strict=True)
        ),
        Fraction(),
    )
    if reach / unit > _MOST_CELLS:
        return _drawn(strata, observed)
    return _counted(strata, pooled, weights, unit, observed)


def difference_interval(strata: Sequence[Stratum], *, level: float = LEVEL) -> Interval | None:
    """Interval of the sum of differences over epochs, the tasks being fixed; None when a side has a single epoch."""
    sides = [side for stratum in strata for side in (stratum.a, stratum.b)]
    if not sides or any(len(side) == 1 for side in sides):
        return None
    value = float(sum((stratum.difference for stratum in strata), Fraction()))
    return satterthwaite(value, [(_variance(side), len(side)) for side in sides], level)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for being several (Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979)."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted


def _counted(
    strata: Sequence[Stratum],
    pooled: Sequence[Sequence[Fraction]],
    weights: Sequence[Fraction],
    unit: Fraction,
    observed: Fraction,
) -> PermutationTest:
    """Count every rearrangement: each task's distribution, then their convolution."""
    import numpy as np

    whole: NDArray[np.float64] = np.ones(1)
    origin = Fraction()
    for stratum, scores, weight in zip(strata, pooled, weights, strict=True):
        least = min(scores)
        steps = [int((score - least) * weight / unit) for score in scores]
        whole = np.convolve(whole, _sums(tuple(steps), len(stratum.b)))
        origin += weight * least * len(stratum.b) - sum(scores, Fraction()) / len(stratum.a)
    offset = int(origin / unit)
    far = np.abs(np.arange(len(whole), dtype=np.int64) + offset)
    p_value = float(whole[far >= abs(int(observed / unit))].sum())
    least_p = float(whole[far == far[whole > 0].max()].sum())
    return PermutationTest(float(observed), min(p_value, 1.0), min(least_p, 1.0), exact=True)


@lru_cache(maxsize=256)  # a task is tested on its own and among all
def _sums(steps: tuple[int, ...], take: int) -> NDArray[np.float64]:
    """Chances of each sum of ``take`` of the steps, all choices being alike."""
    import numpy as np

    size = sum(sorted(steps)[-take:]) + 1
    ways = np.zeros((take + 1, size))
    ways[0, 0] = 1.0
    for step in steps:
        ways[1:, step:] = ways[1:, step:] + ways[:-1, : size - step]
    chances: NDArray[np.float64] = ways[take] / ways[take].sum()
    return chances


def _drawn(strata: Sequence[Stratum], observed: Fraction) -> PermutationTest:
    """Draw rearrangements; the one observed counts as one of them, so that p is never 0."""
    import numpy as np

    random = np.random.default_rng(_SEED)
    total = np.zeros(_DRAWS)
    for stratum in strata:
        scores = np.array([*stratum.a, *stratum.b])
        dealt = random.permuted(np.tile(scores, (_DRAWS, 1)), axis=1)
        total += dealt[:, len(stratum.a) :].mean(axis=1) - dealt[:, : len(stratum.a)].mean(axis=1)
    far = int((np.abs(total) >= abs(float(observed)) * (1 - 1e-12)).sum())
    return PermutationTest(float(observed), (far + 1) / (_DRAWS + 1), 1 / (_DRAWS + 1), exact=False)


@lru_cache(maxsize=4096)
def _fraction(score: float) -> Fraction:
    """The score before it was rounded for the record: thirds of a point are thirds again."""
    return exact(score).limit_denominator(_MOST_PARTS)


def _mean(scores: Sequence[float]) -> Fraction:
    return sum((_fraction(score) for score in scores), Fraction()) / len(scores)


def _variance(scores: Sequence[float]) -> float:
    mean = _mean(scores)
    return float(sum(((_fraction(score) - mean) ** 2 for score in scores), Fraction()) / (len(scores) - 1))
