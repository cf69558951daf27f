"""What the kernel holds for programs, as it is counted from outside."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from pytest_llmbench.sandbox.supervise import kernel_memory
from pytest_llmbench.sandbox.supervise.kernel_memory import Locks

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00001000:00000010 00:00000000 00000000  1000        0 2 1 0 20 4 30 10 -1
   2: 0100007F:C351 0100007F:1F90 02 7B9D03A1:00000000 00:00000000 00000000  1000        0 3 1 0 20 4 30 10 -1
"""
"""The last connection is being made; read at that moment, its queue holds any number."""


def counted(locks: Locks, *, launchers: int) -> int:
    """The count after a second, or sooner when there is one."""
    deadline = time.monotonic() + 1
    while not (found := locks.look(os.getpid(), launchers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def test_counting_goes_on_where_it_was(tmp_path, monkeypatch):
    with (tmp_path / "one").open("w") as one, (tmp_path / "two").open("w") as two:
        for file in (one, two):
            fcntl.lockf(file, fcntl.LOCK_EX, 1, 0)
        monkeypatch.setattr(kernel_memory, "_SLICE_S", 0.0)
        locks = Locks()
        assert locks.look(os.getpid(), 0) == 0
        monkeypatch.setattr(kernel_memory, "_SLICE_S", 60.0)
        whole = locks.look(os.getpid(), 0)
        assert whole >= 2 * 256
        fcntl.lockf(two, fcntl.LOCK_UN)
        assert locks.look(os.getpid(), 0) == whole  # it pauses
        locks._next = 0.0
        assert locks.look(os.getpid(), 0) == whole - 256


def test_each_lock_counts(tmp_path):
    with (tmp_path / "file").open("w") as file:
        entry = f"/proc/self/fdinfo/{file.fileno()}"
        assert kernel_memory.of_locks(entry) == 0
        for place in range(0, 20, 2):
            fcntl.lockf(file, fcntl.LOCK_EX, 1, place)
        assert kernel_memory.of_locks(entry) == 10 * 256
        assert counted(Locks(), launchers=0) >= 10 * 256
        assert counted(Locks(), launchers=1) == 0
    assert kernel_memory.of_locks(entry) == 0


def test_each_mapping_counts():
    maps = Path("/proc/self/maps").read_text()
    assert kernel_memory.of_mappings(maps) == 256 * len(maps.splitlines())


def test_data_in_connections_counts(tmp_path):
    table = tmp_path / "tcp"
    table.write_text(TABLE)
    assert kernel_memory._queued(str(table)) == 0x1010


def test_connections_of_our_own_network_are_not_a_programs():
    assert kernel_memory.of_connections(os.getpid()) == 0
