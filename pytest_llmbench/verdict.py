"""Whether a run is good enough for the exit status that ``--llm-fail-under`` asks for. Pure."""

from __future__ import annotations

from pytest_llmbench.grading.score import exact
from pytest_llmbench.schema.results import Results


def shortfall(results: Results, percent: float) -> str:
    """What keeps a run from being good enough; "" when nothing does.

    Good enough: every attempt is scored, but for what nobody could be asked for, and every model has at least
    ``percent`` of the points asked for. A partial selection shows nothing about the whole, and where there was nothing
    to earn nothing was shown.
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
