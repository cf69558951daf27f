"""What a tree holds without a name: the search goes on long enough, and no longer."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from pytest_llmbench.sandbox.supervise import unlinked_files as holdings
from pytest_llmbench.sandbox.supervise.disk_usage import DiskUsage
from pytest_llmbench.sandbox.supervise.procfs import written
from pytest_llmbench.sandbox.supervise.unlinked_files import Inventory
from pytest_llmbench.sandbox.supervise.watchdog import Watchdog
from pytest_llmbench.schema.execution import Limits

DECOYS, DESCRIPTORS, MEGABYTES = 6, 300, 8
NEEDLE = f"""
import os, sys, time
other = os.open("/dev/null", os.O_RDONLY)
for _ in range({DESCRIPTORS}):
    os.dup(other)
for _ in range({DECOYS}):
    if not os.fork():
        time.sleep(60)
        os._exit(0)
child = os.fork()
if not child:
    file = os.open("file", os.O_CREAT | os.O_WRONLY)
    os.unlink("file")
    os.write(file, bytes({MEGABYTES} << 20))
    os.write(1, b"written\\n")
    time.sleep(60)
os.waitpid(child, 0)
"""


@pytest.fixture
def needle(tmp_path):
    """A tree of which the last process holds a deleted file, and every one many descriptors."""
    # pytest's own capture is a deleted file too: nothing of it may be handed on.
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", NEEDLE], cwd=tmp_path, start_new_session=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        yield process
        os.killpg(process.pid, 9)


@pytest.mark.parametrize(("allowed_mb", "most_looks"), [(MEGABYTES // 2, 2), (2 * MEGABYTES, DECOYS + 3)])
def test_who_wrote_most_is_looked_at_first_and_nobody_after_the_limit(
    needle, tmp_path, monkeypatch, allowed_mb, most_looks
):
    looks = []
    real = holdings.descriptors_of
    monkeypatch.setattr(holdings, "descriptors_of", lambda pid: looks.append(pid) or real(pid))
    inventory = Inventory({tmp_path.stat().st_dev}, Limits(disk_mb=allowed_mb, file_mb=MEGABYTES))
    held = inventory.look(needle.pid, launchers=1)
    assert held.disk_bytes >= MEGABYTES << 20
    assert held.inodes == 1
    assert len(looks) <= most_looks
    assert (len(looks) == DECOYS + 2) == (allowed_mb > MEGABYTES)


def test_what_a_process_wrote_is_told(tmp_path):
    before = written(os.getpid())
    (tmp_path / "file").write_bytes(bytes(100_000))
    after = written(os.getpid())
    assert after[1] - before[1] >= 100_000
    assert written(2**22 + 1) == (0, 0)


def test_a_look_at_a_tree_that_is_gone_holds_nothing(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    held = Inventory({tmp_path.stat().st_dev}, Limits()).look(gone.pid, launchers=0)
    assert (held.disk_bytes, held.inodes) == (0, 0)


class _Shared:
    """A disk on which others free as much as anybody writes."""

    def __init__(self, device: int) -> None:
        self._device = device

    def devices(self) -> set[int]:
        return {self._device}

    def free(self) -> tuple[int, int]:
        return 10**12, 10**6

    def usage(self, root: int | None, inodes: int) -> DiskUsage:
        return DiskUsage()


def test_what_is_written_while_others_free_space_is_seen_at_once(tmp_path):
    """After a dear look the next one waits, but not while the tree itself writes."""
    program = (
        f"import os, time; file = os.open('file', os.O_CREAT | os.O_WRONLY); os.unlink('file'); input()\n"
        f"os.write(file, bytes({MEGABYTES} << 20)); print('written', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        limits = Limits(disk_mb=MEGABYTES // 2, file_mb=MEGABYTES)
        watchdog = Watchdog(process.pid, limits, disk=_Shared(tmp_path.stat().st_dev))
        assert watchdog.look() is None
        watchdog._next_disk_look = time.monotonic() + 3600
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"written\n"
        hit = watchdog.look()
        process.kill()
    assert hit is not None
    assert hit.limit == "disk_mb"


@pytest.mark.parametrize(("mb_between_readings", "begun"), [(0, 1), (1, 2)])
def test_a_long_look_begins_again_when_the_disk_fills_up_meanwhile(
    needle, tmp_path, monkeypatch, mb_between_readings, begun
):
    """Once, however much is written: a look must come to its end."""
    monkeypatch.setattr(holdings, "_CHECK_S", 0.0)
    readings, begins = iter(range(10**6)), []
    monkeypatch.setattr(holdings, "written", lambda _: ((next(readings) * mb_between_readings) << 20, 0))
    real = holdings.tree
    monkeypatch.setattr(holdings, "tree", lambda root: begins.append(root) or real(root))
    inventory = Inventory({tmp_path.stat().st_dev}, Limits(disk_mb=2 * MEGABYTES, file_mb=MEGABYTES))
    assert inventory.look(needle.pid, launchers=1).disk_bytes >= MEGABYTES << 20
    assert len(begins) == begun
