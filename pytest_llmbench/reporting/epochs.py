"""What several epochs say, as cells of a table. Computes no figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_llmbench.schema.results import Reduced

_MOST_ROWS = 24


def head(reduced: Sequence[Reduced]) -> list[str]:
    """The table's columns."""
    ks = list(reduced[0].pass_at_k)
    return ["model", "task", "n", "passes", "mean", "best", *(f"pass@{k}" for k in ks), *(f"pass^{k}" for k in ks[1:])]


def rows(reduced: Sequence[Reduced]) -> Iterator[list[str]]:
    """One row for each model and task; with many of them, for each model only."""
    everything = len(reduced) <= _MOST_ROWS
    for row in reduced:
        if row.task is None or everything:
            chances = [*row.pass_at_k.values(), *list(row.pass_hat_k.values())[1:]]
            yield [
                row.model,
                "all" if row.task is None else row.task,
                str(row.n),
                str(row.passes),
                *("-" if value is None else f"{value:.2f}" for value in (row.mean, row.best)),
                *("-" if chance is None else f"{chance:.0%}" for chance in chances),
            ]
