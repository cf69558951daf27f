"""The self-check of a task's rubric, from the attempts at the task's own files. Pure.

It passes if the reference earns everything and the starter its floor, each mutant loses exactly the points that it
names, every time, and every point is lost by some mutant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_llmbench.grading.aggregate import Graded
from pytest_llmbench.grading.denominators import Cases
from pytest_llmbench.schema.builtin import REFERENCE, STARTER
from pytest_llmbench.schema.mutant import Mutant
from pytest_llmbench.schema.plan import Plan, TaskCard
from pytest_llmbench.schema.results import AttemptResult, SelfCheck, TaskCheck

_MOST_SHOWN = 4


def check(plan: Plan, graded: Graded) -> SelfCheck:
    """Compare every task that could be graded with what its files state."""
    tasks = [
        _check_task(card, graded.asked.tasks[card.id], graded.attempts, whole=card.id in graded.asked.whole)
        for card in sorted(plan.tasks, key=lambda card: card.id)
        if card.id in graded.asked.tasks
    ]
    return SelfCheck(passed=bool(tasks) and not any(task.problems for task in tasks), tasks=tasks)


def _check_task(card: TaskCard, asked: Cases, every: Iterable[AttemptResult], *, whole: bool) -> TaskCheck:
    """``whole``: all its points were selected, so that scores and coverage can be checked."""
    attempts: dict[str, list[AttemptResult]] = {}
    for attempt in every:
        if attempt.task == card.id:
            attempts.setdefault(attempt.model, []).append(attempt)
    mutants = [mutant for mutant in card.mutants if mutant.label in attempts]
    complete = whole and {REFERENCE, STARTER, *(mutant.label for mutant in card.mutants)} <= attempts.keys()
    wrong: dict[str, list[str]] = {}
    for label, found in attempts.items():
        if label == REFERENCE:
            wrong[label] = list(_deviations(found, (), card.points if whole else None))
        elif label == STARTER:
            wrong[label] = list(_deviations(found, None, card.floor if whole else None))
    for mutant in mutants:
        loses = [point for point in mutant.loses if point in asked]
        wrong[mutant.label] = list(_deviations(attempts[mutant.label], loses, mutant.score if whole else None))
    covered = _covered(asked, mutants, attempts)
    problems = [f"{label}: {text}" for label, texts in wrong.items() for text in texts]
    if complete:
        problems += _gaps(card, [point for point in asked if point not in covered])
    return TaskCheck(
        task=card.id,
        gradings=max(map(len, attempts.values()), default=0),
        reference=_least(attempts.get(REFERENCE, ())),
        max_points=card.points,
        starter=_least(attempts.get(STARTER, ())),
        floor=card.floor,
        mutants=len(mutants),
        mutants_as_stated=sum(not wrong[mutant.label] for mutant in mutants),
        sound=sum(mutant.score == card.points for mutant in mutants),
        points=len(asked),
        points_lost=len(covered),
        complete=complete,
        problems=problems,
    )


def _deviations(attempts: Sequence[AttemptResult], loses: Iterable[str] | None, score: float | None) -> Iterator[str]:
    """What is not as stated, over all gradings of one reply; ``None`` where nothing is stated."""
    graded = [attempt for attempt in attempts if attempt.counts]
    for attempt in attempts:
        if attempt not in graded:
            why = f"{attempt.error.kind}: {attempt.error.message}" if attempt.error else attempt.reason
            yield f"#{attempt.epoch} was not graded: {why}"
    raised = {c.id: c for attempt in graded for c in attempt.criteria if c.raised}
    for point, criterion in raised.items():
        yield f"{point} is at fault, its test {criterion.message.partition(chr(10))[0]}"
    verdicts = {(tuple(_lost(attempt)), attempt.points): attempt for attempt in reversed(graded)}
    if len(verdicts) > 1:
        one, other = list(verdicts)[:2]
        told = sorted(set(one[0]) ^ set(other[0])) or [f"{one[1]:g} and {other[1]:g} points"]
        yield f"differs between gradings: {_names(told)}"
    for attempt in list(verdicts.values())[-1:]:
        if loses is not None:
            lost = _lost(attempt)
            messages = {criterion.id: criterion.message for criterion in attempt.criteria}
            for point in lost:
                if point not in loses and point not in raised:
                    yield f"loses {point} too: {messages[point].partition(chr(10))[0]}"
            kept = [point for point in loses if point not in lost]
            if kept:
                yield f"must lose {_names(kept)} but does not"
        if score is not None and attempt.points != score:
            yield f"has {attempt.points:g} points, not {score:g}"


def _gaps(card: TaskCard, never_lost: Sequence[str]) -> Iterator[str]:
    if not card.mutants:
        yield "no mutants: nothing shows that any point can be lost"
    elif never_lost:
        yield f"not covered by any mutant (mutants that fail everything are ignored): {_names(never_lost)}"


def _covered(
    asked: Cases, mutants: Iterable[Mutant], attempts: Mapping[str, Sequence[AttemptResult]]
) -> frozenset[str]:
    """Points lost by a mutant; one that loses all of several points shows nothing about any of them."""
    losses = [_lost(attempt) for mutant in mutants for attempt in attempts[mutant.label] if attempt.counts]
    return frozenset(point for lost in losses if len(lost) < len(asked) or len(asked) == 1 for point in lost)


def _lost(attempt: AttemptResult) -> list[str]:
    return [criterion.id for criterion in attempt.criteria if criterion.outcome in ("missed", "bonus")]


def _least(attempts: Iterable[AttemptResult]) -> float | None:
    return min((attempt.points for attempt in attempts if attempt.counts), default=None)


def _names(points: Sequence[str]) -> str:
    rest = len(points) - _MOST_SHOWN
    return ", ".join(points[:_MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
