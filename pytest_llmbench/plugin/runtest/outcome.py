"""How one test item of a rubric point ended: pytest's reports -> earned, missed, skipped, grader, not reached."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.errors import LLMBenchError, ModelError
from pytest_llmbench.plugin.runtest.blame import Blame, blame
from pytest_llmbench.plugin.runtest.sanitize import clean, sanitize_report
from pytest_llmbench.schema.attempt import ItemOutcome, ItemRecord
from pytest_llmbench.schema.keys import ItemRef
from pytest_llmbench.schema.task import RubricPoint
from pytest_llmbench.text import one_line, without_numbers

if TYPE_CHECKING:
    from pytest_llmbench.schema.execution import ExecResult


RECORD = "llm_item"
"""Attribute of a teardown report that carries the item's record, as JSON values."""
OUTCOME = "llm_outcome"
"""Attribute of a failed report: ``missed``, ``grader`` or ``not_reached``."""
CAUSE = "llm_cause"
"""Attribute of a report of an error: equal for one cause."""
MESSAGE = "llm_message"
"""Attribute of a report of a miss: what is told of it on one line."""

_OUTPUT_LINES = 15
_EXPLAINED = re.compile(r"\n\s*\+  where .*", re.DOTALL)
"""What pytest adds to an assertion to say where its values came from."""
_WEIGHT: dict[ItemOutcome, int] = {"not_reached": 0, "skipped": 1, "earned": 2, "missed": 3, "grader": 4}
"""A test has several parts: phases and subtests. The heaviest outcome is the test's."""


@dataclass(slots=True)
class _State:
    outcome: ItemOutcome = "not_reached"
    message: str = ""
    duration_s: float = 0.0
    in_body: bool = False
    evidence: str = ""
    raised: str = ""

    def add(self, outcome: ItemOutcome, message: str = "", raised: str = "") -> None:
        """Count one part in; of equal ones the first is told."""
        if _WEIGHT[outcome] > _WEIGHT[self.outcome] or (outcome == self.outcome and not self.message):
            self.outcome, self.message, self.raised = outcome, message, raised


_STATE = pytest.StashKey[_State]()


@contextlib.contextmanager
def in_body(item: pytest.Item) -> Iterator[None]:
    """While a test's body runs, every report is one of its subtests'."""
    state = item.stash.setdefault(_STATE, _State())
    state.in_body = True
    try:
        yield
    finally:
        state.in_body = False


def note_phase(
    item: pytest.Item,
    report: pytest.TestReport,
    call: pytest.CallInfo[None],
    point: RubricPoint,
    workspace: Path | None = None,
    *,
    folder: Path,
    expected: str = "",
) -> None:
    """Learn from the report of one phase, and mend what it says where llmbench means something else.

    A model's failure is told without a traceback. An unearned bonus is no failure. What is a miss and what is ours:
    ``blame``. ``workspace``: the folder whose path, another one in every run, is kept out of the record. ``folder``:
    where the task's own code lies. ``expected`` tells why a miss is as it should be; a test that raises never is.
    """
    if report.when == "setup":
        item.stash[_STATE] = _State()
    state = item.stash.setdefault(_STATE, _State())
    subtest = state.in_body
    blamed = blame(call.excinfo.value, report.when or "", folder) if call.excinfo is not None else None
    verdict = _verdict(report, call, blamed)
    raised = type(_first(call.excinfo.value)).__name__ if call.excinfo and blamed == "raised" else ""
    if not subtest:
        state.duration_s += report.duration
        if verdict == "earned" and state.outcome in ("missed", "grader"):
            report.outcome, report.longrepr, verdict = "failed", "a subtest failed", state.outcome
    message = "" if verdict is None else _message(verdict, report, call, workspace, raised=raised)
    if verdict is not None and not (subtest and verdict in ("earned", "skipped")):
        state.add(verdict, message, raised)
    sanitize_report(report)
    error = call.excinfo.value if call.excinfo else None
    if report.failed:
        setattr(report, OUTCOME, verdict)
        if verdict == "missed":
            setattr(report, MESSAGE, one_line(_EXPLAINED.sub("", message.removeprefix("AssertionError: "))))
        elif verdict == "grader" and error is not None:
            setattr(report, CAUSE, _cause_of_fault(error, report, message))
    if isinstance(error, ModelError):
        report.longrepr = f"llmbench: {clean(str(error))}"
        setattr(report, CAUSE, error.failure.cause or f"{error.failure.kind}: {error.failure.message}")
    reason = (not raised and expected) or ("bonus not earned" if point.kind == "bonus" else "")
    if reason and report.failed and verdict == "missed":
        report.outcome = "skipped"
        report.wasxfail = f"{reason}: {state.message.partition(chr(10))[0]}"


def add_evidence(
    item: pytest.Item,
    report: pytest.TestReport,
    *,
    reply: Path,
    notes: Iterable[str],
    last: ExecResult | None,
    again: str,
) -> None:
    """Say under a miss where the reply lies, what was run, and how to run the point again without a model.

    The item's record, made at teardown, gets the same text; of several misses of one test the first is told.
    """
    lines = [f"reply: {reply}", *(f"       {note}" for note in notes)]
    if last is not None:
        limit = f"; {last.limit_hit}" if last.limit_hit else ""
        lines.append(f"last command: {shlex.join(last.command)} (exit {last.exit_code}{limit})")
        output = [*last.stdout.splitlines(), *last.stderr.splitlines()]
        lines += [f"    {line[:200]}" for line in output[-_OUTPUT_LINES:]]
    lines.append(f"again, without a model: {again}")
    text = clean("\n".join(lines), limit=10_000)
    report.sections.append(("llmbench", text))
    state = item.stash[_STATE]
    state.evidence = state.evidence or text


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
        evidence=state.evidence if state.outcome == "missed" else "",
        raised=state.raised if state.outcome == "missed" else "",
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


def _verdict(report: pytest.TestReport, call: pytest.CallInfo[None], blamed: Blame | None) -> ItemOutcome | None:
    """What one part of a test says; None for a phase that went well and decides nothing."""
    if hasattr(report, "wasxfail") and report.skipped:
        # By mark: what was raised counts as ever. By ``pytest.xfail()``: a miss, or in a fixture no try at all.
        by_call = call.excinfo is not None and isinstance(call.excinfo.value, pytest.xfail.Exception)
        if by_call:
            return "missed" if report.when == "call" else "skipped"
        return _classify(report, blamed)
    if report.skipped:
        return "skipped"
    if report.failed:
        return _classify(report, blamed)
    return "earned" if report.when == "call" else None


def _classify(report: pytest.TestReport, blamed: Blame | None) -> ItemOutcome:
    if blamed is None:
        # Failed without an exception: by a strict xfail mark, where the point is earned against expectation.
        return "earned" if str(report.longrepr).startswith("[XPASS(strict)]") else "grader"
    return "missed" if blamed == "raised" else blamed


def _cause_of_fault(error: BaseException, report: pytest.TestReport, message: str) -> str:
    """Equal for faults of the machine with one message, and for what is raised at one line of a grader."""
    crash = getattr(report.longrepr, "reprcrash", None)
    where = "" if isinstance(error, LLMBenchError) or crash is None else f"{crash.path}:{crash.lineno}: "
    return where + without_numbers(message)


def _first(error: BaseException) -> BaseException:
    """The exception, or of a group its first member that is no assertion."""
    while isinstance(error, BaseExceptionGroup):
        error = next((one for one in error.exceptions if not isinstance(one, AssertionError)), error.exceptions[0])
    return error


def _message(
    verdict: ItemOutcome,
    report: pytest.TestReport,
    call: pytest.CallInfo[None],
    workspace: Path | None,
    *,
    raised: str,
) -> str:
    if verdict == "earned" or call.excinfo is None:
        return clean(str(report.longrepr)) if verdict == "grader" else ""
    if verdict == "skipped":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(call.excinfo.value)
        return clean(reason.removeprefix("Skipped: "))
    if raised:
        said = str(_first(call.excinfo.value))
        text = f"raised {raised} over what was handed in{': ' if said else ''}{said}"
    elif isinstance(call.excinfo.value, LLMBenchError):
        text = str(call.excinfo.value)
    else:
        text = call.excinfo.exconly(tryshort=True)
    return clean(text.replace(str(workspace), "WORKSPACE") if workspace else text)
