"""All programs at once, four at a time: nothing is left behind, and the machine stays usable meanwhile."""

from __future__ import annotations

import secrets
import statistics
import subprocess
import threading
import time
from pathlib import Path

from support.as_user import brought_along, pytest_elsewhere
from support.compiled import build_all
from support.hostile import MARK
from support.processes import survivors

_EVERY_S = 0.2
_USUAL_S, _WORST_S = 1.0, 10.0
"""Starting a program takes a few milliseconds on an idle machine; a person notices a second and gives up after ten."""


class _Heartbeat(threading.Thread):
    """Starts a small program again and again, and notes how long each took."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.took_s: list[float] = []
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.wait(_EVERY_S):
            started = time.monotonic()
            subprocess.run(["/bin/true"], check=True)
            self.took_s.append(time.monotonic() - started)


def test_many_at_once_leave_nothing_and_starve_nobody(tmp_path, sandbox_for):
    build_all(sandbox_for)
    mark = str(secrets.randbelow(10**12))
    heartbeat = _Heartbeat()
    heartbeat.start()
    ran = pytest_elsewhere(
        tmp_path, ["tests/hostile/test_programs.py", "-q", "-n", "4", "--tb=short"], env={MARK: mark}
    )
    heartbeat.stop.set()
    heartbeat.join()
    assert survivors(mark) == []
    assert _left(tmp_path) == set()
    before, after = (_mounts(tmp_path / "home" / f"mounts-{when}") for when in ("before", "after"))
    assert after <= before
    usual_s, worst_s = statistics.median(heartbeat.took_s), max(heartbeat.took_s)
    print(f"{len(heartbeat.took_s)} starts of /bin/true: median {usual_s * 1e3:.0f} ms, worst {worst_s * 1e3:.0f} ms")
    assert usual_s < _USUAL_S
    assert worst_s < _WORST_S
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]


def _mounts(file: Path) -> set[str]:
    """Mounts of our folders or of a sandbox's own root; the machine may gain others meanwhile."""
    marks = ("hostile", "llmbench", "newroot", "oldroot", str(file.parents[1]))
    return {line for line in file.read_text().splitlines() if any(mark in line for mark in marks)}


def _left(root: Path) -> set[str]:
    """Everything in the temporary and home folders but pytest's own; of that the workspaces."""
    home, temporary = root / "home", root / "tmp"
    there = {path for folder in root.iterdir() for path in folder.iterdir()} | set((home / ".config").glob("*"))
    # Go's own command, asked for its version as this user, keeps its settings there.
    expected = {home / "mounts-before", home / "mounts-after", home / ".config", home / ".config/go"}
    expected |= set(temporary.glob("pytest-of-*")) | brought_along(root)
    return {str(path) for path in (there - expected) | set(temporary.rglob("hostile-workspace-*"))}
