"""Isolation by Linux namespaces, through bubblewrap.

A program sees ``/usr`` and its toolchains read-only, its workspace at ``/w``, and an empty ``/tmp``. It has no
network, no other processes, no home folder and none of our environment.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.sandbox.files.unprivileged_user import Identity, identity
from pytest_llmbench.sandbox.kernel import cgroup
from pytest_llmbench.sandbox.kernel.rlimits import prlimit_arguments
from pytest_llmbench.sandbox.kernel.seccomp import AF_UNIX, LOOPBACK_FAMILIES, filter_program
from pytest_llmbench.sandbox.supervise.disk_usage import Disk
from pytest_llmbench.sandbox.supervise.pipes import pipe
from pytest_llmbench.sandbox.supervise.process import ProcessExit, execute, from_shell, kill_group, kill_one
from pytest_llmbench.sandbox.supervise.procfs import children
from pytest_llmbench.schema.execution import Limits, Toolchain

_NOT_INSTALLED = "bubblewrap is not installed (no bwrap on the PATH)"
_HERE = Path(__file__).parent
_SHM_BYTES = 32 << 20
_NAMESPACES = (
    *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "box"),
)
_AS_USER = ("--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534")
"""Namespaces are an ordinary user's to make only within a user namespace."""
_AS_ROOT = tuple(
    part for name in ("SETUID", "SETGID", "SETPCAP", "DAC_READ_SEARCH") for part in ("--cap-add", f"CAP_{name}")
)
"""What root needs to enter the workspace and to become somebody else, who has nothing of it. In a user namespace the
program would be root to the kernel, which then holds it to no limit on processes."""
_INIT = ("/bin/sh", "-c", 'exec 3>&2 2>/dev/null; (exec "$@" 2>&3 3>&-); exit $?', "init")
"""Process 1 of the sandbox: waits for the program and for orphans. bubblewrap's own would not be waited for in turn,
and the tree's CPU time would be lost with it. What a shell says of a killed program is not the program's output."""
_HOME = "/w"
_MADE = ("/", "/usr", "/etc", "/dev", "/dev/shm", "/tmp", _HOME)  # noqa: S108
"""Folders inside that are there anyway."""
_LAUNCHERS = 2
"""bubblewrap and process 1."""
_NOBODY = 65534


class Bubblewrap(Backend):
    """Runs each command in namespaces of its own."""

    name = "bubblewrap"
    guarantees = (
        "no network",
        "no files of this machine but programs, read-only",
        "no other processes",
        "no environment of yours",
        "a user of its own without rights",
        "dangerous system calls denied",
        "limits on time, memory, processes, files and output",
        "nothing left running",
    )
    gaps = (
        "holes in the kernel, which is shared",
        "memory and disk are measured many times a second and can be exceeded in between",
        "the machine can be recognised: processors, memory, kernel, installed programs",
        "honest programs miss: news of changed files",
    )
    remedy = (
        "Install it with: apt-get install bubblewrap (Debian, Ubuntu), dnf install bubblewrap (Fedora), "
        "pacman -S bubblewrap (Arch) or apk add bubblewrap (Alpine). Where it is installed and still fails, the "
        "system forbids user namespaces, as many containers do: allow them there"
    )

    @classmethod
    def describe(cls) -> str:
        """``bubblewrap 0.8.0``, as the installed one says. Raises ``SandboxError`` when there is none."""
        program = shutil.which("bwrap")
        if program is None:
            raise SandboxError(_NOT_INSTALLED)
        try:
            ended = execute([program, "--version"], env={}, limits=Limits(), kill=kill_group)
        except OSError as error:
            msg = f"{program} cannot be started: {error}"
            raise SandboxError(msg) from error
        return ended.stdout.decode(errors="replace").strip() or "bubblewrap"

    def __init__(self, workspace: Path, toolchains: Sequence[Toolchain] = ()) -> None:
        """Raises ``SandboxError`` when ``bwrap`` is not on the PATH."""
        super().__init__(workspace, toolchains)
        program = shutil.which("bwrap")
        if program is None:
            raise SandboxError(_NOT_INSTALLED)
        self._bwrap = program

    def home(self, bed: Bed) -> str:  # noqa: ARG002 - part of the seam
        """``/w``."""
        return _HOME

    def seen_at(self, file: Path, inside: str) -> str:  # noqa: ARG002 - part of the seam
        """``inside``."""
        return inside

    def execute(self, launch: Launch, bed: Bed) -> ProcessExit:
        """In namespaces of its own, by ``bwrap``."""
        limits = launch.limits
        who = identity()
        writable = [bed.workspace, *bed.caches.values()]
        with contextlib.ExitStack() as stack:
            if who is not None:
                try:
                    who.own(bed.top)
                except OSError as error:
                    msg = f"bubblewrap failed: the workspace cannot be handed over: {error}"
                    raise SandboxError(msg) from error
            try:
                group = stack.enter_context(cgroup.group(limits))
            except OSError as error:
                msg = f"bubblewrap failed: no control group can be made for the command: {error}"
                raise SandboxError(msg) from error
            status, status_end = pipe(stack)
            families = LOOPBACK_FAMILIES if launch.loopback else frozenset({AF_UNIX})
            given = [_readable(stack, filter_program(families=families)), _readable(stack, _passwd(who))]
            try:
                ended = execute(
                    [
                        *group.joining(),
                        *(self._bwrap, "--json-status-fd", str(status_end.fileno()), "--seccomp", str(given[0])),
                        *_NAMESPACES,
                        *(_AS_ROOT if who else _AS_USER),
                        *_system_mounts(),
                        *("--perms", "0644", "--ro-bind-data", str(given[1]), "/etc/passwd"),
                        *self._mounts(launch, bed),
                        *("--remount-ro", "/", "--as-pid-1", "--"),
                        # Process 1 stays root: who changes its user loses the signal of its parent's death.
                        *_INIT,
                        *(who.arguments() if who else ()),
                        *("/usr/bin/prlimit", *prlimit_arguments(limits, processes=True), "--"),
                        *launch.command,
                    ],
                    # Also the launcher's own: /proc/1/environ shows it inside.
                    env={"HOME": "/tmp", "TMPDIR": "/tmp", **launch.env},  # noqa: S108 - the sandbox's own /tmp
                    limits=limits,
                    kill=_kill_namespace,
                    stdin=launch.stdin,
                    launchers=_LAUNCHERS,
                    pass_fds=(status_end.fileno(), *given),
                    disk=Disk(writable, home=_HOME, volatile=("/tmp", "/dev/shm")),  # noqa: S108
                    owner=who.uid if who else None,
                    group=group,
                )
            except OSError as error:
                msg = f"bubblewrap could not be started: {error}"
                raise SandboxError(msg) from error
            status_end.close()
            said = status.readall()
        if ended.limit_hit is None and b'"exit-code"' not in said:
            msg = f"bubblewrap failed (status {ended.status}): {ended.stderr.decode(errors='replace').strip()[-500:]}"
            raise SandboxError(msg)
        return replace(ended, status=from_shell(ended.status))

    def _mounts(self, launch: Launch, bed: Bed) -> list[str]:
        """What a program sees beside the system: its own empty folders, toolchains, and the workspace."""
        size = str(launch.limits.disk_mb << 20)
        shown = {path: str(path) for toolchain in self.toolchains.values() for path in toolchain.mounts}
        shown |= dict(launch.mounts)
        written = {path: str(path) for path in bed.caches.values()} | {bed.workspace: _HOME}
        arguments = [
            # Read-only: what root started could else set the machine's own kernel parameters in /proc/sys.
            *("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"),
            *("--perms", "1777", "--size", str(_SHM_BYTES), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"),  # noqa: S108
            *("--perms", "1777", "--size", size, "--tmpfs", "/tmp"),  # noqa: S108
        ]
        for folder in _folders_above([*shown.values(), *written.values()]):
            arguments += ["--perms", "0755", "--dir", folder]
        for source, inside in shown.items():
            arguments += ["--ro-bind", str(source), inside]
        for source, inside in written.items():
            arguments += ["--bind", str(source), inside]
        return [*arguments, "--chdir", _HOME]


@cache
def _system_mounts() -> tuple[str, ...]:
    """``/usr``, what belongs to it, and the few files of ``/etc`` that programs cannot do without."""
    arguments = ["--ro-bind", "/usr", "/usr", "--perms", "0755", "--dir", "/etc"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        folder = Path("/", name)
        if folder.is_symlink():
            arguments += ["--symlink", str(folder.readlink()), str(folder)]
        elif folder.is_dir():
            arguments += ["--ro-bind", str(folder), str(folder)]
    for name in ("/etc/alternatives", "/etc/ld.so.cache"):
        arguments += ["--ro-bind-try", name, name]
    return (*arguments, "--ro-bind", str(_HERE / "etc" / "hosts"), "/etc/hosts")


def _folders_above(paths: Sequence[str]) -> list[str]:
    """Folders to make for mounts; bubblewrap's own would be closed to whoever root becomes."""
    above = {str(folder): None for path in paths for folder in reversed(Path(path).parents)}
    return [folder for folder in above if folder not in _MADE and not folder.startswith(("/usr/", "/etc/", "/dev/"))]


def _passwd(who: Identity | None) -> bytes:
    """The account that the program runs under, by which some runtimes look up their user."""
    number = who.uid if who else _NOBODY
    return f"nobody:x:{number}:{number}:nobody:/tmp:/usr/sbin/nologin\n".encode()


def _readable(stack: contextlib.ExitStack, data: bytes) -> int:
    """A descriptor from which a few kilobytes can be read once."""
    reader, writer = pipe(stack)
    writer.write(data)
    writer.close()
    return reader.fileno()


def _kill_namespace(launcher: int) -> None:
    """End the sandbox by its process 1, with which the kernel ends all others; the launcher then ends by itself."""
    inside = children(launcher)
    for pid in inside:
        # A fork bomb leaves process 1 hardly any CPU time to die in, and it forks on until that is done.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, -20)
        kill_group(pid)
    for pid in inside or [launcher]:
        kill_one(pid)
