"""Orders of models: places by one total, and who is beaten in nothing by anybody."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
Costs = tuple[float, ...]
"""What should be low; of what should be high, its negative."""


def rank(total: Fraction | float, totals: Iterable[Fraction | float]) -> int:
    """Standard competition rank of one of the totals: 1 is the highest, equal totals share a rank (1, 2, 2, 4)."""
    return 1 + sum(other > total for other in totals)


def pareto_front(costs: Mapping[K, Costs]) -> frozenset[K]:
    """Those that nobody beats: as low in every cost, and lower in one of them. Equals stand side by side."""
    return frozenset(name for name, own in costs.items() if not any(_beats(other, own) for other in costs.values()))


def _beats(one: Costs, other: Costs) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
