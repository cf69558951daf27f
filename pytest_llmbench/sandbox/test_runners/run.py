"""Running a given test suite in one process with the code that it tests: the weaker way to grade.

What the suite expects lies within reach of the code under test, which shares a process with it (Node: a parent) and
can answer in its place. So a report proves little against code that was written to forge it. What it does show is
that no test was left out, by the code or by what was planted beside it: every expected test must be named by the
runner, once and as passed, no other test may be, and the runner must come to its end. Its exit status and its closing
line alone count for nothing.

The runner is started away from settings in the workspace (``base.py``), and the task's own files are written
into its copy right before, over whatever lies in their place.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_llmbench.errors import SandboxError, TaskError
from pytest_llmbench.sandbox.calls.client import DriverHost
from pytest_llmbench.sandbox.calls.framing import new_nonce
from pytest_llmbench.sandbox.files.rmtree import remove_tree
from pytest_llmbench.sandbox.files.workspace import Refused, write_files
from pytest_llmbench.sandbox.test_runners.base import Runner, Suite
from pytest_llmbench.sandbox.test_runners.runners import RUNNERS
from pytest_llmbench.schema.execution import Limits, RunnerName, TestRun


def run_suite(
    host: DriverHost,
    runner_name: RunnerName,
    arguments: Sequence[str],
    *,
    expected: Sequence[str],
    files: Mapping[str, str],
    limits: Limits,
    loopback: bool,
) -> TestRun:
    """Write ``files`` into a copy of the workspace, run the suite, and compare what it names with ``expected``.

    Raises ``TaskError`` for what a task cannot ask so, ``SandboxError`` when the sandbox itself fails.
    """
    runner = RUNNERS[runner_name]
    suite = Suite(tuple(expected), tuple(arguments), new_nonce())
    _check(runner_name, runner, suite)
    with host.bed(runner.toolchain) as bed:
        _place(bed.workspace, files)
        execution = host.run_in(bed, replace(runner.launch(host, bed, suite, limits), loopback=loopback))
    report = runner.read(suite, execution.stdout)
    if not report.ready and execution.limit_hit is None:
        said = execution.stderr.strip()[-300:]
        raise SandboxError(f"run_tests({runner_name!r}): the runner did not come up, it {execution.ending}: {said}")
    wanted = frozenset(expected)
    host.last = execution = replace(execution, stdout=report.text)
    return TestRun(
        passed=tuple(name for name in expected if report.tests.get(name) == [True]),
        failed=tuple(name for name in expected if report.tests.get(name, [True]) != [True]),
        missing=tuple(name for name in expected if name not in report.tests),
        unexpected=tuple(name for name in report.tests if name not in wanted),
        finished=report.finished,
        execution=execution,
    )


def runner_toolchain(name: str) -> str:
    """The toolchain that a runner needs; raises ``TaskError`` when there is no such runner."""
    if name not in RUNNERS:
        raise TaskError(f"run_tests({name!r}): there is no such runner, only {', '.join(RUNNERS)}")
    return RUNNERS[name].toolchain


def _check(name: str, runner: Runner, suite: Suite) -> None:
    where = f"run_tests({name!r})"
    if not suite.expected:
        raise TaskError(f"{where}: name the tests that must pass in expected=[...]; what ran nothing failed nothing")
    for test in suite.expected:
        if suite.expected.count(test) > 1:
            raise TaskError(f"{where}: the test {test!r} is expected twice")
        if "::" in runner.names and not all(test.partition("::")[::2]):
            raise TaskError(f"{where}: the test {test!r} must be named as {runner.names}")


def _place(workspace: Path, files: Mapping[str, str]) -> None:
    """Write the task's files; what a reply put in the way of one is removed."""
    refused = write_files(workspace, files)
    if not refused:
        return
    with tempfile.TemporaryDirectory(prefix="llmbench-files-") as elsewhere:
        _refuse(write_files(Path(elsewhere), files), TaskError)
    for name, _ in refused:
        obstacle = workspace / name.partition("/")[0]
        if obstacle.is_dir() and not obstacle.is_symlink():
            remove_tree(obstacle)
        else:
            obstacle.unlink(missing_ok=True)
    _refuse(write_files(workspace, files), SandboxError)


def _refuse(refused: Sequence[Refused], error: type[TaskError | SandboxError]) -> None:
    for name, reason in refused:
        raise error(f"run_tests(): the file {name!r} cannot be written into the workspace: {reason}")
