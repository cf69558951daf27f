"""Analysis of one run as tables of text: intervals, consistency, costs, variants, fix rates, approaches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pytest_llmbench.analysis.consistency import consistency
from pytest_llmbench.analysis.criterion_stats import approaches, fix_rates
from pytest_llmbench.analysis.efficiency import efficiency, pareto_front
from pytest_llmbench.analysis.intervals import Estimate, epochs_by_task, pass_at_k_interval, total_interval
from pytest_llmbench.analysis.model_scores import ModelScore, from_results
from pytest_llmbench.analysis.variants import distilled_pairs, quantisation_pairs, thinking_pairs
from pytest_llmbench.reporting.terminal import number
from pytest_llmbench.schema.results import Results


class Table(NamedTuple):
    """One conclusion."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables(results: Results) -> list[Table]:
    """The tables that have at least one row for this run."""
    scores = from_results(results)
    found = [
        Table("Totals over epochs, 95 % intervals", ("model", "total", "low", "high", "note"), list(_totals(results))),
        Table(
            "Passes: chance that one attempt passes, 95 % intervals",
            ("model", "task", "n", "passes", "pass@1", "low", "high", "note"),
            list(_passes(results)),
        ),
        Table(
            "Consistency over tasks",
            ("model", "tasks", "lowest", "highest", "spread", "of the maximum", "consistency"),
            list(_evenness(scores)),
        ),
        Table(
            "Points by time and size; * no other model has as many points in less time",
            ("model", "total", "points/min", "points/GB", "Pareto"),
            list(_costs(scores)),
        ),
        Table(
            "Variants of one base",
            ("kind", "first", "points", "second", "points", "difference", "also differs"),
            list(_pairs(scores)),
        ),
        Table(
            "Rubric points over the models that completed the task",
            ("task", "point", "earned", "difficulty"),
            [(rate.task, rate.criterion, str(rate), rate.difficulty or "-") for rate in fix_rates(results)],
        ),
        Table(
            "Approaches, from labels",
            ("task", "aspect", "kind", "models", "mean points"),
            [(a.task, a.aspect, a.kind, str(len(a.models)), number(a.mean_points)) for a in approaches(results)],
        ),
    ]
    return [table for table in found if table.rows]


def _totals(results: Results) -> Iterator[Sequence[str]]:
    for row in [*results.leaderboard, *results.incomplete]:
        estimate = total_interval(epochs_by_task(results, row.model))
        yield (row.model, *_bounds(estimate, "{:.2f}"))


def _passes(results: Results) -> Iterator[Sequence[str]]:
    for row in results.reduced:
        if row.task is not None:
            estimate = pass_at_k_interval(row.n, row.passes, 1)
            yield (row.model, row.task, str(row.n), str(row.passes), *_bounds(estimate, "{:.0%}"))


def _bounds(estimate: Estimate, form: str) -> tuple[str, str, str, str]:
    """Value, lower and upper bound, and what to know of them."""
    value = "-" if estimate.value is None else form.format(estimate.value)
    if estimate.interval is None:
        return value, "-", "-", estimate.reason
    return value, form.format(estimate.interval.low), form.format(estimate.interval.high), estimate.reason


def _evenness(scores: Sequence[ModelScore]) -> Iterator[Sequence[str]]:
    for each in consistency(scores):
        if each.tasks > 1:
            figures = (number(each.lowest), number(each.highest), number(each.spread))
            yield (each.model, str(each.tasks), *figures, f"{each.share:.0%}", each.label)


def _costs(scores: Sequence[ModelScore]) -> Iterator[Sequence[str]]:
    front = {score.model for score in pareto_front(scores)}
    for each in efficiency(scores):
        if each.per_minute is not None or each.per_gb is not None:
            figures = ("-" if f is None else f"{float(f):.1f}" for f in (each.per_minute, each.per_gb))
            yield (each.score.model, each.score.written, *figures, "*" if each.score.model in front else "")


def _pairs(scores: Sequence[ModelScore]) -> Iterator[Sequence[str]]:
    for pair in [*thinking_pairs(scores), *quantisation_pairs(scores), *distilled_pairs(scores)]:
        first, second = pair.first, pair.second
        sides = (first.model, first.written, second.model, second.written)
        yield (pair.kind, *sides, str(pair.difference), ", ".join(pair.also_differs))
