"""How figures are written, and which models nobody beats. No score is worked out here."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_llmbench.reporting.terminal import number

__all__ = ["level", "number", "pareto_front", "seconds", "usd"]

_MINUTE = 60.0
_LEVELS = 10


def seconds(value: float | None) -> str:
    """A duration as people read it."""
    if value is None:
        return "-"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < _MINUTE:
        return f"{value:.1f} s"
    return f"{int(value // _MINUTE)} min {int(value % _MINUTE):02d} s"


def usd(value: float | None) -> str:
    """Money; small amounts keep their first figures."""
    if value is None:
        return "-"
    return f"${value:.2f}" if value >= 1 or value == 0 else f"${value:.2g}"


def level(points: float, most: float) -> int:
    """Shade of a cell, from 0 for nothing to 10 for everything."""
    return round(_LEVELS * max(0.0, min(1.0, points / most))) if most > 0 else 0


def pareto_front(places: Mapping[str, tuple[float, float]]) -> set[str]:
    """Those that nobody beats: by name, given (cost, score), where less cost and more score are better."""
    return {
        name
        for name, (cost, score) in places.items()
        if not any(
            other_cost <= cost and other_score >= score and (other_cost, other_score) != (cost, score)
            for other_cost, other_score in places.values()
        )
    }
