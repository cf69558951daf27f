"""Whether a run is good enough for the exit status that ``--llm-fail-under`` asks for. Pure."""

from __future__ import annotations

from pytest_llmbench.grading.score import exact
from pytest_llmbench.schema.results import Results


def reaches(results: Results, percent: float) -> bool:
    """True when every model is complete and has at least ``percent`` of the points asked for, and nothing failed.

    Where there was nothing to earn, nothing was shown: that is never enough.
    """
    if results.incomplete or not results.leaderboard or any(a.status == "error" for a in results.attempts):
        return False
    return all(
        row.max_total > 0 and exact(row.total) * 100 >= exact(percent) * exact(row.max_total)
        for row in results.leaderboard
    )
