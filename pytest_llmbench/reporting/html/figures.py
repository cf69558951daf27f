"""How figures are written. No score is worked out here."""

from __future__ import annotations

from pytest_llmbench.reporting.terminal import number

__all__ = ["level", "number", "seconds", "usd"]

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
