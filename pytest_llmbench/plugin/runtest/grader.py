"""Hooks of every process that runs tests: wait for a reply, grade it, and tell how each point ended."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Generator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.attempts import provisioning
from pytest_llmbench.attempts.submission import Submission, fill_workspace, keep_files, read_submission
from pytest_llmbench.errors import HarnessError, ModelError, StoreError
from pytest_llmbench.llm.solving import FeedbackJob, SourceClosedError, SubmissionSource
from pytest_llmbench.plugin.collect.loaded import SuiteCollector
from pytest_llmbench.plugin.collect.tasks import ITEM_REF, Collection
from pytest_llmbench.plugin.runtest.assertions import short_comparisons, short_locals
from pytest_llmbench.plugin.runtest.feedback import feedback_on
from pytest_llmbench.plugin.runtest.outcome import OUTCOME, add_evidence, attach_record, in_body, note_phase
from pytest_llmbench.plugin.runtest.sanitize import sanitize_subtest
from pytest_llmbench.sandbox.selection import open_sandbox
from pytest_llmbench.schema.attempt import Failure
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.outcome import Ended, Failed, NotRun, Replied
from pytest_llmbench.schema.run_files import REPLY
from pytest_llmbench.schema.task import Task
from pytest_llmbench.store.run_dir import RunDir
from pytest_llmbench.toolchains.base import Say

if TYPE_CHECKING:
    from pytest_llmbench.sandbox.protocol import Sandbox
    from pytest_llmbench.sandbox.selection import SandboxChoice

GRADER = pytest.StashKey["Grader"]()


def _silent(_line: str) -> None:
    """Tell nobody."""


class OpenAttempt:
    """The attempt whose points are being graded in this process."""

    def __init__(self, key: AttemptKey, task: Task, submission: Submission | None, failure: Failure | None) -> None:
        self.key = key
        self.task = task
        self.failure = failure
        self._submission = submission
        self.sandbox_choice: SandboxChoice | None = None
        self.sandbox: Sandbox | None = None
        self.workspace: Path | None = None

    @property
    def submission(self) -> Submission:
        """What the model handed in; raises ``ModelError`` when it handed in nothing that can be graded."""
        if self._submission is None:
            assert self.failure is not None
            raise ModelError(self.failure)
        return self._submission

    def open_workspace(self, root: Path) -> None:
        """Lay the starter and the model's files out in a fresh folder. Raises ``HarnessError``."""
        self.workspace = root
        fill_workspace(root, self.task, self.submission)

    def open_sandbox(self, workspace: Path) -> Sandbox:
        """A sandbox over the attempt's workspace with the task's toolchains in it.

        Raises ``HarnessError``.
        """
        assert self.sandbox_choice is not None
        found = provisioning.equip(self.task, workspace, self.sandbox_choice.name)
        self.sandbox = open_sandbox(self.sandbox_choice, workspace, found)
        return self.sandbox


class Grader:
    """Grades attempt after attempt; remembers one at a time."""

    def __init__(self, collection: Collection, source: SubmissionSource, run: RunDir, sandbox: SandboxChoice) -> None:
        self._collection = collection
        self._source = source
        self._run = run
        self._sandbox = sandbox
        self._open: OpenAttempt | None = None

    def opened(self, key: AttemptKey, say: Say = _silent) -> OpenAttempt:
        """The attempt, with its end waited for and read; ``say`` tells the user why that takes long."""
        if self._open is None or self._open.key != key:
            self._open = self._read(key, say)
        return self._open

    def _read(self, key: AttemptKey, say: Say) -> OpenAttempt:
        task = self._collection.task(key.task)
        ended = self._fetched(key, say)
        outcome = ended.outcome
        if isinstance(outcome, Failed | NotRun):
            return OpenAttempt(key, task, None, outcome.failure)
        submission = read_submission(key, task, outcome, self._run, ended.turns)
        if submission.tree is None:
            keep_files(self._run, key, submission.files)
        attempt = OpenAttempt(key, task, submission, None)
        attempt.sandbox_choice = self._sandbox
        return attempt

    def _fetched(self, key: AttemptKey, say: Say) -> Ended:
        """Wait for the end of an attempt; jobs of any attempt that come up meanwhile are done."""
        while True:
            got = self._source.fetch(key)
            if isinstance(got, Ended):
                return got
            try:
                told = self._feedback(got, say)
            except (HarnessError, StoreError) as error:
                self._source.tell(got.key, None, str(error))
            else:
                self._source.tell(got.key, told)

    def _feedback(self, job: FeedbackJob, say: Say) -> str | None:
        """What the task says of a turn's reply; None too where there is nothing to look at."""
        task = self._collection.task(job.key.task)
        if not isinstance(job.outcome, Replied) or task.feedback is None:
            return None
        submission = read_submission(job.key.attempt, task, job.outcome, self._run, job.key.turn)
        return None if submission.no_code else feedback_on(submission, task, self._sandbox, say)

    # -- hooks -----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Wait for the reply outside every timer: pytest-timeout limits grading, not the model."""
        ref = item.stash.get(ITEM_REF, None)
        if ref is not None and not self._collection.unavailable(self._collection.task(ref.task)):
            try:
                attempt = self.opened(ref.key, lambda line: _say(item.config, line))
                if attempt.failure is None and not attempt.submission.no_code:
                    provisioning.prepare(attempt.task, self._sandbox, lambda line: _say(item.config, line))
            except SourceClosedError:
                pytest.exit("llmbench: the session is ending", returncode=2)
            except (HarnessError, StoreError) as error:
                _replace(item, error)
            else:
                if attempt.failure is not None:
                    _replace(item, ModelError(attempt.failure))
                elif attempt.submission.no_code:
                    _replace_by_miss(item, attempt.submission)
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Keep pytest from comparing large values in detail, in fixtures too."""
        with short_comparisons() if ITEM_REF in item.stash else nullcontext():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Know a subtest's report from the test's own; large values as above."""
        with in_body(item), short_comparisons() if ITEM_REF in item.stash else nullcontext():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn what pytest saw into the point's outcome; at teardown, send the record along with the report."""
        ref = item.stash.get(ITEM_REF, None)
        if ref is None:
            return (yield)
        with short_locals(item.config, call.excinfo.tb if call.excinfo is not None else None):
            report = yield
        task = self._collection.task(ref.task)
        point = next(p for p in task.rubric if p.id == ref.point)
        attempt = self._open if self._open is not None and self._open.key == ref.key else None
        workspace = attempt.workspace if attempt is not None else None
        expected = self._collection.expected_miss(ref)
        note_phase(item, report, call, point, workspace, folder=task.module.parent, expected=expected)
        if getattr(report, OUTCOME, "") == "missed" and attempt is not None and call.excinfo is not None:
            self._add_evidence(item, report, attempt)
        if report.when == "teardown":
            labels = attempt.submission.labels if attempt is not None and attempt.failure is None else ()
            attach_record(item, report, ref, point, labels)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Before anybody shows or sends a subtest's report: it got more text after it was made."""
        sanitize_subtest(report)

    def _add_evidence(self, item: pytest.Item, report: pytest.TestReport, attempt: OpenAttempt) -> None:
        submission = attempt.submission
        reply = (
            self._run.files_dir(attempt.key)
            if submission.tree is not None
            else self._run.path / f"{self._run.reply_stem(attempt.key.turn(submission.turns))}{REPLY}"
        )
        add_evidence(
            item,
            report,
            reply=_from_here(reply),
            notes=submission.notes,
            last=attempt.sandbox.last if attempt.sandbox is not None else None,
            again=self._again(item, attempt.key, local=not submission.asked),
        )

    def _again(self, item: pytest.Item, key: AttemptKey, *, local: bool) -> str:
        """The command that grades this point again from what was handed in."""
        llm = self._collection.settings.llm
        words = ["pytest", f"{_from_here(item.path)}::{item.nodeid.partition('::')[2]}"]
        suite = item.getparent(SuiteCollector)
        if suite is not None:
            words.append(f"--llm-suite={suite.loader}:{_from_here(suite.path)}")
        elif not item.path.is_relative_to(item.config.rootpath):
            words.append(f"--rootdir={_from_here(item.config.rootpath)}")  # or the run would be kept beside the module
        if self._collection.settings.selfcheck:
            return shlex.join([*words, "--llm-selfcheck", f"--llm-epochs={llm.epochs}"])
        spec = next(model for model in llm.models if model.label == key.model)
        name = spec.name if local else f"run:{_from_here(self._run.path)}"
        model = name if name == spec.label else f"{spec.label}={name}"
        words.append(f"--llm-model={model}")
        if llm.epochs > 1:
            words.append(f"--llm-epochs={llm.epochs}")
        return shlex.join(words)


def _say(config: pytest.Config, line: str) -> None:
    """Tell the user why nothing moves. A worker of xdist has a reporter that nobody reads, and shares our stderr."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(config, "workerinput"):
        reporter.ensure_newline()
        reporter.write_line(f"llmbench: {line}")
        reporter.flush()
    else:
        sys.stderr.write(f"llmbench: {line}\n")
        sys.stderr.flush()


def _from_here(path: Path) -> Path:
    """The path as short as a user in the current folder would type it."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _replace(item: pytest.Item, error: Exception) -> None:
    """Let the item end in ``error`` at setup, with none of its fixtures made."""

    def setup() -> None:
        raise error

    item.setup = setup  # type: ignore[method-assign]  # the item's own fixtures must not run


def _replace_by_miss(item: pytest.Item, submission: Submission) -> None:
    """Let the item fail as a miss, with none of its fixtures made: there is nothing they could work on."""
    notes = "; ".join(submission.notes) or "the reply holds no code block"

    def runtest() -> None:
        pytest.fail(f"no code: nothing of what the task asks for was handed in ({notes})", pytrace=False)

    item.setup = lambda: None  # type: ignore[method-assign]  # as above
    item.runtest = runtest  # type: ignore[method-assign]  # as above
