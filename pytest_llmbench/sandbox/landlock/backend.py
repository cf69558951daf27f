"""Isolation by Landlock and a filter of system calls, for Linux machines where user namespaces are not allowed.

No program of the system is needed for it, and no right. Namespaces put nothing between a program and the machine here:
it sees everything at its own path, but may open only what it is given (``/usr``, its toolchains, its workspace, a home
folder of its own), make no socket, and signal nobody else. ``drivers/confine.py`` is what starts it.
"""

from __future__ import annotations

import contextlib
import errno
import marshal
import os
import select
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.sandbox.files.unprivileged_user import Identity, identity
from pytest_llmbench.sandbox.kernel import cgroup
from pytest_llmbench.sandbox.kernel.cgroup import Group
from pytest_llmbench.sandbox.kernel.rlimits import prlimit_arguments
from pytest_llmbench.sandbox.kernel.seccomp import filter_program
from pytest_llmbench.sandbox.landlock import abi as landlock_abi
from pytest_llmbench.sandbox.landlock.abi import EXECUTE, READ, READ_FILE, RIGHTS_OF_FILES, WRITE, WRITE_FILE
from pytest_llmbench.sandbox.supervise.disk_usage import Disk
from pytest_llmbench.sandbox.supervise.pipes import pipe
from pytest_llmbench.sandbox.supervise.process import ProcessExit, execute
from pytest_llmbench.sandbox.supervise.procfs import tasks_of
from pytest_llmbench.schema.execution import Limits, Toolchain

if TYPE_CHECKING:
    from pytest_llmbench.sandbox.drivers.confine import Config

_LAUNCHER = Path(__file__).parents[1] / "drivers" / "confine.py"
_START = "import sys; sys.path.append(sys.argv.pop(1)); import confine; confine.main()"
"""Imported, it is compiled once; run as a script it would be compiled each time."""
_LAUNCHERS = 1
_KILL_MS = 30_000
"""How long the launcher may take to end a tree of processes on a busy machine."""
_REPORT_BYTES = 4096
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives", "/etc/ld.so.cache")
_ALSO_READ = (
    # Node takes a file that is there and cannot be read for an error.
    *("/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/etc/crypto-policies"),
    # How many processors there are, and how much memory.
    *("/proc/cpuinfo", "/proc/stat", "/proc/meminfo"),
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_NO_LOOPBACK = (
    "the landlock sandbox has no network to give, not even one within the program: grade tasks with servers with "
    "--llm-sandbox=bubblewrap, podman:IMAGE or docker:IMAGE"
)
_CLOSED = (
    "Programs must be able to read that, and what root grades runs as a user without rights: move it to a place that "
    "everyone may enter, or run pytest as an ordinary user who may read it"
)


class Landlock(Backend):
    """Runs each command in a Landlock domain of its own."""

    name = "landlock"
    guarantees = (
        "no network",
        "no files of this machine read but programs, none written",
        "no signals to other processes and no look into them",
        "no environment of yours",
        "for root: a user of its own",
        "dangerous system calls denied",
        "limits on time, memory, processes, files and output",
        "nothing left running",
    )
    gaps = (
        "holes in the kernel, which is shared",
        "names, sizes and times of files, and the ids of processes, can be found out",
        "memory and disk are measured many times a second and can be exceeded in between, without root also the "
        "number of processes, by as many again and a little more",
        "the machine can be recognised: processors, memory, kernel, installed programs, your folders' names",
        "honest programs miss: servers (loopback=True is refused), a /tmp other than TMPDIR, the locks of Python's "
        "multiprocessing, news of changed files",
        "no program changes times of files, nor without root their modes, not even its own; it is told that it did",
    )
    remedy = (
        "It needs Linux 6.12 or newer with Landlock in the boot parameter lsm=. In a container the profile of system "
        "calls must let it through, as Docker's own does"
    )

    @classmethod
    def describe(cls) -> str:
        """``Landlock ABI 7 + seccomp``. Raises ``SandboxError``, which says why, where the kernel has none."""
        filter_program(shared=True)
        return f"Landlock ABI {landlock_abi.abi()} + seccomp"

    def __init__(self, workspace: Path, toolchains: Sequence[Toolchain] = ()) -> None:
        """Raises ``SandboxError`` where the kernel has no Landlock, or an old one."""
        super().__init__(workspace, toolchains)
        landlock_abi.abi()

    def home(self, bed: Bed) -> str:
        """The copy's own path."""
        return str(bed.workspace)

    def seen_at(self, file: Path, inside: str) -> str:  # noqa: ARG002 - part of the seam
        """The file's own path."""
        return str(file)

    def execute(self, launch: Launch, bed: Bed) -> ProcessExit:
        """Under ``confine.py``."""
        if launch.loopback:
            raise SandboxError(_NO_LOOPBACK)
        who = identity()
        try:
            with contextlib.ExitStack() as stack:
                if who is not None:
                    who.own(bed.top)
                config = stack.enter_context(tempfile.TemporaryFile(buffering=0))
                group = stack.enter_context(cgroup.group(launch.limits))
                content: Any = self._config(launch, who, bed, group)
                config.write(marshal.dumps(content))
                config.seek(0)
                control, control_end = pipe(stack)
                report, report_end = pipe(stack)
                given = (config.fileno(), control.fileno(), report_end.fileno())
                ended = execute(
                    [sys.executable, "-I", "-S", "-c", _START, str(_LAUNCHER.parent), *map(str, given)],
                    env={},
                    limits=launch.limits,
                    kill=lambda launcher: _end(launcher, control_end),
                    stdin=launch.stdin,
                    cwd=Path("/"),
                    launchers=_LAUNCHERS,
                    pass_fds=given,
                    disk=Disk(_written(bed)),
                    owner=who.uid if who else None,
                    group=group,
                )
                os.set_blocking(report.fileno(), False)
                return _judged(ended, report.read(_REPORT_BYTES) or b"", group)
        except OSError as error:
            raise _not_started(str(error), closed=error.errno == errno.EACCES) from error

    def _config(self, launch: Launch, who: Identity | None, bed: Bed, group: Group) -> Config:
        written = _written(bed)
        shown = [path for toolchain in self.toolchains.values() for path in toolchain.mounts]
        shown += launch.mounts
        rules = [*_system_rules(), *(_rule(path, READ) for path in shown), *(_rule(path, WRITE) for path in written)]
        environment = {"HOME": str(bed.home), "TMPDIR": str(bed.home), **launch.env}
        return {
            "grader": os.getpid(),
            "command": [os.fsencode(part) for part in launch.command],
            "environment": {os.fsencode(name): os.fsencode(value) for name, value in environment.items()},
            "folder": os.fsencode(bed.workspace),
            "groups": [os.fsencode(door) for door in group.doors],
            "temporary": os.fsencode(bed.top),
            "user": who.uid if who else None,
            "denied": (
                landlock_abi.ALL_FILE_RIGHTS,
                landlock_abi.ALL_TCP_RIGHTS,
                landlock_abi.SCOPE_ABSTRACT_SOCKETS | landlock_abi.SCOPE_SIGNALS,
            ),
            "rules": rules,
            "needed": [os.fsencode(path) for path in (*shown, *written)],
            "limits": _resource_limits(launch.limits, own_user=who is not None),
            # The times of a file may be changed by whoever may write to it, wherever it is.
            "filter": filter_program(metadata=who is not None, times=False, shared=True),
        }


@cache
def _system_rules() -> tuple[tuple[bytes, int], ...]:
    """What every program may read and run."""
    rules = [_rule(Path(name), READ) for name in _SYSTEM]
    rules += [_rule(Path(name), READ & ~EXECUTE) for name in _ALSO_READ]
    rules += [_rule(Path(name), READ_FILE | WRITE_FILE) for name in _DEVICES]
    return tuple(rule for rule in rules if Path(os.fsdecode(rule[0])).exists())


def _rule(path: Path, rights: int) -> tuple[bytes, int]:
    return os.fsencode(path), rights if path.is_dir() else rights & RIGHTS_OF_FILES


def _written(bed: Bed) -> list[Path]:
    """Where a command may write."""
    return [bed.workspace, bed.home, *bed.caches.values()]


def _resource_limits(limits: Limits, *, own_user: bool) -> list[tuple[str, int, int]]:
    """The arguments of ``prlimit`` as names of the module ``resource`` and numbers.

    Without a user of its own the kernel counts all that ours has. What there is now comes on top then, and as much
    again as the command may have, for others may start something too: a bound to what gets by between two looks.
    """
    found = []
    counted = limits if own_user else replace(limits, processes=tasks_of(os.getuid()) + 2 * limits.processes)
    for argument in prlimit_arguments(counted, processes=True):
        name, _, values = argument.removeprefix("--").partition("=")
        soft, _, hard = values.partition(":")
        found.append((f"RLIMIT_{name.upper()}", int(soft), int(hard)))
    return found


def _end(launcher: int, control: FileIO) -> None:
    """Make the launcher end the program and all that came of it, and wait until it has ended itself."""
    with contextlib.suppress(BrokenPipeError):
        control.write(b"end")
    news = os.pidfd_open(launcher)
    try:
        poll = select.poll()
        poll.register(news, select.POLLIN)
        poll.poll(_KILL_MS)
    finally:
        os.close(news)


def _judged(ended: ProcessExit, report: bytes, group: Group) -> ProcessExit:
    """What became of the program, by the launcher's word; raises ``SandboxError`` when the launcher failed."""
    kind, _, rest = os.fsdecode(report).partition(" ")
    if kind == "ended":
        status, _, cpu_s = rest.partition(" ")
        return replace(ended, status=int(status), cpu_s=max(float(cpu_s), group.cpu_s))
    if kind == "failed":
        raise _not_started(rest, closed=rest.endswith(os.strerror(errno.EACCES)))
    said = ended.stderr.decode(errors="replace").strip()[-500:]
    msg = f"landlock failed (status {ended.status} of its launcher): {said}"
    raise SandboxError(msg)


def _not_started(why: str, *, closed: bool) -> SandboxError:
    return SandboxError(f"landlock could not start the program: {why}{f'. {_CLOSED}' if closed else ''}")
