"""Process 1 of a container: what it does, what it reports, and how it is found among the machine's processes.

It is the image's own ``/bin/sh``. It starts the program, waits for it and for orphans, and tells on standard error when
it began and how the program ended. So a status of the program is never taken for one of the container runtime, whose
own failures use the same numbers, and what the runtime itself says is told from what the program says.

A program can read the mark in its process 1 and forge the report; it then lies about its own status, which proves
nothing anyway. It cannot lower the CPU time that is reported after it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.sandbox.supervise.process import from_shell

SHELL = "/bin/sh"
_SCRIPT = r"""exec 3>&2 2>/dev/null
trap '' HUP INT QUIT PIPE ALRM TERM USR1 USR2
mark=$1
shift
count() {
  while read -r name number; do
    case $name in "$1") found=$number ;; esac
  done
}
look() {
  found=0
  count oom_kill </sys/fs/cgroup/memory.events
  count oom_kill </sys/fs/cgroup/memory/memory.oom_control
  kills=$found found=0
  count max </sys/fs/cgroup/pids.events
  count max </sys/fs/cgroup/pids/pids.events
  refusals=$found
  read -r uptime idle </proc/uptime
}
look
before="$kills $refusals ${uptime:-0}"
printf '\n%s began\n' "$mark" >&3
(
  trap - HUP INT QUIT PIPE ALRM TERM USR1 USR2
  echo 1000 >/proc/self/oom_score_adj
  exec "$@" 2>&3 3>&-
)
status=$?
look
printf '\n%s ended %s %s %s %s %s\n' "$mark" "$status" "$before" "$kills" "$refusals" "${uptime:-0}" >&3
times >&3
exit 0"""
"""Nothing but what every POSIX shell has built in. What the shell says of a killed program is not the program's output.
No signal of the program ends process 1: the kernel keeps from it those that it has no handler for, and some shells have
one. Should the container's memory be used up, the kernel kills the program and not process 1."""
_NUMBER = rb"(\d+(?:\.\d+)?)"
_TIME = rb"(\d+)m(\d+(?:\.\d+)?)s"
REPORT_BYTES = 500
"""More than process 1 ever writes."""


@dataclass(frozen=True, slots=True)
class Report:
    """What process 1 told."""

    began: bool
    """False: the container did not come up, and ``said`` is why."""
    said: bytes
    """Standard error of the program alone."""
    status: int | None = None
    """How the program ended (negative: by that signal); None: process 1 ended without telling."""
    wall_s: float = 0.0
    """To a hundredth of a second."""
    cpu_s: float = 0.0
    """User and system time of all processes that were waited for."""
    killed: bool = False
    """The kernel killed a process because the container's memory was used up."""
    refused: bool = False
    """The kernel refused another process because the container had too many."""


def arguments(mark: str, command: Collection[str]) -> list[str]:
    """Arguments of ``SHELL`` that make it process 1 of ``command``; ``mark`` stands in its report."""
    return ["-c", _SCRIPT, "sh", mark, *command]


def read_report(stderr: bytes, mark: str) -> Report:
    """Part the report from what the program wrote."""
    name = re.escape(mark.encode())
    began = re.search(rb"\n%b began\n" % name, stderr)
    if began is None:
        return Report(began=False, said=stderr)
    pattern = rb"\n%b ended %b\n.*\n%b %b\n" % (name, b" ".join([_NUMBER] * 7), _TIME, _TIME)
    ends = list(re.finditer(pattern, stderr[began.end() :]))
    if not ends:
        return Report(began=True, said=stderr[began.end() :])
    end = ends[-1]
    status, *before, kills, refusals, uptime_s = map(float, end.groups()[:7])
    return Report(
        began=True,
        said=stderr[began.end() :][: end.start()],
        status=from_shell(int(status)),
        wall_s=max(0.0, uptime_s - before[2]),
        cpu_s=max(map(_cpu_s, ends)),
        killed=kills > before[0],
        refused=refusals > before[1],
    )


def process_ids() -> frozenset[str]:
    """All processes that can be seen, by the names of their folders in ``/proc``; none where there is no ``/proc``."""
    try:
        return frozenset(folder.name for folder in Path("/proc").iterdir() if folder.name.isdecimal())
    except OSError:
        return frozenset()


def find(mark: str, earlier: Collection[str]) -> int | None:
    """The process id of a container's process 1 as this machine counts.

    ``earlier``: processes that were there before the container. None: it does not run, or not within our sight, as in
    a virtual machine.
    """
    for name in process_ids().difference(earlier):
        try:
            command = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
            # The program can start others with the same arguments, but none that is the first of its namespace.
            if command[4:5] == [mark.encode()] and _is_first(Path("/proc", name, "status").read_text(encoding="utf-8")):
                return int(name)
        except (OSError, UnicodeDecodeError):
            continue
    return None


def _is_first(status: str) -> bool:
    """True for process 1 of a namespace below ours."""
    ids = re.search(r"^NSpid:\t(.*)$", status, re.MULTILINE)
    return ids is not None and len(ids[1].split()) > 1 and ids[1].split()[-1] == "1"


def _cpu_s(end: re.Match[bytes]) -> float:
    user_min, user_s, system_min, system_s = map(float, end.groups()[7:])
    return (user_min + system_min) * 60 + user_s + system_s
