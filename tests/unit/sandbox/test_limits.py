"""Limits end a program and are named."""

import subprocess
import sys
import time

import pytest
from support.zygote import own_children

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.kernel.rlimits import limit_behind
from pytest_llmbench.schema.execution import Limits

SMALL = Limits(wall_s=20, cpu_s=10, memory_mb=200, processes=30, output_bytes=100_000, file_mb=1, disk_mb=8, inodes=300)


def with_limits(**changes):
    return Limits(**{field: getattr(SMALL, field) for field in SMALL.__slots__} | changes)


def test_sleeping_hits_the_wall_limit(python):
    result = python("import time; print('begun', flush=True); time.sleep(60)", with_limits(wall_s=0.4))
    assert result.limit_hit.limit == "wall_s"
    assert result.limit_hit.allowed == 0.4
    assert 0.4 <= result.limit_hit.observed < 5
    assert (result.exit_code, result.stdout, result.ok) == (-9, "begun\n", False)


def test_a_busy_loop_hits_the_cpu_limit(python):
    result = python("while True: pass", with_limits(cpu_s=0.4))
    assert result.limit_hit.limit == "cpu_s"
    assert 0.4 <= result.limit_hit.observed < 5


def test_cpu_time_of_many_short_children_hits_the_limit(python):
    source = """
import os, time
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.02
        while time.process_time() < end: pass
        os._exit(0)
    os.wait()
"""
    assert python(source, with_limits(cpu_s=0.5)).limit_hit.limit == "cpu_s"


def test_touched_memory_hits_the_limit(python):
    result = python("kept = []\nwhile True: kept.append(bytearray(b'x') * 1_000_000)", SMALL)
    assert result.limit_hit.limit == "memory_mb"
    assert result.limit_hit.allowed == 200


def test_memory_of_several_processes_adds_up(python):
    source = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        kept = b"x" * 60_000_000
        time.sleep(60)
time.sleep(60)
"""
    assert python(source, SMALL).limit_hit.limit == "memory_mb"


def test_memory_that_forked_processes_share_counts_once(python):
    source = """
import os, time
kept = b"x" * 60_000_000
for _ in range(6):
    if os.fork() == 0:
        time.sleep(0.4)
        os._exit(0)
time.sleep(0.4)
print("done")
"""
    assert python(source, SMALL).limit_hit is None


def test_memory_asked_for_at_once(python):
    result = python("b'x' * 2_000_000_000", SMALL)
    assert result.limit_hit.limit == "memory_mb"


BOMB = """
import os, time
for _ in range(8):  # no more than 256 processes, should the limit fail
    try:
        if os.fork() == 0 and leave:
            os.setsid()
    except OSError:
        pass
time.sleep(60)
"""


def test_a_fork_bomb_hits_the_process_limit(python):
    result = python(f"leave = False\n{BOMB}", SMALL)
    assert result.limit_hit.limit == "processes"


def test_a_fork_bomb_of_many_sessions_hits_the_process_limit(sandbox):
    result = sandbox.run(["python", "-S", "-c", f"leave = True\n{BOMB}"], SMALL)
    assert result.limit_hit.limit == "processes"
    assert own_children() == []


def test_threads_count_as_processes(python):
    source = "import threading, time\nfor _ in range(60): threading.Thread(target=time.sleep, args=(30,)).start()"
    assert python(source, SMALL).limit_hit.limit == "processes"


def test_a_flood_is_cut(python):
    result = python("while True: print('x' * 1000)", SMALL)
    assert result.limit_hit.limit == "output_bytes"
    assert len(result.stdout) == 100_000


def test_a_short_flood_is_seen_after_the_end(python):
    result = python("import os; os.write(2, b'x' * 3000)", with_limits(output_bytes=2000))
    assert (result.limit_hit.limit, result.limit_hit.observed) == ("output_bytes", 3000)
    assert len(result.stderr) == 2000


def test_a_large_file_hits_the_file_limit(python):
    source = """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
open("large", "wb").write(b"x" * 3_000_000)
"""
    assert python(source, SMALL).limit_hit.limit == "file_mb"


def test_a_program_within_its_limits_hits_none(python):
    source = "import time; kept = b'x' * 50_000_000; time.sleep(0.2); print(len(kept))"
    result = python(source, SMALL)
    assert result.ok
    assert result.stdout == "50000000\n"


@pytest.fixture
def busy_machine():
    """Eight busy loops beside the test."""
    loops = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(8)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


@pytest.mark.usefixtures("busy_machine")
def test_a_busy_machine_changes_no_verdict(python):
    source = "import time\nwhile time.process_time() < 0.4: pass\nprint('done')"
    result = python(source, Limits(wall_s=0.8, cpu_s=5))
    assert result.limit_hit is None
    assert result.stdout == "done\n"


def test_a_verdict_is_refused_where_the_cpus_were_taken(sandbox, monkeypatch):
    monkeypatch.setattr("pytest_llmbench.sandbox.supervise.watchdog._STARVED_EXTRA_S", -9.5)
    monkeypatch.setattr("pytest_llmbench.sandbox.supervise.watchdog.Watchdog._unhindered_s", lambda *_: 0.0)
    before = time.monotonic()
    with pytest.raises(SandboxError, match="for want of a CPU"):
        sandbox.run(["sleep", "60"], Limits(wall_s=1.0))
    assert time.monotonic() - before < 10
    assert own_children() == []


MANY_FILES = """
import os, time
for number in range(40):
    with open(f"{place}/{{number}}", "wb") as file: file.write(b"x" * 1_000_000)
time.sleep({wait})
"""
DELETED = """
import os, time
kept = []
for number in range(30):
    file = open(f"{place}/gone", "wb")
    os.unlink(f"{place}/gone")
    file.write(b"x" * 1_000_000)
    file.flush()
    kept.append(file)
time.sleep(60)
"""
EMPTY_FILES = """
import os, time
for number in range(1000):
    os.mkdir(f"{place}/{{number}}")
time.sleep({wait})
"""


@pytest.mark.parametrize("place", [".", "/tmp"])
def test_many_files_hit_the_limit_on_disk_use(sandboxed, place):
    result = sandboxed(MANY_FILES.format(place=place, wait=60), SMALL)
    if place == "/tmp" and result.exit_code == 1:  # the kernel was quicker
        assert (result.limit_hit.limit, result.limit_hit.observed) == ("disk_mb", 8)
    else:
        assert result.limit_hit.limit == "disk_mb"
        assert result.limit_hit.observed > 8


@pytest.mark.parametrize("place", [".", "/tmp"])
def test_deleted_files_that_are_open_count(sandboxed, place):
    assert sandboxed(DELETED.format(place=place), SMALL).limit_hit.limit == "disk_mb"


@pytest.mark.parametrize("place", [".", "/tmp"])
def test_many_names_hit_the_limit_on_inodes(sandboxed, place):
    result = sandboxed(EMPTY_FILES.format(place=place, wait=60), SMALL)
    assert result.limit_hit.limit == "inodes"
    assert result.limit_hit.allowed == 300 < result.limit_hit.observed


@pytest.mark.parametrize(("source", "limit"), [(MANY_FILES, "disk_mb"), (EMPTY_FILES, "inodes")])
def test_what_was_written_counts_however_quickly_it_ended(sandboxed, source, limit):
    result = sandboxed(source.format(place=".", wait=0), SMALL)
    assert result.limit_hit.limit == limit
    assert not result.ok


def test_shared_memory_that_was_let_go_of_counts(sandboxed):
    source = """
import mmap, time
kept = []
for _ in range(30):
    block = mmap.mmap(-1, 10_000_000)
    block.write(b"x" * 10_000_000)
    block.madvise(mmap.MADV_DONTNEED)
    kept.append(block)
time.sleep(60)
"""
    assert sandboxed(source, SMALL).limit_hit.limit == "memory_mb"


def test_a_process_whose_first_thread_has_ended_counts(sandboxed):
    source = """
import ctypes, threading, time
def hold():
    kept = b"x" * 300_000_000
    time.sleep(60)
threading.Thread(target=hold).start()
ctypes.CDLL(None).pthread_exit(None)
"""
    assert sandboxed(source, SMALL).limit_hit.limit == "memory_mb"


def test_data_in_a_folder_closed_to_its_owner_counts(sandboxed):
    source = """
import os, time
os.mkdir("closed")
for number in range(20):
    with open(f"closed/{number}", "wb") as file: file.write(b"x" * 1_000_000)
os.chmod("closed", 0)
time.sleep(60)
"""
    assert sandboxed(source, SMALL).limit_hit.limit == "disk_mb"


def test_too_many_open_files_are_named(python):
    result = python("kept = [open('/dev/null') for _ in range(200)]", with_limits(open_files=64))
    assert (result.limit_hit.limit, result.limit_hit.allowed) == ("open_files", 64)


def test_the_cpu_time_of_what_was_killed_is_told(python):
    result = python("while True: pass", with_limits(cpu_s=0.4))
    assert result.cpu_s >= 0.4


@pytest.mark.parametrize(
    "said",
    [
        "BlockingIOError: [Errno 11] Resource temporarily unavailable",
        "RuntimeError: can't start new thread",
        "Error: spawn /bin/true EAGAIN",
        "fork/exec /bin/true: resource temporarily unavailable",
        'Os { code: 11, kind: WouldBlock, message: "Resource temporarily unavailable" }',
        "sh: 1: Cannot fork",
    ],
)
def test_what_runtimes_say_of_a_refused_process(said):
    assert limit_behind(1, said, 0.1, SMALL).limit == "processes"
    assert limit_behind(0, said, 0.1, SMALL) is None


@pytest.mark.parametrize("said", ["fatal error: out of memory", "fatal error: runtime: cannot allocate memory"])
def test_go_tells_the_stacks_of_all_threads_behind_the_reason(said):
    stacks = "goroutine 1 [running]:\nmain.main()\n\t/w/main.go:12 +0x1d\n" * 100
    assert limit_behind(2, f"{said}\n\n{stacks}", 0.1, SMALL).limit == "memory_mb"


def test_node_says_in_words_of_its_own_that_there_is_no_memory_left() -> None:
    said = "node:internal/buffer:1063\n  return new FastBuffer();\n\nRangeError: Array buffer allocation failed\n"
    assert limit_behind(1, said, 0.1, SMALL).limit == "memory_mb"
    assert limit_behind(0, said, 0.1, SMALL) is None
