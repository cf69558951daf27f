"""What every backend shares: finding the program, its environment, and the record of what it did."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_llmbench.errors import LLMBenchError, SandboxError
from pytest_llmbench.sandbox.calls.client import make_calls
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.files import bed as beds
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.sandbox.files.keeping import carry_back, check_names
from pytest_llmbench.sandbox.kernel.rlimits import limit_behind
from pytest_llmbench.sandbox.supervise.process import ProcessExit
from pytest_llmbench.sandbox.test_runners.run import run_suite, runner_toolchain
from pytest_llmbench.schema.execution import CallResult, ExecResult, Limits, RunnerName, Seed, TestRun, Toolchain
from pytest_llmbench.toolchains import names as toolchain_names

SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
_KILLED = -9


class Backend(ABC):
    """A ``Sandbox`` but for the isolation itself."""

    name: str
    """As in ``--llm-sandbox``."""
    guarantees: tuple[str, ...] = ()
    """What it gives, in a few plain words each; none: no isolation."""
    gaps: tuple[str, ...] = ()
    """What it does not stop, in a few plain words each."""
    remedy = ""
    """What to do where it does not work: whole sentences without the last full stop."""

    def __init__(self, workspace: Path, toolchains: Sequence[Toolchain] = ()) -> None:
        """``workspace``: an existing folder, which no program is given; each command gets a copy (``bed.py``).

        ``toolchains``: those that commands may be named after.
        """
        self.workspace = workspace.resolve()
        self.last: ExecResult | None = None
        self.toolchains = {toolchain.name: toolchain for toolchain in toolchains}

    @classmethod
    @abstractmethod
    def describe(cls) -> str:
        """Name and version, as in ``bubblewrap 0.8.0``. Raises ``SandboxError`` when it is not there."""

    @abstractmethod
    def home(self, bed: Bed) -> str:
        """The path of a command's workspace as programs see it."""

    @abstractmethod
    def seen_at(self, file: Path, inside: str) -> str:
        """The path at which programs see ``file`` when it is mounted at ``inside``."""

    @abstractmethod
    def execute(self, launch: Launch, bed: Bed) -> ProcessExit:
        """Run a resolved command to its end or to a limit; ``bed`` is its alone.

        Raises ``SandboxError``; whatever else it raises becomes one.
        """

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
        """Run one command in a copy of the workspace and wait for its end (see ``Sandbox.run``).

        A program ended by signal N reads the same as one that exits with 128 + N by itself: both give -N.
        Raises ``SandboxError`` when the sandbox itself fails or the command's toolchain was not asked for.
        """
        check_names(keep)
        paths = [mount.absolute() for mount in mounts]
        limits = limits or Limits()
        launch = Launch(
            tuple(command),
            limits,
            stdin=stdin.encode("utf-8", "surrogatepass"),
            env=env or {},
            mounts={path: str(path) for path in paths},
            loopback=loopback,
        )
        with self.bed(launch.command[0]) as bed:
            result = self.run_in(bed, launch)
            if keep and result.limit_hit is None and (hit := carry_back(bed.workspace, self.workspace, keep, limits)):
                self.last = result = replace(result, exit_code=_KILLED, limit_hit=hit)
        return result

    def call(
        self, file: str | Path, function: str, *args: Any, limits: Limits | None = None, loopback: bool = False
    ) -> CallResult:
        """Call one function of a Python or JavaScript file (see ``Sandbox.call``)."""
        return self.calls(file, function, [args], limits, loopback=loopback)[0]

    def calls(
        self,
        file: str | Path,
        function: str,
        args: Sequence[Sequence[Any]],
        limits: Limits | None = None,
        *,
        loopback: bool = False,
    ) -> list[CallResult]:
        """Make many calls, in one process as long as it lives (see ``Sandbox.calls`` and ``sandbox/calls``)."""
        return make_calls(self, Path(file), function, args, limits or Limits(), loopback=loopback)

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
        """Run a given test suite (see ``Sandbox.run_tests`` and ``sandbox/test_runners/run.py``)."""
        self._program(runner_toolchain(runner))
        return run_suite(
            self,
            runner,
            arguments,
            expected=expected,
            files=files or {},
            limits=limits or Limits(),
            loopback=loopback,
        )

    def __repr__(self) -> str:
        """Short and the same on every run: it appears in assertion texts, which are records."""
        return f"<{self.name} sandbox>"

    @contextlib.contextmanager
    def bed(self, name: str) -> Iterator[Bed]:
        """Make the bed of one command of that name, and remove it in the end. Raises ``SandboxError``."""
        with beds.made(self.workspace, self._seeds(name)) as bed:
            yield bed

    def run_in(self, bed: Bed, launch: Launch) -> ExecResult:
        """Run a command, named as the caller named it, in its bed."""
        name, *arguments = launch.command
        program = self._program(name)
        try:
            environment = {**self._environment(bed), **launch.env}
            ended = self.execute(replace(launch, command=(program, *arguments), env=environment), bed)
        except LLMBenchError:
            raise
        except Exception as error:
            msg = f"the sandbox {self.name} broke: {type(error).__name__}: {error}"
            raise SandboxError(msg) from error
        stdout, stderr = (part.decode("utf-8", "backslashreplace") for part in (ended.stdout, ended.stderr))
        hit = ended.limit_hit or limit_behind(ended.status, stderr, ended.cpu_s, launch.limits)
        self.last = ExecResult(
            command=launch.command,
            exit_code=_KILLED if ended.limit_hit else ended.status,
            stdout=stdout,
            stderr=stderr,
            wall_s=ended.wall_s,
            cpu_s=ended.cpu_s,
            limit_hit=hit,
            waited_s=ended.waited_s,
        )
        return self.last

    def _program(self, name: str) -> str:
        if toolchain := self.toolchains.get(name):
            return str(toolchain.executable)
        if name in toolchain_names():
            msg = f"the command {name!r} needs the toolchain {name!r}: name it in the task's llm_task(toolchains=[...])"
            raise SandboxError(msg)
        return name

    def _seeds(self, name: str) -> list[Seed]:
        """The caches for a command: none for a program in the workspace, all for a shell and other programs."""
        if toolchain := self.toolchains.get(name):
            return list(toolchain.seeds)
        own = "/" in name and not name.startswith("/")
        return [] if own else [seed for toolchain in self.toolchains.values() for seed in toolchain.seeds]

    def _environment(self, bed: Bed) -> dict[str, str]:
        """The whole environment of a program, but for the home folder: nothing is taken from ours."""
        folders = [str(toolchain.executable.parent) for toolchain in self.toolchains.values()]
        environment = {
            "PATH": ":".join(dict.fromkeys([*folders, *SYSTEM_PATH])),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "WORKSPACE": self.home(bed),
        }
        for toolchain in self.toolchains.values():
            environment.update(toolchain.env)
        return environment | {variable: str(folder) for variable, folder in bed.caches.items()}
