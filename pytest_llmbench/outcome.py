"""How one test item of a rubric point ended: pytest's reports -> earned, missed, skipped, harness, not reached."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from pytest_llmbench.errors import LLMBenchError, ModelError
from pytest_llmbench.schema.attempt import ItemRecord
from pytest_llmbench.schema.keys import ItemRef
from pytest_llmbench.schema.task import RubricPoint

if TYPE_CHECKING:
    from pytest_llmbench.schema.execution import ExecResult

ItemOutcome = Literal["earned", "missed", "skipped", "harness", "not_reached"]

RECORD = "llm_item"
"""Attribute of a teardown report that carries the item's record, as JSON values."""
OUTCOME = "llm_outcome"
"""Attribute of a failed report: ``missed``, ``harness`` or ``not_reached``."""
CAUSE = "llm_cause"
"""Attribute of a report whose attempt failed: equal for one cause."""

_LONGEST_MESSAGE = 2000
_OUTPUT_LINES = 15
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


@dataclass(slots=True)
class _State:
    outcome: ItemOutcome = "not_reached"
    message: str = ""
    duration_s: float = 0.0


_STATE = pytest.StashKey[_State]()


def note_phase(
    item: pytest.Item,
    report: pytest.TestReport,
    call: pytest.CallInfo[None],
    point: RubricPoint,
    workspace: Path | None = None,
) -> None:
    """Learn from the report of one phase, and mend what it says where llmbench means something else.

    A model's failure is told without a traceback. An unearned bonus is no failure. Only an ``AssertionError`` or
    ``pytest.fail`` in the test's body is a miss; anything else that goes wrong is ours. ``workspace``: the folder whose
    path, another one in every run, is kept out of the record.
    """
    if report.when == "setup":
        item.stash[_STATE] = _State()
    state = item.stash.setdefault(_STATE, _State())
    state.duration_s += report.duration
    if type(report).__name__ == "SubtestReport":
        if report.failed and state.outcome != "harness":
            state.outcome, state.message = "missed", _text(call, workspace)
        return
    if hasattr(report, "wasxfail"):
        state.outcome, state.message = ("earned", "") if report.passed else ("missed", str(report.wasxfail))
    elif report.skipped:
        state.outcome, state.message = "skipped", _skip_reason(report)
    elif report.failed:
        state.outcome, state.message = _classify(report, call), _text(call, workspace)
    elif report.when == "call" and state.outcome == "not_reached":
        state.outcome = "earned"
    if report.failed:
        setattr(report, OUTCOME, state.outcome)
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, ModelError):
        report.longrepr = f"llmbench: {clean(str(error))}"
        setattr(report, CAUSE, error.failure.cause or f"{error.failure.kind}: {error.failure.message}")
    if point.kind == "bonus" and report.failed and state.outcome == "missed":
        report.outcome = "skipped"
        report.wasxfail = f"bonus not earned: {state.message.partition(chr(10))[0]}"


def add_evidence(
    report: pytest.TestReport, *, reply: Path, notes: Iterable[str], last: ExecResult | None, again: str
) -> None:
    """Say under a miss where the reply lies, what was run, and how to run the point again without a model."""
    lines = [f"reply: {reply}", *(f"       {note}" for note in notes)]
    if last is not None:
        limit = f"; {last.limit_hit}" if last.limit_hit else ""
        lines.append(f"last command: {shlex.join(last.command)} (exit {last.exit_code}{limit})")
        output = [*last.stdout.splitlines(), *last.stderr.splitlines()]
        lines += [f"    {line[:200]}" for line in output[-_OUTPUT_LINES:]]
    lines.append(f"again, without a model: {again}")
    report.sections.append(("llmbench", clean("\n".join(lines), limit=10_000)))


def attach_record(
    item: pytest.Item, report: pytest.TestReport, ref: ItemRef, point: RubricPoint, labels: Iterable[str]
) -> None:
    """Put the item's record on its teardown report, and what JUnit readers need into its properties."""
    state = item.stash[_STATE]
    record = ItemRecord(
        **ref._asdict(),
        outcome=state.outcome,
        message=state.message,
        labels=tuple(sorted(labels)),
        duration_s=round(state.duration_s, 4),
    )
    setattr(report, RECORD, record.model_dump(mode="json"))
    report.user_properties += [
        ("llm_task", ref.task),
        ("llm_model", ref.model),
        ("llm_epoch", ref.epoch),
        ("llm_point", ref.point),
        (f"llm_{point.kind}", point.value),
        ("llm_outcome", state.outcome),
    ]


def clean(text: str, limit: int = _LONGEST_MESSAGE) -> str:
    """Text of unknown origin for terminals and records: control characters shown, addresses out, bounded."""
    text = _ADDRESS.sub("0x...", text)
    text = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text.expandtabs(4))
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text) - limit} more characters)"


def _classify(report: pytest.TestReport, call: pytest.CallInfo[None]) -> ItemOutcome:
    if call.excinfo is None:
        return "harness"
    if isinstance(call.excinfo.value, ModelError):
        return "not_reached"
    in_body = report.when == "call" and isinstance(call.excinfo.value, AssertionError | pytest.fail.Exception)
    timed_out = any(entry.frame.f_globals.get("__name__") == "pytest_timeout" for entry in call.excinfo.traceback)
    return "missed" if in_body and not timed_out else "harness"


def _text(call: pytest.CallInfo[None], workspace: Path | None) -> str:
    if call.excinfo is None:
        return ""
    known = isinstance(call.excinfo.value, LLMBenchError)
    text = str(call.excinfo.value) if known else call.excinfo.exconly(tryshort=True)
    return clean(text.replace(str(workspace), "WORKSPACE") if workspace else text)


def _skip_reason(report: pytest.TestReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return clean(reason.removeprefix("Skipped: "))
