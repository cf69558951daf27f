"""Isolation by Linux namespaces, through bubblewrap.

A program sees ``/usr`` and its toolchains read-only, its workspace at ``/w``, and an empty ``/tmp``. It has no
network, no other processes, no home folder and none of our environment.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.launch import Launch
from pytest_llmbench.sandbox.process import Ended, execute, kill_group, kill_one
from pytest_llmbench.sandbox.procfs import children
from pytest_llmbench.sandbox.rlimits import prlimit_arguments
from pytest_llmbench.schema.execution import Limits, Toolchain

_NOT_INSTALLED = "bubblewrap is not installed (no bwrap on the PATH)"
_HERE = Path(__file__).parent
_TMP_BYTES = 256 << 20
_SHM_BYTES = 32 << 20
_NAMESPACES = (
    *("--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
    *("--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
    *("--uid", "65534", "--gid", "65534", "--hostname", "box"),
)
_INIT = ("/bin/sh", "-c", 'exec 3>&2 2>/dev/null; (exec "$@" 2>&3 3>&-); exit $?', "init")
"""Process 1 of the sandbox: waits for the program and for orphans. bubblewrap's own would not be waited for in turn,
and the tree's CPU time would be lost with it. What a shell says of a killed program is not the program's output."""
_LAUNCHERS = 2
"""bubblewrap and process 1."""
_SIGNALLED = range(129, 160)


class Bubblewrap(Backend):
    """Runs each command in namespaces of its own."""

    name = "bubblewrap"

    def __init__(self, workspace: Path, toolchains: Sequence[Toolchain] = ()) -> None:
        """Raises ``SandboxError`` when ``bwrap`` is not on the PATH."""
        super().__init__(workspace, toolchains)
        program = shutil.which("bwrap")
        if program is None:
            raise SandboxError(_NOT_INSTALLED)
        self._bwrap = program

    @property
    def home(self) -> str:
        """``/w``."""
        return "/w"

    def seen_at(self, file: Path, inside: str) -> str:  # noqa: ARG002 - part of the seam
        """``inside``."""
        return inside

    def _execute(self, launch: Launch) -> Ended:
        limits = launch.limits
        status_fd, status_end = os.pipe()
        try:
            ended = execute(
                [
                    *self._launcher(launch.mounts, status_end),
                    *prlimit_arguments(limits, processes=True),
                    "--",
                    *launch.command,
                ],
                # Also the launcher's own: /proc/1/environ shows it inside.
                env={"HOME": "/tmp", "TMPDIR": "/tmp", **launch.env},  # noqa: S108 - the sandbox's own /tmp
                limits=limits,
                kill=_kill_namespace,
                stdin=launch.stdin,
                launchers=_LAUNCHERS,
                pass_fds=(status_end,),
            )
        except OSError as error:
            msg = f"bubblewrap could not be started: {error}"
            raise SandboxError(msg) from error
        finally:
            os.close(status_end)
            with os.fdopen(status_fd, "rb") as pipe:
                status = pipe.read()
        if ended.limit_hit is None and b'"exit-code"' not in status:
            msg = f"bubblewrap failed (status {ended.status}): {ended.stderr.decode(errors='replace').strip()[-500:]}"
            raise SandboxError(msg)
        return _with_signal(ended)

    def _launcher(self, mounts: Mapping[Path, str], status_fd: int) -> list[str]:
        """Everything up to the limits."""
        shown = {path: str(path) for toolchain in self.toolchains.values() for path in toolchain.mounts}
        binds = [
            part for source, inside in (shown | dict(mounts)).items() for part in ("--ro-bind", str(source), inside)
        ]
        return [
            self._bwrap,
            *("--json-status-fd", str(status_fd)),
            *_NAMESPACES,
            *_system_mounts(),
            # Read-only: started by root, a program could else set the machine's own kernel parameters in /proc/sys.
            *("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"),
            *("--size", str(_SHM_BYTES), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"),  # noqa: S108
            *("--size", str(_TMP_BYTES), "--tmpfs", "/tmp"),  # noqa: S108
            *binds,
            *("--bind", str(self.workspace), self.home, "--chdir", self.home),
            *("--remount-ro", "/", "--as-pid-1", "--"),
            *_INIT,
            "/usr/bin/prlimit",
        ]


def version() -> str:
    """``bubblewrap 0.8.0``, as the installed one says. Raises ``SandboxError`` or ``OSError`` when there is none."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError(_NOT_INSTALLED)
    ended = execute([program, "--version"], env={}, limits=Limits(), kill=kill_group)
    return ended.stdout.decode(errors="replace").strip() or "bubblewrap"


@cache
def _system_mounts() -> tuple[str, ...]:
    """``/usr``, what belongs to it, and the few files of ``/etc`` that programs cannot do without."""
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        folder = Path("/", name)
        if folder.is_symlink():
            arguments += ["--symlink", str(folder.readlink()), str(folder)]
        elif folder.is_dir():
            arguments += ["--ro-bind", str(folder), str(folder)]
    for name in ("/etc/alternatives", "/etc/ld.so.cache"):
        arguments += ["--ro-bind-try", name, name]
    for name in ("hosts", "passwd"):
        arguments += ["--ro-bind", str(_HERE / "etc" / name), f"/etc/{name}"]
    return tuple(arguments)


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


def _with_signal(ended: Ended) -> Ended:
    """Translate a shell's 128 + N back to the signal N."""
    if ended.status not in _SIGNALLED:
        return ended
    return Ended(128 - ended.status, ended.stdout, ended.stderr, ended.wall_s, ended.cpu_s, ended.limit_hit)
