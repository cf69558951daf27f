"""What the page of one attempt shows, small enough for its share of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_llmbench.reporting.html.diff import file_changes
from pytest_llmbench.reporting.html.figures import number, seconds, usd
from pytest_llmbench.reporting.html.text import all_shown, cut, packed
from pytest_llmbench.reporting.points import messages_once
from pytest_llmbench.schema.attempt import Failure, ItemRecord
from pytest_llmbench.schema.plan import TaskCard
from pytest_llmbench.schema.results import AttemptResult, CriterionResult

MOST_CHARACTERS = 100_000
"""Of one text: a reply, its reasoning, a file."""
_LEAST_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Turn:
    """One reply of an attempt."""

    reply: str
    reasoning: str = ""
    told: str = ""
    """What the model was told before it: the task's feedback; empty at the first turn."""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class AttemptEvidence:
    """What the run folder keeps of one attempt besides its figures."""

    turns: Sequence[Turn] = ()
    files: Mapping[str, str] | None = None
    """Name -> text, as graded; None: there was nothing to grade."""
    items: Sequence[ItemRecord] = ()
    again: str = ""
    """The line that grades the attempt again."""
    where: str = ""
    """The reply's file, in the run folder."""


def pack_attempt(attempt: AttemptResult, card: TaskCard | None, evidence: AttemptEvidence, share: int) -> str:
    """The attempt's page as packed JSON of at most ``share`` characters.

    Texts are cut until it fits, never below what tells what they are; each cut is stated beside its text.
    """
    changes = file_changes(card.starter if card else {}, evidence.files or {}, card.files if card else ())
    limit = MOST_CHARACTERS
    while True:
        text = packed(all_shown(_page(attempt, card, evidence, changes, limit)))
        if len(text) <= share or limit <= _LEAST_CHARACTERS:
            return text
        limit = max(_LEAST_CHARACTERS, min(limit // 2, int(limit * share / len(text) * 2)))


def _page(
    attempt: AttemptResult,
    card: TaskCard | None,
    evidence: AttemptEvidence,
    changes: Sequence[Mapping[str, Any]],
    limit: int,
) -> dict[str, Any]:
    error, messages = attempt.error, messages_once(attempt)
    return {
        "status": attempt.status.replace("_", " "),
        "error": f"{error.kind}: {error.message}" if error else "",
        "reason": attempt.reason,
        "score": f"{number(attempt.points)} of {number(attempt.max_points)} points",
        "labels": attempt.labels,
        "caps": attempt.caps,
        "dimensions": [
            [name or "(none)", f"{number(part.points)} of {number(part.max_points)}"]
            for name, part in sorted(attempt.dimensions.items())
        ],
        "facts": [list(fact) for fact in _facts(attempt)],
        "retries": [
            f"{retry.kind}: {retry.message} (waited {seconds(retry.waited_s)}{', loading' if retry.loading else ''})"
            for retry in attempt.retries
        ],
        "turns": [_turn(turn, limit) for turn in evidence.turns],
        "files": [_file(change, limit) for change in changes] if evidence.files is not None else [],
        "points": [_point(point, messages[point.id], card, evidence.items, limit) for point in attempt.criteria],
        "again": evidence.again,
        "where": evidence.where,
    }


def _facts(attempt: AttemptResult) -> Iterator[tuple[str, str]]:
    """Times, speeds and counts that are known."""
    usage = attempt.usage
    told = {
        "wall time": seconds(attempt.wall_s),
        "first token after": seconds(attempt.first_token_s),
        "generation": "-" if attempt.tokens_per_s is None else f"{attempt.tokens_per_s:.1f} tokens/s",
        "prompt reading": "-" if attempt.prompt_tokens_per_s is None else f"{attempt.prompt_tokens_per_s:.0f} tokens/s",
        "queue": seconds(attempt.queue_s),
        "model load": seconds(attempt.load_s),
        "grading": seconds(attempt.grading_s),
        "prompt tokens": _count(usage.prompt_tokens),
        "cached prompt tokens": _count(usage.cached_tokens),
        "completion tokens": _count(usage.completion_tokens),
        "reasoning tokens": _count(usage.reasoning_tokens),
        "finish reason": attempt.finish_reason or "-",
        "turns": _count(attempt.iterations),
        "cost": usd(attempt.cost_usd),
        "stored reply used again": "yes" if attempt.cached else "-",
    }
    return ((name, value) for name, value in told.items() if value != "-")


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _turn(turn: Turn, limit: int) -> dict[str, Any]:
    reply, reply_cut = cut(turn.reply, limit)
    reasoning, reasoning_cut = cut(turn.reasoning, limit)
    told, told_cut = cut(turn.told, limit)
    failure = turn.failure
    status = f" (HTTP {failure.http_status})" if failure and failure.http_status else ""
    return {
        "reply": reply,
        "replyCut": reply_cut,
        "reasoning": reasoning,
        "reasoningCut": reasoning_cut,
        "told": told,
        "toldCut": told_cut,
        "failure": f"{failure.kind}{status}: {failure.message}" if failure else "",
        "body": cut(failure.body, limit)[0] if failure else "",
    }


def _file(change: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """The file with as many lines as there is room for."""
    kept: list[list[str]] = []
    room = limit
    for sign, line in change["lines"]:
        room -= len(line) + 1
        if room < 0:
            said = f"cut here: the first {len(kept):,} of {len(change['lines']):,} lines are shown"
            return {**change, "lines": kept, "cut": said}
        kept.append([sign, line])
    return {**change, "lines": kept, "cut": ""}


def _point(
    point: CriterionResult, message: str, card: TaskCard | None, items: Sequence[ItemRecord], limit: int
) -> dict[str, Any]:
    """``message``: what is told of the point, and of its cases where they say the same."""
    stated = next((each for each in card.criteria if each.id == point.id), None) if card else None
    kind = stated.kind if stated else "points"
    earned, most = number(point.points), number(point.max_points)
    if stated and kind in ("cap", "penalty"):
        worth = f"{'caps the score at' if kind == 'cap' else 'takes off'} {number(stated.value)}"
    else:
        worth = f"{earned} of {most}"
    return {
        "id": point.id,
        "title": stated.title if stated else "",
        "kind": kind,
        "dimension": point.dimension,
        "outcome": "not earned" if point.outcome == "bonus" else point.outcome.replace("_", " "),
        "worth": worth,
        "message": message,
        "cases": [
            {
                "case": item.case,
                "outcome": item.outcome.replace("_", " "),
                "message": "" if item.message == point.message and not message else cut(item.message, limit)[0],
                "evidence": cut(item.evidence, limit)[0],
                "evidenceCut": cut(item.evidence, limit)[1],
                "seconds": seconds(item.duration_s),
            }
            for item in sorted(items, key=lambda item: item.case)
            if item.point == point.id
        ],
    }
