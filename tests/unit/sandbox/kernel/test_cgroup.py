"""Control groups: made and removed, found in both versions, and joined before anything else is done."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from pytest_llmbench.sandbox.kernel import cgroup, cgroup_places
from pytest_llmbench.sandbox.kernel.cgroup_places import Place, places
from pytest_llmbench.schema.execution import Limits

pytestmark = pytest.mark.skipif(not places(), reason="this user can make no control group here")
in_memory = pytest.mark.skipif(not any(place.memory for place in places()), reason="nor one that limits memory")
SPIN = "import time\nwhile time.process_time() < 0.3: pass"
BUFFERS = """
import socket, sys
print("started", flush=True)
sys.stdin.readline()
kept = [socket.socketpair() for _ in range(400)]
for left, _ in kept:
    left.setblocking(False)
    try:
        while True: left.send(bytes(65536))
    except BlockingIOError: pass
print("filled", flush=True)
sys.stdin.read()
"""
LIMITS = Limits(memory_mb=16, disk_mb=16)


def left():
    mine = f"llmbench-{os.getpid()}-*"
    return [folder for place in places() for folder in place.folder.glob(mine)]


def test_it_counts_all_that_ran_in_it_and_is_gone_then():
    with cgroup.group(LIMITS) as group:
        before = group.cpu_s
        subprocess.run([*group.joining(), "python3", "-S", "-c", SPIN], check=True)
        assert 0.3 <= group.cpu_s - before < 3
        assert len(left()) == len(group.doors)
    assert left() == []


@pytest.mark.parametrize("version", [1, 2])
def test_either_version_alone(version, monkeypatch):
    own = {name: folder for name, folder in cgroup_places.own_folders().items() if bool(name) == (version == 1)}
    monkeypatch.setattr(cgroup_places, "own_folders", lambda: own)
    monkeypatch.setattr(cgroup, "places", places.__wrapped__)
    with cgroup.group(LIMITS) as group:
        if group.cpu is None:
            pytest.skip(f"no version {version} here")
        assert (group.cpu / {1: "cpuacct.usage", 2: "cpu.stat"}[version]).exists()
        subprocess.run([*group.joining(), "python3", "-S", "-c", SPIN], check=True)
        assert 0.3 <= group.cpu_s < 3


@in_memory
def test_the_kernel_ends_what_no_look_could_see_in_time():
    with cgroup.group(LIMITS) as group:
        assert group.ended_for_memory(LIMITS) is None
        source = f"import mmap; mmap.mmap(-1, {300 << 20}).write(b'x' * {200 << 20})"
        ran = subprocess.run([*group.joining(), "python3", "-S", "-c", source], check=False)
        assert ran.returncode == -9
        hit = group.ended_for_memory(LIMITS)
    assert (hit.limit, hit.allowed) == ("memory_mb", 16)
    assert 16 + 16 <= hit.observed < 200


@in_memory
def test_memory_of_the_kernel_is_counted_beyond_what_any_program_needs():
    with cgroup.group(Limits(memory_mb=200, disk_mb=16)) as group:
        command = [*group.joining(), "python3", "-S", "-c", BUFFERS]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"started\n"
            assert group.kernel_bytes == 0
            process.stdin.write(b"go\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"filled\n"
            assert 1 << 20 < group.kernel_bytes < 200 << 20
            process.stdin.close()


def test_figures_of_version_2(tmp_path):
    group = cgroup.Group(("door",), memory=tmp_path)
    told = f"anon 5\nkernel {100 << 20}\nslab 9\nslab_reclaimable {30 << 20}\nsock 4096\n"
    (tmp_path / "memory.stat").write_text(told)
    assert group.kernel_bytes == (6 << 20) + 4096
    old_kernel = f"slab {100 << 20}\nslab_reclaimable {30 << 20}\nkernel_stack 0\npagetables {1 << 20}\n"
    (tmp_path / "memory.stat").write_text(old_kernel)
    assert group.kernel_bytes == 7 << 20
    (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 0\n")
    assert group.ended_for_memory(LIMITS) is None
    (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    assert group.ended_for_memory(LIMITS).observed == 16
    (tmp_path / "memory.peak").write_text(f"{90 << 20}\n")
    assert group.ended_for_memory(LIMITS).observed == 90


def test_limits_of_version_2(tmp_path):
    for name in ("memory.max", "memory.swap.max", "memory.oom.group"):
        (tmp_path / name).touch()
    cgroup._limit(tmp_path, LIMITS)
    told = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert told == {"memory.max": str(96 << 20), "memory.swap.max": "0", "memory.oom.group": "1"}


def test_no_group_is_made_beside_one_that_has_limits_of_its_own(tmp_path):
    own = tmp_path / "own"
    own.mkdir()

    def tried():
        return [place.folder for place in cgroup_places._for_memory({"": own})]

    assert tried() == [own, tmp_path]
    (own / "memory.max").write_text("max\n")
    (own / "cpu.max").write_text("max 100000\n")
    assert tried() == [own, tmp_path]
    (own / "memory.max").write_text("1000000\n")
    assert tried() == [own]


def test_one_that_cannot_be_joined_is_not_started(tmp_path):
    lost = cgroup.Group((f"{tmp_path}/no-such-group/tasks",))
    ran = subprocess.run([*lost.joining(), "echo", "started"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (125, "")
    assert "no-such-group" in ran.stderr


def test_groups_of_the_dead_are_removed_when_they_are_old(monkeypatch):
    dead = subprocess.Popen(["true"])
    dead.wait()
    for folder in (place.folder for place in places()):
        orphan, own = folder / f"llmbench-{dead.pid}-0", folder / f"llmbench-{os.getpid()}-x"
        orphan.mkdir()
        own.mkdir()
        try:
            cgroup_places.tidy(folder)
            assert orphan.exists()  # its process may be in another container
            with monkeypatch.context() as patch:
                patch.setattr(cgroup_places, "_OLD_S", -1.0)
                cgroup_places.tidy(folder)
            assert (orphan.exists(), own.exists()) == (False, True)
        finally:
            cgroup_places.remove(own)
            cgroup_places.remove(orphan)


def test_without_any_it_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(cgroup, "places", lambda: ())
    with cgroup.group(LIMITS) as group:
        assert not group
        assert (group.joining(), group.cpu_s, group.kernel_bytes) == ([], 0.0, 0)
        assert group.ended_for_memory(LIMITS) is None
    cpu, memory = cgroup.gaps()
    assert "nobody waits for" in cpu
    assert "the kernel holds" in memory
    monkeypatch.setattr(cgroup, "places", lambda: (Place(Path("/"), "tasks", cpu=True),))
    assert cgroup.gaps() == (memory,)


def test_leaving_does_not_wait_long_for_what_stays(monkeypatch):
    monkeypatch.setattr(cgroup_places, "_TRIES", 2)
    started = time.monotonic()
    with cgroup.group(LIMITS) as group:
        staying = subprocess.Popen([*group.joining(), "sleep", "60"])
        while not all(str(staying.pid) in Path(door).read_text().split() for door in group.doors):
            time.sleep(0.01)
    assert time.monotonic() - started < 10
    staying.kill()
    staying.wait()
    for door in group.doors:
        cgroup_places.remove(Path(door).parent)
    assert left() == []
