"""Builders of cards, plans, records and results, each as small as a test needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pytest_llmbench.runs.results import make_results
from pytest_llmbench.schema.attempt import Completion, ErrorKind, Failure, ItemRecord, Message
from pytest_llmbench.schema.keys import AttemptKey, ItemRef
from pytest_llmbench.schema.outcome import Failed, Outcome, Replied
from pytest_llmbench.schema.plan import Criterion, Plan, TaskCard
from pytest_llmbench.schema.results import ModelInfo, Results, RunHeader, RunInfo
from pytest_llmbench.schema.task import PointKind

ONE_CASE = ("",)


def criterion(
    name: str,
    value: float = 1.0,
    kind: PointKind = "points",
    *,
    dimension: str = "",
    cases: Sequence[str] = ONE_CASE,
    all_cases: bool = False,
) -> Criterion:
    """A rubric point."""
    return Criterion(
        id=name,
        kind=kind,
        value=value,
        max_points=value if kind in ("points", "bonus") else 0.0,
        dimension=dimension,
        cases=tuple(cases),
        all_cases=all_cases,
    )


def card(task: str, *criteria: Criterion, floor: float = 0.0, unavailable: str = "") -> TaskCard:
    """A task whose points are the sum of its criteria."""
    return TaskCard(
        id=task,
        suite="tests",
        points=sum(c.max_points for c in criteria),
        floor=floor,
        files=("answer.py",),
        messages=(Message(role="user", content=f"Solve {task}."),),
        criteria=criteria,
        fingerprint="f" * 64,
        unavailable=unavailable,
    )


def plan(
    *cards: TaskCard,
    models: Sequence[str] = ("alpha",),
    epochs: int = 1,
    only: Callable[[ItemRef], bool] = lambda ref: True,
    collected_tasks: int | None = None,
) -> Plan:
    """Every item of every attempt, or those that ``only`` picks; tasks left without any are not in it."""
    refs = [
        ItemRef(each.id, model, epoch, point.id, case)
        for each in cards
        for model in models
        for epoch in range(1, epochs + 1)
        for point in each.criteria
        for case in point.cases
    ]
    picked = [ref for ref in refs if only(ref)]
    touched = {ref.task for ref in picked}
    return Plan(
        tasks=tuple(each for each in cards if each.id in touched),
        items={f"item-{number}": ref for number, ref in enumerate(picked)},
        collected_tasks=len(cards) if collected_tasks is None else collected_tasks,
    )


def record(ref: ItemRef, outcome: str = "earned", message: str = "", labels: Iterable[str] = ()) -> ItemRecord:
    """How one item ended."""
    return ItemRecord.model_validate({**ref._asdict(), "outcome": outcome, "message": message, "labels": tuple(labels)})


def records(
    of: Plan, verdict: Callable[[ItemRef], str | tuple[str, str] | None] = lambda ref: "earned"
) -> list[ItemRecord]:
    """One record for each planned item; ``verdict`` gives the outcome, outcome and message, or None for no record."""
    found: list[ItemRecord] = []
    for ref in of.items.values():
        given = verdict(ref)
        if given is not None:
            outcome, message = (given, "") if isinstance(given, str) else given
            found.append(record(ref, outcome, message))
    return found


def answered(wall_s: float | None = 1.0, text: str = "") -> Replied:
    """A completion came."""
    return Replied(completion=Completion(text=text, wall_s=wall_s, finish_reason="stop"))


def failed(kind: ErrorKind, message: str = "it broke") -> Failed:
    """None came."""
    return Failed(failure=Failure(kind=kind, message=message))


def header(*models: str, stopped_by: str = "") -> RunHeader:
    """What is known of a run before its first attempt."""
    return RunHeader(
        run=RunInfo(
            id="20250102-030405-abcdef",
            started="2025-01-02T03:04:05+00:00",
            stopped_by=stopped_by,
            finished=not stopped_by,
        ),
        models=[ModelInfo(name=model, resolved=model, endpoint="http://127.0.0.1:1/v1") for model in models],
    )


def results(
    of: Plan,
    graded: Iterable[ItemRecord],
    outcomes: Mapping[AttemptKey, Outcome] | None = None,
    *,
    stopped_by: str = "",
    models: Sequence[str] | None = None,
) -> Results:
    """Everything worked out; every attempt was answered where ``outcomes`` does not say otherwise."""
    given = {key: answered() for key in of.attempts()} | dict(outcomes or {})
    known = {key.turn(1): outcome for key, outcome in given.items()}
    labels = models if models is not None else list(dict.fromkeys(key.model for key in of.attempts()))
    return make_results(header(*labels, stopped_by=stopped_by), of, known, graded)
