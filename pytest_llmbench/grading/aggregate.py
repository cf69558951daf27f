"""Aggregation: plan, generation outcomes and grading records to attempts, each in exactly one state. Pure.

Attempts are independent: bad records of one attempt are an error of that attempt alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pytest_llmbench.grading.denominators import Asked, Cases, what_was_asked
from pytest_llmbench.grading.score import score_attempt
from pytest_llmbench.grading.throughput import load_s, prompt_tokens_per_s, tokens_per_s
from pytest_llmbench.grading.turns import by_attempt, joined
from pytest_llmbench.schema.attempt import Completion, ItemRecord, Usage
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.numbers import count, figures
from pytest_llmbench.schema.outcome import Failed, HandedInFiles, NotRun, Outcome, Replied, completion_of
from pytest_llmbench.schema.plan import Plan, TaskCard
from pytest_llmbench.schema.results import DESELECTED, AttemptResult, AttemptStatus, ErrorInfo

NO_CODE = "no_code"
"""Label of an attempt whose model answered without handing in what was asked: it is worth the task's floor."""

_SAID_CHARS = 200

DESELECTED_HERE = "deselected for this model"
"""Reason of an attempt without a verdict on points that were selected for others only."""


@dataclass(frozen=True, slots=True)
class Graded:
    """All attempts of a run and the points that count."""

    attempts: list[AttemptResult]
    asked: Asked


def grade(
    plan: Plan, outcomes: Mapping[TurnKey, Outcome], records: Iterable[ItemRecord], *, stopped_by: str = ""
) -> Graded:
    """The result of every planned attempt, sorted by task, model and epoch.

    ``stopped_by`` says what ended the session early, if anything did.
    """
    latest = {(record.key, record.point, record.case): record for record in records}
    by_key: dict[AttemptKey, list[ItemRecord]] = {}
    for record in latest.values():
        by_key.setdefault(record.key, []).append(record)
    asked = what_was_asked(plan, latest.values())
    cards = {card.id: card for card in plan.tasks}
    turns = by_attempt(outcomes)
    attempts = [
        _worked_out(_Evidence(key, cards[key.task], turns.get(key, []), by_key.get(key, [])), asked, stopped_by)
        for key in sorted(plan.attempts())
    ]
    return Graded(attempts=attempts, asked=asked)


class _Evidence(NamedTuple):
    """All that is known of one attempt."""

    key: AttemptKey
    card: TaskCard
    turns: Sequence[Outcome]
    records: Sequence[ItemRecord]

    @property
    def outcome(self) -> Outcome | None:
        """What came of asking, over all turns."""
        return joined(self.turns)


def _worked_out(evidence: _Evidence, asked: Asked, stopped_by: str) -> AttemptResult:
    try:
        return _attempt(evidence, asked, stopped_by)
    except (ArithmeticError, ValueError, TypeError, RecursionError, MemoryError) as error:
        key, card = evidence.key, evidence.card
        what = f"this attempt's records give no result ({type(error).__name__}: {str(error)[:_SAID_CHARS]})"
        return AttemptResult(
            task=key.task,
            model=key.model,
            epoch=key.epoch,
            status="error",
            error=ErrorInfo(kind="grader", message=f"{what}. Request it again with --llm-resume."),
            points=0.0,
            max_points=card.points,
        )


def _attempt(evidence: _Evidence, asked: Asked, stopped_by: str) -> AttemptResult:
    key, card, turns, records = evidence
    outcome = evidence.outcome
    wanted = asked.tasks.get(key.task, {})
    score = score_attempt(card, records, wanted, whole=key.task in asked.whole)
    status, error, reason = _state(evidence, asked, stopped_by)
    completion = _evidence(outcome)
    # A joint speed of several turns is meaningless: those of the last turn are reported.
    last = (completion_of(turns[-1]) if turns else None) or completion
    asked_for = outcome if isinstance(outcome, Replied | Failed) else None
    handed_in = outcome if isinstance(outcome, HandedInFiles) else None
    graded = [record.duration_s for record in records if record.outcome != "not_reached"]
    return AttemptResult(
        task=key.task,
        model=key.model,
        epoch=key.epoch,
        status=status,
        error=error,
        reason=reason,
        points=score.points if status in ("scored", "incomplete") else 0.0,
        max_points=score.max_points,
        caps=score.caps,
        dimensions=score.dimensions,
        labels=sorted({label for record in records for label in record.labels}),
        criteria=score.criteria,
        wall_s=completion.wall_s,
        first_token_s=last.first_token_s,
        tokens_per_s=tokens_per_s(last),
        prompt_tokens_per_s=prompt_tokens_per_s(last),
        queue_s=asked_for.queue_s if asked_for else None,
        load_s=load_s(asked_for.retries, asked_for.load_s) if asked_for else None,
        grading_s=round(sum(graded), 4) if graded else None,
        usage=_believed(completion.usage),
        timings=None if completion.timings is None else figures(completion.timings)[0],
        finish_reason=completion.finish_reason,
        iterations=handed_in.iterations if handed_in else len(turns) or None if card.turns > 1 else None,
        phases=[phase.model_dump(mode="json") for phase in handed_in.phases] if handed_in else [],
        cost_usd=getattr(asked_for or handed_in, "cost_usd", None),
        cached=isinstance(outcome, Replied) and outcome.cached,
        retries=list(getattr(outcome, "retries", ())),
    )


def _evidence(outcome: Outcome | None) -> Completion:
    """The reply with its figures; of files that were handed in, what their solver told."""
    if isinstance(outcome, HandedInFiles):
        return Completion(text="", finish_reason="stop", wall_s=outcome.wall_s, usage=outcome.usage)
    return (completion_of(outcome) if outcome is not None else None) or Completion(text="")


def _believed(usage: Usage) -> Usage:
    return Usage(**{name: count(getattr(usage, name)) for name in Usage.model_fields})


_State = tuple[AttemptStatus, ErrorInfo | None, str]


def _state(evidence: _Evidence, asked: Asked, stopped_by: str) -> _State:
    key, card, _, records = evidence
    outcome = evidence.outcome
    wanted = asked.tasks.get(key.task, {})
    if isinstance(outcome, NotRun | Failed):
        return _unanswered(outcome)
    if not wanted:
        skips = [record.message or "skipped" for record in records if record.outcome == "skipped"]
        return "not_run", None, card.unavailable or min(skips, default=stopped_by or "not reached")
    broken = sorted((r.point, r.case, r.message) for r in records if r.outcome == "grader")
    if broken:
        point, _, message = broken[0]
        return "error", ErrorInfo(kind="grader", message=f"{point}: {message}"), ""
    done = {(r.point, r.case): r for r in records if r.outcome != "not_reached"}
    missing = [(p, c) for p, cases in wanted.items() for c in cases if not _has_verdict(done.get((p, c)))]
    if not missing:
        return ("scored", None, "") if key.task in asked.whole else ("incomplete", None, DESELECTED)
    if not done:
        return "not_run", None, stopped_by or "not reached"
    return "incomplete", None, _why_missing(missing, done, asked.attempts.get(key, {}), stopped_by)


def _unanswered(outcome: NotRun | Failed) -> _State:
    if isinstance(outcome, NotRun):
        return "not_run", None, outcome.reason
    failure = outcome.failure
    return "error", ErrorInfo(kind=failure.kind, message=failure.message, cause=failure.cause), ""


def _has_verdict(record: ItemRecord | None) -> bool:
    return record is not None and record.outcome in ("earned", "missed")


def _why_missing(
    missing: Sequence[tuple[str, str]],
    done: Mapping[tuple[str, str], ItemRecord],
    selected: Cases,
    stopped_by: str,
) -> str:
    skipped = [done[item].message for item in missing if item in done]
    if skipped:
        return f"skipped: {skipped[0]}" if skipped[0] else "skipped"
    if all(case not in selected.get(point, ()) for point, case in missing):
        return DESELECTED_HERE
    return stopped_by or "not reached"
