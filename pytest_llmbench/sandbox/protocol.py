"""The seam between graders and whatever runs untrusted code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pytest_llmbench.schema.execution import CallResult, ExecResult, Limits, RunnerName, TestRun


class Sandbox(Protocol):
    """Runs commands against one workspace, without network, secrets or sight of the grader."""

    name: str
    """``bubblewrap``, ``landlock``, ``podman``, ``docker``, ``none``, or one that a plugin registers."""
    workspace: Path
    """What each command gets a copy of. No program changes it; what ``keep`` names is carried back to it."""
    last: ExecResult | None
    """The newest run, for the report of a missed point."""

    def run(
        self,
        command: Sequence[str],
        limits: Limits | None = None,
        *,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        mounts: Sequence[Path] = (),
        loopback: bool = False,
        keep: Sequence[str] = (),
    ) -> ExecResult:
        """Run one command in a fresh copy of the workspace and wait for its end; the copy is then removed.

        ``command[0]`` may be ``python``, ``node``, ``go`` or another toolchain's name: it is replaced by
        the toolchain found on this machine. ``mounts`` are files visible read-only at their own paths.
        ``loopback``: the program may talk to itself over ``127.0.0.1``, as a server under test must; never to others.
        ``keep``: files and folders that are carried back into ``workspace``, for later commands and for the caller:
        names relative to it, in which a component may have ``*``, ``?`` and ``[...]``. Regular files and folders only,
        over what is there; nothing when a limit was hit, of which ``disk_mb`` and ``inodes`` hold for them too. What is
        missing is left out.
        Raises ``SandboxError`` when the sandbox itself fails, ``TaskError`` for a name that cannot be kept; a program
        that fails or hits a limit is a result.
        """
        ...

    def call(
        self, file: str | Path, function: str, *args: Any, limits: Limits | None = None, loopback: bool = False
    ) -> CallResult:
        """Call one function of a Python or JavaScript file in a fresh process.

        Arguments and values keep their types (``sandbox/calls``). Raises ``TaskError`` for arguments that cannot be
        passed.
        """
        ...

    def calls(
        self,
        file: str | Path,
        function: str,
        args: Sequence[Sequence[Any]],
        limits: Limits | None = None,
        *,
        loopback: bool = False,
    ) -> list[CallResult]:
        """Make many calls in one process; ``limits`` hold for all of them together.

        ``file`` is a name inside the workspace, or the absolute path of a trusted probe outside it: a probe
        is shown to the sandbox alone, without its folder, and loads the model's files by path (``sandbox/calls``).
        Each process gets a fresh copy of the workspace; nothing is kept.
        Expected values stay with the caller. When the process dies in one call, the rest goes on in a new one
        (a few times at most).
        """
        ...

    def run_tests(
        self,
        runner: RunnerName,
        arguments: Sequence[str] = (),
        *,
        expected: Sequence[str],
        files: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        loopback: bool = False,
    ) -> TestRun:
        """Run a given test suite in one process with the model's code, and see whether it named all expected tests.

        The weaker way to grade: the code under test can answer in the runner's place. Prefer ``calls``.
        ``expected``: every test that must pass, as the runner names it: ``FILE::TEST`` of pytest, ``FILE::TITLE`` of
        ``node --test`` (titles of suites around it before it, with `` > `` in between), ``PACKAGE::TEST`` of Go,
        ``TEST`` of cargo. These files or packages are run. ``arguments``: more for the runner.
        ``files``: the suite (name in the workspace: text), written over whatever the reply put there, for this one run.
        Raises ``TaskError`` for names or files that cannot be used, ``SandboxError`` when the sandbox itself fails.
        """
        ...
