"""Orders of models: places by one total, and who is beaten in nothing by anybody."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction


def rank(total: Fraction | float, totals: Iterable[Fraction | float]) -> int:
    """Standard competition rank of one of the totals: 1 is the highest, equal totals share a rank (1, 2, 2, 4)."""
    return 1 + sum(other > total for other in totals)
