"""No isolation at all, for machines without a sandbox and for code that is trusted: ``--llm-sandbox=none``.

A program sees the whole machine, network included. It gets a clean environment, a home folder of its own, the same
limits as far as they go without namespaces, and is ended with its descendants.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.sandbox.kernel.cgroup import UNSEEN_CPU
from pytest_llmbench.sandbox.kernel.rlimits import prlimit_arguments
from pytest_llmbench.sandbox.supervise.process import ProcessExit, execute, kill_group, kill_one
from pytest_llmbench.sandbox.supervise.procfs import with_environment
from pytest_llmbench.schema.execution import Limits

_ROUNDS = 20
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126


class Local(Backend):
    """Runs each command as a plain process of this user."""

    name = "none"
    gaps = (
        "everything that your user may do: files, network, other processes",
        UNSEEN_CPU,
        "memory that the kernel holds for a program is not counted",
    )

    @classmethod
    def describe(cls) -> str:
        """``none (no isolation)``."""
        return "none (no isolation)"

    def home(self, bed: Bed) -> str:
        """The copy's own path."""
        return str(bed.workspace)

    def seen_at(self, file: Path, inside: str) -> str:  # noqa: ARG002 - part of the seam
        """The file's own path."""
        return str(file)

    def execute(self, launch: Launch, bed: Bed) -> ProcessExit:
        """As a plain process."""
        mark = f"LLMBENCH_COMMAND={secrets.token_hex(8)}"
        name, _, value = mark.partition("=")
        try:
            return execute(
                [*_limited(launch.limits), *launch.command],
                env={"HOME": str(bed.home), "TMPDIR": str(bed.home), **launch.env, name: value},
                limits=launch.limits,
                kill=lambda leader: _kill_marked(mark.encode(), leader),
                stdin=launch.stdin,
                cwd=bed.workspace,
            )
        except (FileNotFoundError, PermissionError) as error:
            status = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
            return ProcessExit(status, b"", f"{launch.command[0]}: {error.strerror}".encode(), 0.0, 0.0, None)
        except OSError as error:
            msg = f"{launch.command[0]} could not be started: {error}"
            raise SandboxError(msg) from error
        except BaseException:
            # Ctrl-C while it was being started: it may run by now, and nobody knows its process id.
            _kill_marked(mark.encode())
            raise


def _limited(limits: Limits) -> list[str]:
    """The command that sets the kernel's limits; none where the system has no such command.

    The number of processes is left to the watchdog: outside a namespace the kernel counts all of the user's.
    """
    prlimit = shutil.which("prlimit")
    return [prlimit, *prlimit_arguments(limits, processes=False), "--"] if prlimit else []


def _kill_marked(mark: bytes, leader: int | None = None) -> None:
    """Kill the command's process group, if its leader is known, and whoever else has its environment."""
    for _ in range(_ROUNDS):
        if leader is not None:
            kill_group(leader)
        rest = with_environment(mark)
        if not rest:
            return
        for pid in rest:
            kill_one(pid)
