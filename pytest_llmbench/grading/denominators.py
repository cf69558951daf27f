"""Denominators: the selected points of a run that could be graded, and those left out. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from pytest_llmbench.grading.score import figure
from pytest_llmbench.schema.attempt import ItemRecord
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.numbers import exact
from pytest_llmbench.schema.plan import Criterion, Plan, TaskCard
from pytest_llmbench.schema.results import LeftOut, Selection

Cases = dict[str, tuple[str, ...]]
"""Rubric point -> cases, in rubric order."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The items that count."""

    tasks: Mapping[str, Cases]
    """Per task, what was selected for any attempt and could be graded for any; tasks with nothing left are absent."""
    attempts: Mapping[AttemptKey, Cases]
    """Per attempt, what was selected for it, of the above."""
    selection: Selection
    whole: frozenset[str]
    """Tasks of which everything was selected that could be."""


def what_was_asked(plan: Plan, records: Iterable[ItemRecord]) -> Asked:
    """The items that count.

    An item that was skipped in every attempt that reached it (for want of a toolchain, say) is left out for all: no
    model could earn it. An item that was skipped in some attempts only stays, and makes those incomplete.
    """
    left_out = _left_out_for_all(plan.tasks, records)
    cards = {card.id: card for card in plan.tasks}
    chosen: dict[AttemptKey, dict[str, set[str]]] = {}
    for ref in plan.items.values():
        chosen.setdefault(ref.key, {}).setdefault(ref.point, set()).add(ref.case)
    union: dict[str, dict[str, set[str]]] = {}
    for key, points in chosen.items():
        for point, cases in points.items():
            union.setdefault(key.task, {}).setdefault(point, set()).update(cases)

    tasks: dict[str, Cases] = {}
    missing: list[LeftOut] = []
    whole: set[str] = set()
    for task_id, card in cards.items():
        selected = union.get(task_id, {})
        if all(set(c.cases) <= selected.get(c.id, set()) for c in card.criteria):
            whole.add(task_id)
        kept = _cases(card, selected, left_out)
        if kept:
            tasks[task_id] = kept
        missing += _left_out(card, selected, left_out)
    attempts = {key: _cases(cards[key.task], points, left_out) for key, points in chosen.items() if key.task in tasks}
    selection = Selection(
        partial=len(whole) < plan.collected_tasks,
        points=figure(sum((_most(cards[t], cases) for t, cases in tasks.items()), Fraction())),
        of_points=figure(sum((exact(card.points) for card in cards.values()), Fraction())),
        left_out=missing,
    )
    return Asked(tasks=tasks, attempts=attempts, selection=selection, whole=frozenset(whole))


_ItemId = tuple[str, str, str]


def _left_out_for_all(cards: Iterable[TaskCard], records: Iterable[ItemRecord]) -> dict[_ItemId, str]:
    """(task, point, case) -> the reason, of items that cannot be graded here or were skipped wherever reached."""
    skipped: dict[_ItemId, str] = {
        (card.id, criterion.id, case): card.unavailable
        for card in cards
        if card.unavailable
        for criterion in card.criteria
        for case in criterion.cases
    }
    graded: set[_ItemId] = set()
    for record in records:
        item = (record.task, record.point, record.case)
        if record.outcome == "skipped":
            skipped[item] = min(record.message, skipped.get(item, record.message))
        elif record.outcome != "not_reached":
            graded.add(item)
    return {item: reason for item, reason in skipped.items() if item not in graded}


def _cases(card: TaskCard, selected: Mapping[str, set[str]], left_out: Container[_ItemId]) -> Cases:
    kept: Cases = {}
    for criterion in card.criteria:
        cases = tuple(
            case
            for case in criterion.cases
            if case in selected.get(criterion.id, ()) and (card.id, criterion.id, case) not in left_out
        )
        if cases:
            kept[criterion.id] = cases
    return kept


def _left_out(card: TaskCard, selected: Mapping[str, set[str]], left_out: Mapping[_ItemId, str]) -> list[LeftOut]:
    """The points of one task that no model could earn, by reason."""
    by_reason: dict[str, Fraction] = {}
    for criterion in card.criteria:
        for case in criterion.cases:
            reason = left_out.get((card.id, criterion.id, case))
            if reason is not None and case in selected.get(criterion.id, ()):
                by_reason[reason] = by_reason.get(reason, Fraction()) + _share(criterion)
    return [LeftOut(task=card.id, points=figure(points), reason=reason) for reason, points in by_reason.items()]


def _most(card: TaskCard, cases: Cases) -> Fraction:
    return sum((_share(c) * len(cases.get(c.id, ())) for c in card.criteria), Fraction())


def _share(criterion: Criterion) -> Fraction:
    return exact(criterion.max_points) / len(criterion.cases)
