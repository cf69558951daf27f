"""Control groups: made and removed, found in both versions, and joined before anything else is done."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from pytest_llmbench.sandbox import cgroup
from pytest_llmbench.schema.execution import Limits

pytestmark = pytest.mark.skipif(not cgroup._places(), reason="this user can make no control group here")
SPIN = "import time\nwhile time.process_time() < 0.3: pass"
FORKS = """
import os, time
try:
    for number in range(200):
        os.fork() or (time.sleep(1), os._exit(0))
except OSError:
    print(number)
"""


def left():
    mine = f"llmbench-{os.getpid()}-*"
    return [folder for place in cgroup._places() for folder in place.folder.glob(mine)]


def test_it_counts_all_that_ran_in_it_and_is_gone_then():
    with cgroup.group(Limits()) as group:
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
    monkeypatch.setattr(cgroup, "_places", cgroup._places.__wrapped__)
    with cgroup.group(Limits()) as group:
        assert group.figure.name == "cpuacct.usage"
        subprocess.run([*group.joining(), "python3", "-S", "-c", SPIN], check=True)
        assert 0.3 <= group.cpu_s < 3


def test_more_processes_than_the_limit_are_refused():
    if not any(folder.limits_processes for folder in cgroup._places()):
        pytest.skip("no control over numbers of processes here")
    with cgroup.group(Limits(processes=20)) as group:
        command = [*group.joining(), "python3", "-S", "-c", FORKS]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        subprocess.run(["sleep", "1.5"], check=True)
    assert 20 <= int(ran.stdout) < 40


def test_one_that_cannot_be_joined_is_not_started(tmp_path):
    lost = cgroup.Group((tmp_path / "no-such-group",))
    ran = subprocess.run([*lost.joining(), "echo", "started"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (125, "")
    assert "no-such-group" in ran.stderr


def test_groups_of_the_dead_are_removed_when_they_are_old(monkeypatch):
    place = cgroup._places()[0].folder
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
    monkeypatch.setattr(cgroup, "_places", tuple)
    with cgroup.group(Limits()) as group:
        assert not group
        assert (group.joining(), group.cpu_s) == ([], 0.0)
    assert "nobody waits for" in cgroup.gaps()[0]


def test_leaving_does_not_wait_long_for_what_stays(monkeypatch):
    monkeypatch.setattr(cgroup, "_TRIES", 2)
    started = time.monotonic()
    with cgroup.group(Limits()) as group:
        staying = subprocess.Popen([*group.joining(), "sleep", "60"])
        while str(staying.pid) not in Path(group.doors[0]).read_text().split():
            time.sleep(0.01)
    assert time.monotonic() - started < 10
    staying.kill()
    staying.wait()
    for folder in group.folders:
        cgroup._remove(folder)
    assert left() == []
