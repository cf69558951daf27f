"""Whether a run is good enough for the exit status that ``--llm-fail-under`` asks for. Pure."""

from __future__ import annotations

from pytest_llmbench.schema.results import Results


def reaches(results: Results, percent: float) -> bool:
    """True when every model is complete and has at least ``percent`` of the points asked for."""
    if results.incomplete or not results.leaderboard:
        return False
    return all(row.total * 100 >= percent * row.max_total for row in results.leaderboard)
