"""Pure: figures as they are written, and differences of which one side may be a lower bound only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_llmbench.schema.numbers import exact, half_up

_DIGITS = 4


def written(value: float, *, complete: bool = True) -> str:
    """A total in points: ``83``, ``83.5``; ``83+`` where tasks are missing, so that it is a lower bound."""
    return f"{half_up(value, _DIGITS):.10g}{'' if complete else '+'}"


Bound = Literal["exact", "at_least", "at_most", "unknown"]


@dataclass(frozen=True, slots=True)
class TotalDifference:
    """One total less another, in points."""

    value: float
    """The difference of the two figures as they stand."""
    bound: Bound
    """``at_least``: the first was a lower bound; ``at_most``: the second was; ``unknown``: both were."""

    def __str__(self) -> str:
        signed = f"{half_up(self.value, _DIGITS):+.10g}" if self.value else "0"
        match self.bound:
            case "exact":
                return signed
            case "at_least":
                return f"{signed}+"
            case "at_most":
                return f"at most {signed}"
            case "unknown":
                return "?"


def difference(
    first: float, second: float, *, first_complete: bool = True, second_complete: bool = True
) -> TotalDifference:
    """``first`` less ``second``; a side that is not complete is a lower bound, and makes the difference one."""
    bounds: dict[tuple[bool, bool], Bound] = {
        (True, True): "exact",
        (False, True): "at_least",
        (True, False): "at_most",
        (False, False): "unknown",
    }
    return TotalDifference(float(exact(first) - exact(second)), bounds[first_complete, second_complete])
