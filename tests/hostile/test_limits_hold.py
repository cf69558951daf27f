"""Limits that hold whatever a program does to be counted wrongly."""

import errno
import os
import re

import pytest

from pytest_llmbench import toolchains
from pytest_llmbench.sandbox.kernel import cgroup, cgroup_places
from pytest_llmbench.sandbox.registry import own_backends
from pytest_llmbench.sandbox.selection import choose, open_sandbox
from pytest_llmbench.schema.execution import Limits

UNREAPED = """
import os, signal, time
IGNORE
reader, writer = os.pipe()
for _ in range(400):
    if os.fork() == 0:
        end = time.process_time() + 0.012
        while time.process_time() < end: pass
        os.write(writer, b"x")
        os._exit(0)
    os.read(reader, 1)
print("done")
"""
WAYS = {
    "ignored": "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
    "nobody's": "if os.fork(): time.sleep(20); os._exit(0)\nos.setsid(); signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
}
INOTIFY = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for call in (lambda: libc.inotify_init(), lambda: libc.inotify_init1(0)):
    print(call(), ctypes.get_errno())
"""
LOCKS = """
import fcntl, os, time
for i in range(500):
    fd = os.open(f"f{i}", os.O_CREAT | os.O_RDWR)
    for j in range(800): fcntl.lockf(fd, fcntl.LOCK_EX, 1, 2 * (800 - j))
time.sleep(25)
"""
MAPPINGS = """
import ctypes, os, time
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
for _ in range(7):
    if os.fork() == 0: break
base = libc.mmap(None, 60000 * 4096, 0, 0x4022, -1, 0)
for i in range(0, 60000, 2):
    if libc.mprotect(base + i * 4096, 4096, 1): break
time.sleep(10)
"""
CONNECTIONS = """
import socket, time
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(512)
kept = []
for _ in range(100):
    client = socket.create_connection(server.getsockname())
    kept += [client, server.accept()]
    client.setblocking(False)
    for _ in range(3):
        try:
            while True: client.send(bytes(65536))
        except BlockingIOError: time.sleep(0.002)
time.sleep(10)
"""
FILE = """
import os
for folder in (".", os.environ["TMPDIR"]):
    name = folder + "/large"
    with open(name, "wb") as file:
        for _ in range(300): file.write(bytes(1 << 20))
    with open(name, "rb") as file:
        while file.read(1 << 20): pass
    os.unlink(name)
print("done")
"""
MEMORY = "kept = bytearray(b'x') * (100 << 20)\nimport time\ntime.sleep(0.3)\nprint('done')"
FORKS = """
import os, time
for number in range(1000):
    if os.fork() == 0:
        time.sleep(3)
        os._exit(0)
    os.write(1, b"%d\\n" % number)
time.sleep(1)
"""


NO_CPU = not any(place.cpu for place in cgroup_places.places())


@pytest.fixture(params=["bubblewrap", "landlock"])
def python(request, tmp_path):
    """Run source text in either backend."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    found = toolchains.find("python")
    sandbox = open_sandbox(choose(request.param, own_backends()), workspace, [found])
    return lambda source, limits, **how: sandbox.run(["python", "-S", "-c", source], limits, **how)


@pytest.mark.skipif(NO_CPU, reason="this user can make no control group here, and the gaps say so")
@pytest.mark.parametrize("way", WAYS)
def test_cpu_time_of_children_that_nobody_waits_for(python, way):
    result = python(UNREAPED.replace("IGNORE", WAYS[way]), Limits(cpu_s=1, wall_s=30))
    assert result.limit_hit is not None, result
    assert result.limit_hit.limit == "cpu_s"
    assert 1 <= result.cpu_s < 3


def test_what_is_not_counted_is_told():
    assert set(cgroup.gaps()) <= set(choose("auto", own_backends()).gaps)
    own = cgroup_places.own_folders()
    if os.geteuid() == 0 and "memory" in own and os.access(own["memory"], os.W_OK):
        assert cgroup.gaps() == ()
    if not any(place.memory for place in cgroup_places.places()):
        assert any("the kernel holds" in gap for gap in cgroup.gaps())


def test_events_that_nobody_reads_are_refused(python):
    assert python(INOTIFY, Limits()).stdout == f"-1 {errno.EPERM}\n" * 2


@pytest.mark.slow
@pytest.mark.parametrize("source", [LOCKS, MAPPINGS], ids=["locks", "mappings"])
def test_memory_of_the_kernel_counts(python, source):
    """With a control group and without."""
    result = python(source, Limits(memory_mb=64, wall_s=30, cpu_s=30))
    assert result.limit_hit is not None, result
    assert result.limit_hit.limit == "memory_mb"


@pytest.mark.parametrize("python", ["bubblewrap"], indirect=True)
def test_data_in_connections_counts(python):
    result = python(CONNECTIONS, Limits(memory_mb=100, wall_s=30, cpu_s=30), loopback=True)
    assert result.limit_hit is not None, result
    assert result.limit_hit.limit == "memory_mb"


@pytest.mark.parametrize("source", [FILE, MEMORY], ids=["file", "memory"])
def test_honest_programs_may_use_what_they_are_given(python, source):
    """Pages of files are nobody's memory, whether they lie on a disk or in memory."""
    result = python(source, Limits(memory_mb=128, file_mb=400, disk_mb=400, wall_s=30, cpu_s=30))
    assert (result.ok, result.stdout) == (True, "done\n"), result


def test_a_burst_of_processes_is_bounded(python):
    """Also before the first look, and for an ordinary user, whose other processes the kernel counts with them."""
    result = python(FORKS, Limits(processes=60, wall_s=10))
    assert result.limit_hit.limit == "processes", result
    assert max(map(int, re.findall(r"\d+", result.stdout))) < 60 * 3 + 20
