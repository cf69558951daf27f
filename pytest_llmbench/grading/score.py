"""The score of one attempt, from its items by way of points per criterion. Pure.

The rule (``docs/results.md``): earned points and bonus are added and penalties subtracted per dimension, and no
dimension falls below 0 or rises above its maximum; points without a dimension are added, penalties without one
subtracted. The sum is then limited to the lowest cap whose test failed, and raised to the task's floor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from pytest_llmbench.schema.attempt import ItemRecord
from pytest_llmbench.schema.numbers import exact
from pytest_llmbench.schema.plan import Criterion, TaskCard
from pytest_llmbench.schema.results import CriterionResult, Dimension

Selected = Mapping[str, Sequence[str]]
"""Rubric point -> the cases asked for."""

_DIGITS_OF_PARTS = 9
_DIGITS_OF_FIGURES = 4


@dataclass(frozen=True, slots=True)
class TaskScore:
    """The score of one attempt over the selected items."""

    points: float
    max_points: float
    criteria: list[CriterionResult]
    caps: list[str] = field(default_factory=list)
    dimensions: dict[str, Dimension] = field(default_factory=dict)


def score_attempt(task: TaskCard, records: Sequence[ItemRecord], asked: Selected, *, whole: bool = True) -> TaskScore:
    """Score one attempt; ``asked`` says which points and cases count, a subset of the task's rubric.

    ``whole`` False: the selection is partial, so the floor, which is for the whole task, does not apply.
    """
    by_item = {(record.point, record.case): record for record in records}
    results: list[CriterionResult] = []
    caps: list[str] = []
    gained: dict[str, Fraction] = {}
    possible: dict[str, Fraction] = {}
    bound = exact(task.points)
    for criterion in task.criteria:
        cases = asked.get(criterion.id, ())
        if not cases:
            continue
        found = [record for case in cases if (record := by_item.get((criterion.id, case)))]
        outcomes = [_outcome(by_item.get((criterion.id, case))) for case in cases]
        earned, most = _points(criterion, outcomes, len(criterion.cases))
        if criterion.kind == "cap" and "missed" in outcomes:
            caps.append(criterion.id)
            bound = min(bound, exact(criterion.value))
        gained[criterion.dimension] = gained.get(criterion.dimension, Fraction()) + earned
        possible[criterion.dimension] = possible.get(criterion.dimension, Fraction()) + most
        results.append(
            CriterionResult(
                id=criterion.id,
                dimension=criterion.dimension,
                points=rounded(earned),
                max_points=rounded(most),
                outcome=_verdict(criterion, outcomes),
                message=next((record.message for record in found if record.message), ""),
                raised=next((record.raised for record in found if record.raised), ""),
            )
        )
    inside = {name: max(points, Fraction()) if name else points for name, points in gained.items()}
    most = min(sum(possible.values(), Fraction()), exact(task.points))
    floor = min(exact(task.floor), most) if whole else Fraction()
    total = max(floor, min(bound, sum(inside.values(), Fraction())))
    return TaskScore(
        points=rounded(total),
        max_points=rounded(most),
        criteria=results,
        caps=caps,
        dimensions={
            name: Dimension(points=rounded(inside[name]), max_points=rounded(possible[name])) for name in inside if name
        },
    )


def rounded(value: Fraction) -> float:
    """Points of an attempt or a part of it, with enough decimals that three thirds still sum to one."""
    return round(float(value), _DIGITS_OF_PARTS)


def figure(value: Fraction) -> float:
    """Points rounded to four decimals, as they are shown and compared."""
    return round(float(value), _DIGITS_OF_FIGURES)


_Item = Literal["earned", "missed", "skipped", "not_reached"]


def _outcome(record: ItemRecord | None) -> _Item:
    match record.outcome if record else "not_reached":
        case "earned" | "missed" | "skipped" as known:
            return known
        case _:
            return "not_reached"


def _points(criterion: Criterion, outcomes: Sequence[_Item], cases: int) -> tuple[Fraction, Fraction]:
    """Points gained (negative for a penalty) and the most that these cases can give."""
    share = exact(criterion.value) / cases
    if criterion.kind == "penalty":
        missed = outcomes.count("missed")
        worth = exact(criterion.value) if criterion.all_cases and missed else share * missed
        return -worth, Fraction()
    if criterion.kind == "cap":
        return Fraction(), Fraction()
    earned = outcomes.count("earned")
    if criterion.all_cases and earned < len(outcomes):
        earned = 0
    return share * earned, share * len(outcomes)


def _verdict(
    criterion: Criterion, outcomes: Sequence[_Item]
) -> Literal["earned", "missed", "bonus", "skipped", "not_reached"]:
    if "missed" in outcomes:
        return "bonus" if criterion.kind == "bonus" else "missed"
    if "not_reached" in outcomes:
        return "not_reached"
    return "skipped" if "skipped" in outcomes else "earned"
