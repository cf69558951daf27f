"""Pure: how far a figure can be trusted, from the epochs behind it.

A model's total is the sum of its tasks' means, and the difference of two models that of both sides' means. Tasks are
fixed and epochs are drawn within each, so the tasks are strata: the variance is the sum of s^2/n over the means, its
degrees of freedom are those of F. E. Satterthwaite, "An Approximate Distribution of Estimates of Variance Components"
(Biometrics Bulletin 2, 1946), as in W. G. Cochran, "Sampling Techniques" (3rd edition, 1977), section 5.4. It says how
the figure would move if the same tasks were run again, not how other tasks would go.

The chance p that one attempt passes has the exact interval of C. J. Clopper and E. S. Pearson, "The Use of Confidence
or Fiducial Limits Illustrated in the Case of the Binomial" (Biometrika 26, 1934). pass@k is 1 - (1-p)^k, which rises
with p, so the ends of the one interval are carried over to the other and its coverage stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, variance

from pytest_llmbench.measures.pass_at_k import pass_at_k
from pytest_llmbench.schema.comparison import Interval
from pytest_llmbench.schema.results import Results

LEVEL = 0.95
"""Of confidence, where none is asked for."""

ONE_EPOCH = "one epoch: cannot tell"
"""Why a single attempt has no interval."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and how sure it is."""

    value: float | None
    """None: no figure at all."""
    interval: Interval | None
    reason: str = ""
    """Why there is no interval, or what to know of one that there is."""


def epochs_by_task(results: Results, model: str) -> dict[str, list[float]]:
    """Points of each epoch with a verdict, for every task of the leaderboard; empty lists where there is none."""
    rows = [row for row in (*results.leaderboard, *results.incomplete) if row.model == model]
    points: dict[str, list[float]] = {task: [] for row in rows for task in row.per_task}
    for attempt in results.attempts:
        if attempt.model == model and attempt.task in points and attempt.counts:
            points[attempt.task].append(attempt.points)
    return points


def total_interval(points: Mapping[str, Sequence[float]], level: float = LEVEL) -> Estimate:
    """A model's total in points over its tasks, from the points of each epoch of each task.

    No interval as soon as one task has fewer than two epochs: what it would vary by is not known.
    """
    none = sorted(task for task, each in points.items() if not each)
    if none or not points:
        return Estimate(None, None, f"no epoch with a verdict: {', '.join(none) or 'no task'}")
    total = sum(fmean(each) for each in points.values())
    single = sorted(task for task, each in points.items() if len(each) == 1)
    if single:
        return Estimate(total, None, ONE_EPOCH if len(single) == len(points) else f"{ONE_EPOCH} ({', '.join(single)})")
    parts = [(variance(each), len(each)) for each in points.values()]
    constant = not any(spread for spread, _ in parts)
    reason = "every epoch of a task gave the same points" if constant else ""
    return Estimate(total, satterthwaite(total, parts, level), reason)


def satterthwaite(value: float, parts: Sequence[tuple[float, int]], level: float) -> Interval:
    """The interval of a sum or difference of independent means around its ``value``.

    ``parts``: of each mean, the variance of its observations and how many these are, at least two. Without any variance
    the interval is the value alone.
    """
    of_sum = sum(spread / n for spread, n in parts)
    if not of_sum:
        return Interval(value, value, level)
    from scipy.stats import t

    freedom = of_sum**2 / sum((spread / n) ** 2 / (n - 1) for spread, n in parts)
    half = float(t.ppf((1 + level) / 2, freedom)) * sqrt(of_sum)
    return Interval(value - half, value + half, level)


def pass_interval(n: int, c: int, level: float = LEVEL) -> Interval:
    """The chance that one attempt passes, from ``c`` passes in ``n`` (Clopper-Pearson). Raises ``ValueError``."""
    _check(n, c)
    if n == 0:
        raise ValueError("no attempt: there is nothing to estimate a chance from. Ask for at least one.")
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = 0.0 if c == 0 else float(beta.ppf(tail, c, n - c + 1))
    high = 1.0 if c == n else float(beta.ppf(1 - tail, c + 1, n - c))
    return Interval(low, high, level)


def pass_at_k_interval(n: int, c: int, k: int, level: float = LEVEL) -> Estimate:
    """The chance that at least one of ``k`` attempts passes, from ``c`` passes in ``n``.

    The value is the unbiased estimate 1 - C(n-c, k) / C(n, k), None when n < k. With k near n it can lie outside of the
    interval, which is of the true chance: one pass in five gives pass@5 = 1.
    """
    _check(n, c)
    if k < 1:
        raise ValueError(f"pass@{k}: k counts attempts. Ask for 1 or more.")
    chance = pass_at_k(n, c, k)
    value = None if chance is None else float(chance)
    if n == 0:
        return Estimate(None, None, "no epoch with a verdict")
    if n == 1:
        return Estimate(value, None, ONE_EPOCH)
    one = pass_interval(n, c, level)
    reason = "" if value is not None else f"{n} attempts are fewer than {k}: no estimate, bounds only"
    return Estimate(value, Interval(1 - (1 - one.low) ** k, 1 - (1 - one.high) ** k, level), reason)


def _check(n: int, c: int) -> None:
    if not 0 <= c <= n:
        raise ValueError(f"{c} passes in {n} attempts: passes are from 0 up to the attempts. Count them again.")
