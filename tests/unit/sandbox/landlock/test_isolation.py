"""What a program under Landlock cannot do, seen from outside."""

import contextlib
import ctypes
import os
import platform
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.hostile import TESTS_KEY
from support.zygote import own_children

from pytest_llmbench import toolchains
from pytest_llmbench.sandbox.kernel import seccomp, syscalls
from pytest_llmbench.sandbox.landlock.backend import Landlock

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux's")

TRY = """
import errno, os, socket, sys
def tried(name, what, *arguments):
    try:
        what(*arguments)
        print(name, "OK")
    except OSError as error:
        print(name, errno.errorcode[error.errno])
    except ValueError:
        print(name, "refused")
"""
CALL = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    if libc.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in args)) == -1:
        raise OSError(ctypes.get_errno(), "")
"""


@pytest.fixture
def box(workspace):
    found = [toolchain for name in ("python", "node") if (toolchain := toolchains.find(name))]
    return Landlock(workspace, found)


@pytest.fixture
def attempts(box):
    """Run a program that tries things by ``tried`` and ``call``; what became of each."""

    def run(source, **options):
        result = box.run(["python", "-S", "-c", TRY + CALL + source], **options)
        assert result.ok, result
        return dict(line.split() for line in result.stdout.splitlines())

    return run


@pytest.fixture
def canary():
    """A file with a secret in a folder that everyone may do everything with."""
    folder = Path(tempfile.mkdtemp(prefix="llmbench-canary-"))
    file = folder / "secret"
    file.write_text(secrets.token_hex(16))
    file.chmod(0o666)
    folder.chmod(0o777)
    yield file
    shutil.rmtree(folder)


def snapshot(file):
    status = file.stat()
    facts = (status.st_mode, status.st_uid, status.st_ino, status.st_nlink, status.st_size, status.st_mtime_ns)
    return (*facts, file.read_text(), sorted(file.parent.iterdir()), tuple(os.listxattr(file)))


def test_files_outside_are_neither_read_nor_changed(attempts, canary):
    before = snapshot(canary)
    seen = attempts(f"""
file = {str(canary)!r}
folder = os.path.dirname(file)
open("own", "w").close()
tried("read", open, file)
tried("list", os.listdir, folder)
tried("write", lambda: open(file, "a"))
tried("empty", lambda: open(file, "w"))
tried("truncate", os.truncate, file, 0)
tried("delete", os.unlink, file)
tried("move", os.rename, file, "stolen")
tried("replace", os.rename, "own", file)
tried("link", os.link, file, "linked")
tried("link-out", os.link, "own", folder + "/linked")
tried("symlink", os.symlink, file, folder + "/symlinked")
tried("mkdir", os.mkdir, folder + "/made")
tried("fifo", os.mkfifo, folder + "/fifo")
tried("create", lambda: open(folder + "/new", "x"))
tried("run", os.execv, file, [file])
os.symlink(file, "out")
tried("through-link", open, "out")
""")
    assert "OK" not in seen.values(), seen
    assert snapshot(canary) == before


def test_metadata_of_files_outside_stay_as_they_are(attempts, canary):
    before = snapshot(canary)
    attempts(f"""
file = {str(canary)!r}
tried("chmod", os.chmod, file, 0)
tried("utime", os.utime, file)
tried("old", os.utime, file, (1, 1))
tried("xattr", os.setxattr, file, "user.x", b"x")
tried("chown", os.chown, file, os.getuid(), os.getgid())
tried("link", os.chmod, "/proc/self/cwd/../" + file, 0)
""")
    assert snapshot(canary) == before


@pytest.mark.parametrize(
    "folder", ["/", "/home", "/root", "/tmp", "/etc", "/proc", "/dev", "/dev/shm", "/run", "/var", "/sys"]
)
def test_folders_of_the_machine_are_closed(attempts, folder):
    if not Path(folder).is_dir():
        pytest.skip("there is none here")
    seen = attempts(f"""
tried("list", os.listdir, {folder!r})
tried("make", open, {folder!r} + "/x-llmbench", "w")
""")
    assert "OK" not in seen.values()


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "/proc/self/environ", "/proc/net/dev", "/proc/self/mounts", "/dev/tty"]
)
def test_files_of_the_machine_are_closed(attempts, name):
    assert attempts(f"tried('read', open, {name!r})")["read"] in ("EACCES", "EPERM")


def test_programs_are_read_only(attempts):
    seen = attempts("tried('make', open, '/usr/x-llmbench', 'w')\ntried('write', open, sys.executable, 'a')")
    assert "OK" not in seen.values()


def test_a_mount_is_shown_alone_and_read_only(attempts, tmp_path):
    (tmp_path / "data.txt").write_text("data")
    (tmp_path / "expected.txt").write_text("hidden")
    seen = attempts(
        f"""
data, hidden = {str(tmp_path / "data.txt")!r}, {str(tmp_path / "expected.txt")!r}
tried("read", open, data)
tried("write", open, data, "a")
tried("link", os.link, data, "own")
tried("hidden", open, hidden)
tried("list", os.listdir, {str(tmp_path)!r})
""",
        mounts=[tmp_path / "data.txt"],
    )
    assert seen.pop("read") == "OK"
    assert "OK" not in seen.values()


def test_a_link_that_leads_out_of_a_mount_leads_nowhere(attempts, tmp_path, canary):
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "link").symlink_to(canary)
    assert attempts(f"tried('read', open, {str(shown / 'link')!r})", mounts=[shown]) == {"read": "EACCES"}


def test_no_server_of_the_machine_is_reached(attempts, canary):
    path, name = str(canary.parent / "socket"), f"llmbench-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))),
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
            stack.enter_context(socket.socket(socket.AF_UNIX)),
            stack.enter_context(socket.socket(socket.AF_UNIX)),
            stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)),
        ]
        servers[1].bind(("127.0.0.1", 0))
        for server, address in zip(servers[2:], (path, f"\0{name}", f"{path}-datagrams"), strict=True):
            server.bind(address)
            if not address.startswith("\0"):
                Path(address).chmod(0o777)
        for server in servers[2:4]:
            server.listen()
        seen = attempts(f"""
def tcp(): socket.create_connection(("127.0.0.1", {servers[0].getsockname()[1]}), 2)
def udp(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", {servers[1].getsockname()[1]}))
def unix(address): socket.socket(socket.AF_UNIX).connect(address)
def datagram(kind):
    pair = socket.socketpair(socket.AF_UNIX, kind)
    try: pair[0].sendto(b"x", {path + "-datagrams"!r})
    except OSError: pair[0].connect({path!r})
tried("tcp", tcp)
tried("udp", udp)
tried("path", unix, {path!r})
tried("abstract", unix, "\\0{name}")
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_RAW):
    tried("pair-%d" % kind, datagram, kind)
for family in range(46):
    tried("family-%d" % family, socket.socket, family, socket.SOCK_DGRAM)
""")
        seen.pop(f"pair-{socket.SOCK_SEQPACKET.value}")  # it takes no notice of an address
        assert "OK" not in seen.values(), seen
        for server in servers:
            server.setblocking(False)
            with pytest.raises(BlockingIOError):
                server.recv(1) if server.type == socket.SOCK_DGRAM else server.accept()


def test_processes_of_a_program_may_talk_to_each_other(box):
    source = "import socket; a, b = socket.socketpair(); a.send(b'said'); print(b.recv(9).decode())"
    assert box.run(["python", "-S", "-c", source]).stdout == "said\n"


@pytest.fixture
def neighbour():
    """A process of ours with a secret in its environment, of which nothing is to be known or changed."""
    started = subprocess.Popen(["sleep", "60"], env={"SECRET": "sk-neighbour"})
    yield started.pid
    assert started.poll() is None, "it was ended"
    started.kill()
    started.wait()


def share(pid):
    """What a process may use of the machine."""
    import resource

    limits = [resource.prlimit(pid, which) for which in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE)]
    return limits, os.getpriority(os.PRIO_PROCESS, pid), os.sched_getaffinity(pid), os.sched_getscheduler(pid)


def number(name):
    tables = syscalls._DENIED + syscalls._SHARED + syscalls._ABOUT_ONE
    rows = (line.split() for line in tables.splitlines())
    return next(int(row[1 + syscalls.ARCHITECTURES.index(platform.machine())]) for row in rows if row[:1] == [name])


def test_other_processes_are_neither_signalled_nor_slowed_nor_looked_into(attempts, neighbour):
    before = share(neighbour)
    seen = attempts(f"""
import resource, signal
pid, parent = {neighbour}, os.getppid()
for target in (pid, parent, {os.getpid()}, -1, -parent):
    tried("kill%d" % target, os.kill, target, 9)
tried("pidfd", lambda: signal.pidfd_send_signal(os.pidfd_open(pid), 9))
tried("limit", resource.prlimit, pid, resource.RLIMIT_CPU, (1, 1))
tried("nice", os.setpriority, os.PRIO_PROCESS, pid, 19)
tried("nice-all", os.setpriority, os.PRIO_USER, os.getuid(), 19)
tried("affinity", os.sched_setaffinity, pid, {{0}})
tried("scheduler", os.sched_setscheduler, pid, os.SCHED_IDLE, os.sched_param(0))
tried("ptrace", call, {number("ptrace")}, 16, pid, 0, 0)
tried("read-memory", call, {number("process_vm_readv")}, pid, 0, 0, 0, 0, 0)
for name in ("environ", "mem", "maps", "cmdline", "status", "fd/1", "root/etc/passwd"):
    tried(name, open, "/proc/%d/%s" % (pid, name), "rb")
tried("cwd", os.readlink, "/proc/%d/cwd" % pid)
tried("descriptors", os.listdir, "/proc/%d/fd" % parent)
""")
    seen.pop("kill-1")  # the kernel does not tell that it reached nobody
    assert "OK" not in seen.values(), seen
    assert share(neighbour) == before


def test_programs_side_by_side_are_strangers(attempts, box, bed):
    running = "echo $$ >number.new; mv number.new number; until [ -e tried ]; do sleep 0.01; done; echo alive"
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(box.run, ["/bin/sh", "-c", running])
        while not (bed / "number").exists():
            time.sleep(0.01)
        number = int((bed / "number").read_text())
        seen = attempts(f"""
tried("kill", os.kill, {number}, 9)
tried("memory", open, "/proc/{number}/mem")
tried("read", open, "{bed}/number")
tried("write", open, "{bed}/number", "w")
tried("plant", open, "{bed}/new", "w")
""")
        (bed / "tried").touch()
        assert other.result().stdout == "alive\n"
    assert "OK" not in seen.values(), seen


def test_a_program_may_signal_and_limit_itself_and_its_own(attempts):
    seen = attempts("""
import resource, time
child = os.fork()
if child == 0:
    time.sleep(60)
tried("kill", os.kill, child, 9)
tried("wait", os.waitpid, child, 0)
tried("limit", resource.setrlimit, resource.RLIMIT_CORE, (0, 0))
tried("affinity", os.sched_setaffinity, 0, os.sched_getaffinity(0))
""")
    assert set(seen.values()) == {"OK"}


def test_memory_that_the_machine_shares_is_out_of_reach(attempts):
    libc = ctypes.CDLL(None, use_errno=True)
    key = TESTS_KEY << 16 | secrets.randbelow(1 << 16)
    segment = libc.shmget(key, 4096, 0o1666)
    queue = libc.msgget(key, 0o1666)
    assert min(segment, queue) >= 0
    try:
        seen = attempts(f"""
tried("make", call, {number("shmget")}, 0, 4096, 0o1666)
tried("attach", call, {number("shmat")}, {segment}, 0, 0)
tried("remove", call, {number("shmctl")}, {segment}, 0, 0)
tried("send", call, {number("msgsnd")}, {queue}, 0, 0, 0)
tried("posix", call, {number("mq_open")}, 0, 0o102, 0o666, 0)
tried("shm", open, "/dev/shm/x-llmbench", "w")
""")
        assert "OK" not in seen.values(), seen
    finally:
        libc.shmctl(segment, 0, None)
        libc.msgctl(queue, 0, None)


@pytest.mark.parametrize("name", ["ptrace", "unshare", "mount", "chroot", "keyctl", "bpf", "inotify_add_watch"])
def test_a_dangerous_call_is_denied(attempts, name):
    assert attempts(f"tried('x', call, {number(name)}, 0, 0, 0, 0)") == {"x": "EPERM"}


def test_no_right_is_left_that_is_not_needed(attempts):
    seen = attempts("""
tried("root", os.setuid, 0)
tried("group", os.setgid, 0)
tried("groups", os.setgroups, [0])
tried("uid", os.setresuid, 54320, 54320, 54320)
tried("nice", os.nice, -5)
import resource
tried("limit", resource.setrlimit, resource.RLIMIT_NOFILE, (10**6, 10**6))
""")
    assert "OK" not in seen.values(), seen


def test_root_runs_programs_as_somebody_else(box):
    if os.geteuid() != 0:
        pytest.skip("for root")
    assert int(box.run(["/usr/bin/id", "-u"]).stdout) >= 1_900_000_000
    assert box.run(["/usr/bin/id", "-G"]).stdout == box.run(["/usr/bin/id", "-u"]).stdout


def test_descriptors_of_ours_are_not_passed_on(box, canary):
    with canary.open() as file:
        os.set_inheritable(file.fileno(), True)
        source = "import os; print([n for n in range(3, 200) if os.path.exists(f'/proc/self/fd/{n}')])"
        assert box.run(["python", "-S", "-c", source]).stdout == "[]\n"


def test_no_status_can_be_forged(box):
    source = (
        "import os\nfor fd in range(3, 200):\n  try: os.write(fd, b'ended 0 0')\n  except OSError: pass\nos._exit(5)"
    )
    assert box.run(["python", "-S", "-c", source]).exit_code == 5


def test_a_domain_of_its_own_is_no_way_out(attempts, neighbour):
    """Landlock may be used inside; whoever enters a further domain is ended all the same."""
    seen = attempts(f"""
import struct, time
libc.prctl(38, 1, 0, 0, 0)
attributes = struct.pack("QQQ", 0, 0, 2)
ruleset = libc.syscall(444, attributes, 24, 0)
tried("restrict", call, 446, ruleset, 0)
tried("kill", os.kill, {neighbour}, 9)
if os.fork() == 0:
    os.setsid()
    os.closerange(0, 3)
    time.sleep(60)
""")
    assert seen == {"restrict": "OK", "kill": "EPERM"}
    assert own_children() == [str(neighbour)]


def test_modes_of_files_within_a_mount_stay(attempts, tmp_path):
    file = tmp_path / "shown"
    file.write_text("x")
    before = file.stat().st_mode
    attempts(f"tried('chmod', os.fchmod, os.open({str(file)!r}, os.O_RDONLY), 0)", mounts=[file])
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE(before)


def test_the_filter_for_shared_surroundings_is_longer():
    assert len(seccomp.filter_program(shared=True)) > len(seccomp.filter_program())
