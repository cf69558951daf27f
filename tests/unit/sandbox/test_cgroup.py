"""Control groups: made and removed, found in both versions, and joined before anything else is done."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from pytest_llmbench.sandbox import cgroup

pytestmark = pytest.mark.skipif(cgroup._place() is None, reason="this user can make no control group here")
SPIN = "import time\nwhile time.process_time() < 0.3: pass"


def left():
    mine = f"llmbench-{os.getpid()}-*"
    return list(cgroup._place().folder.glob(mine))


def test_it_counts_all_that_ran_in_it_and_is_gone_then():
    with cgroup.group() as group:
        before = group.cpu_s
        subprocess.run([*group.joining(), "python3", "-S", "-c", SPIN], check=True)
        assert 0.3 <= group.cpu_s - before < 3
        assert left()
    assert left() == []


def test_version_1_alone(monkeypatch):
    own = {name: folder for name, folder in cgroup._own_folders().items() if name}
    if "cpuacct" not in own:
        pytest.skip("no version 1 here")
    monkeypatch.setattr(cgroup, "_own_folders", lambda: own)
    monkeypatch.setattr(cgroup, "_place", cgroup._place.__wrapped__)
    with cgroup.group() as group:
        assert group.figure == "cpuacct.usage"
        subprocess.run([*group.joining(), "python3", "-S", "-c", SPIN], check=True)
        assert 0.3 <= group.cpu_s < 3


def test_one_that_cannot_be_joined_is_not_started(tmp_path):
    lost = cgroup.Group(tmp_path / "no-such-group")
    ran = subprocess.run([*lost.joining(), "echo", "started"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (125, "")
    assert "no-such-group" in ran.stderr


def test_groups_of_the_dead_are_removed_when_they_are_old(monkeypatch):
    place = cgroup._place().folder
    dead = subprocess.Popen(["true"])
    dead.wait()
    orphan, own = place / f"llmbench-{dead.pid}-0", place / f"llmbench-{os.getpid()}-x"
    orphan.mkdir()
    own.mkdir()
    try:
        cgroup._tidy(place)
        assert orphan.exists()  # its process may be in another container
        monkeypatch.setattr(cgroup, "_OLD_S", -1.0)
        cgroup._tidy(place)
        assert (orphan.exists(), own.exists()) == (False, True)
    finally:
        cgroup._remove(own)


def test_without_any_it_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(cgroup, "_place", lambda: None)
    with cgroup.group() as group:
        assert not group
        assert (group.joining(), group.cpu_s) == ([], 0.0)
    assert "nobody waits for" in cgroup.gaps()[0]


def test_leaving_does_not_wait_long_for_what_stays(monkeypatch):
    monkeypatch.setattr(cgroup, "_TRIES", 2)
    started = time.monotonic()
    with cgroup.group() as group:
        staying = subprocess.Popen([*group.joining(), "sleep", "60"])
        while str(staying.pid) not in Path(group.door).read_text().split():
            time.sleep(0.01)
    assert time.monotonic() - started < 10
    staying.kill()
    staying.wait()
    cgroup._remove(group.folder)
    assert left() == []
