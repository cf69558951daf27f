"""Gates: the conditions set by options under which a run's exit status is 0. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from statistics import fmean
from typing import NamedTuple

from pytest_llmbench.schema.numbers import exact
from pytest_llmbench.schema.results import AttemptResult, IncompleteRow, LeaderboardRow, Results
from pytest_llmbench.schema.settings import Gates


class GateResult(NamedTuple):
    """The result of one gate."""

    gate: str
    """The option, as the user would type it."""
    shortfall: str
    """Why the gate is not reached; empty: it is."""


def rule(results: Results, gates: Gates, baseline: Results | None) -> list[GateResult]:
    """The results of all gates that are set, in a fixed order."""
    rulings = []
    if gates.fail_under is not None:
        tolerant = gates.min_coverage is not None
        limit = gates.fail_under
        missed = _lower_bounds(results, limit) if tolerant else shortfall(results, limit)
        rulings.append(GateResult(f"--llm-fail-under={limit:g}", missed))
    rulings += [
        GateResult(f"--llm-fail-under-task={task}={limit:g}", _under(results, task, limit))
        for task, limit in gates.fail_under_task
    ]
    if gates.min_coverage is not None:
        rulings.append(
            GateResult(f"--llm-min-coverage={gates.min_coverage:g}", _uncovered(results, gates.min_coverage))
        )
    if gates.min_tps is not None:
        rulings.append(GateResult(f"--llm-min-tps={gates.min_tps:g}", _slow(results, gates.min_tps)))
    if baseline is not None:
        rulings.append(GateResult(f"--llm-baseline={gates.baseline}", _worse(results, baseline, gates)))
    return rulings


def shortfall(results: Results, percent: float) -> str:
    """Why a run does not reach ``--llm-fail-under``; "" if it does.

    It is reached if every attempt is scored, except for points that no model could earn, and every model has at least
    ``percent`` of the maximum score. A partial selection, or a run without any points to earn, never reaches it.
    """
    for status in ("error", "incomplete"):
        count = sum(attempt.status == status for attempt in results.attempts)
        if count:
            return f"{count} of {len(results.attempts)} attempts ended as {status}"
    if results.incomplete:
        return f"{results.incomplete[0].model} is not complete: {'; '.join(results.incomplete[0].reasons)}"
    if not any(row.max_total > 0 for row in results.leaderboard):
        return "nothing was scored"
    for row in results.leaderboard:
        if exact(row.total) * 100 < exact(percent) * exact(row.max_total):
            share = row.total / row.max_total * 100
            return f"{row.model} has {row.total:g} of {row.max_total:g} points, {share:.1f} %"
    return ""


def _rows(results: Results) -> Iterator[LeaderboardRow | IncompleteRow]:
    yield from results.leaderboard
    yield from results.incomplete


def _attempts(results: Results, model: str) -> list[AttemptResult]:
    return [attempt for attempt in results.attempts if attempt.model == model]


def _lower_bounds(results: Results, percent: float) -> str:
    """The same with errors allowed: an attempt without a score counts as 0 of its points."""
    for row in _rows(results):
        attempts = _attempts(results, row.model)
        gained = sum((exact(attempt.points) for attempt in attempts if attempt.counts), Fraction())
        most = sum((exact(attempt.max_points) for attempt in attempts), Fraction())
        if not most:
            return f"{row.model}: nothing was scored"
        if gained * 100 < exact(percent) * most:
            share = float(gained / most * 100)
            return f"{row.model} has {share:.1f} % of the points, counting attempts without a score as 0"
    return "" if results.leaderboard or results.incomplete else "nothing was scored"


def _under(results: Results, task: str, percent: float) -> str:
    most = next((exact(t.max_points) for t in results.tasks if t.id == task), None)
    if most is None:
        return f"no task {task!r} in this run (tasks: {', '.join(t.id for t in results.tasks) or 'none'})"
    if results.run.selection.partial:
        return "a partial selection says nothing about the whole task"
    for row in _rows(results):
        points = row.per_task.get(task)
        if points is None:
            return f"{row.model} has no score in this task"
        if exact(points) * 100 < exact(percent) * most:
            return f"{row.model} has {points:g} of {float(most):g} points, {float(exact(points) / most * 100):.1f} %"
    return ""


def _uncovered(results: Results, percent: float) -> str:
    for row in _rows(results):
        attempts = _attempts(results, row.model)
        scored = sum(attempt.counts for attempt in attempts)
        if scored * 100 < exact(percent) * len(attempts):
            return f"{row.model}: {scored} of {len(attempts)} attempts have a score, {scored / len(attempts):.1%}"
    return "" if results.attempts else "nothing was asked for"


def _slow(results: Results, tokens_per_s: float) -> str:
    for row in _rows(results):
        speeds = [a.tokens_per_s for a in _attempts(results, row.model) if a.tokens_per_s is not None]
        if not speeds:
            return f"{row.model}: the speed of generation was not measured"
        if fmean(speeds) < tokens_per_s:
            return f"{row.model} generates {fmean(speeds):.1f} tokens per second on average"
    return "" if results.attempts else "nothing was asked for"


def _worse(results: Results, baseline: Results, gates: Gates) -> str:
    from pytest_llmbench.runs.compare import compare_runs

    for each in compare_runs(baseline, results, allow=gates.baseline_allow):
        if each.comparison is None:
            reasons = "; ".join(f"{difference.kind}: {difference.what}" for difference in each.refused)
            return f"{each.b} is not comparable: {reasons} (override with --llm-baseline-allow=KIND)"
        if each.comparison.verdict == "worse":
            overall = each.comparison.overall
            return f"{each.b} is worse by {-overall.difference:g} points (p = {overall.p_value:.3g})"
    return ""
