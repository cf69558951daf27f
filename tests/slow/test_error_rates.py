"""How often a model is called better than itself: 10,000 comparisons a design."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pytest_llmbench.analysis.paired import Stratum, permutation_test


@pytest.mark.parametrize(("tasks", "epochs"), [(6, 1), (6, 3), (2, 4)])
def test_equals_are_called_better_at_most_as_often_as_alpha(tasks: int, epochs: int) -> None:
    """10,000 comparisons of a model with itself; the bound is alpha and four standard errors of such a count."""
    runs, alpha = 10_000, 0.05
    random = np.random.default_rng(7)
    levels = np.array([4, 10, 16, 12, 18, 8])[:tasks]
    # Scores on a coarse scale, as of rubrics: at most five values a task, so that few lattices come up again and again.
    scores = np.clip(levels[:, None] + 2 * random.integers(-2, 3, size=(runs, tasks, 2 * epochs)), 0, 20)
    known: dict[tuple[tuple[float, ...], ...], float] = {}
    better = worse = 0
    for run in scores:
        strata = [Stratum(tuple(map(float, s[:epochs])), tuple(map(float, s[epochs:]))) for s in run]
        key = tuple(tuple(sorted(s.a)) + tuple(sorted(s.b)) for s in strata)
        if key not in known:
            known[key] = permutation_test(strata).p_value
        if known[key] <= alpha:
            difference = sum(s.difference for s in strata)
            better += difference > 0
            worse += difference < 0
    slack = 4 * math.sqrt(alpha * (1 - alpha) / runs)
    assert better / runs <= alpha
    assert (better + worse) / runs <= alpha + slack
    if (tasks, epochs) == (6, 3):
        assert (better + worse) / 2 > 100, "a test that never says anything proves nothing"
