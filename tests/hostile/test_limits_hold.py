"""Limits that hold whatever a program does to be counted wrongly."""

import os
import re

import pytest

from pytest_llmbench import toolchains
from pytest_llmbench.sandbox import cgroup
from pytest_llmbench.sandbox.select import choose, open_sandbox
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
FORKS = """
import os, time
for number in range(1000):
    if os.fork() == 0:
        time.sleep(3)
        os._exit(0)
    os.write(1, b"%d\\n" % number)
time.sleep(1)
"""


@pytest.fixture(params=["bubblewrap", "landlock"])
def python(request, tmp_path):
    """Run source text in either backend."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    found = toolchains.find("python")
    sandbox = open_sandbox(choose(request.param), workspace, [found])
    return lambda source, limits: sandbox.run(["python", "-S", "-c", source], limits)


@pytest.mark.skipif(bool(cgroup.gaps()), reason="this user can make no control group here, and the gaps say so")
@pytest.mark.parametrize("way", WAYS)
def test_cpu_time_of_children_that_nobody_waits_for(python, way):
    result = python(UNREAPED.replace("IGNORE", WAYS[way]), Limits(cpu_s=1, wall_s=30))
    assert result.limit_hit is not None, result
    assert result.limit_hit.limit == "cpu_s"
    assert 1 <= result.cpu_s < 3


def test_what_is_not_counted_is_told():
    told = any("nobody waits for" in gap for gap in choose("auto").gaps)
    assert told == bool(cgroup.gaps())
    assert os.geteuid() != 0 or not told or not os.access("/sys/fs/cgroup", os.W_OK)


def test_a_burst_of_processes_is_bounded(python):
    """Also before the first look, and for an ordinary user, whose other processes the kernel counts with them."""
    result = python(FORKS, Limits(processes=60, wall_s=10))
    assert result.limit_hit.limit == "processes", result
    assert max(map(int, re.findall(r"\d+", result.stdout))) < 60 * 3 + 20
