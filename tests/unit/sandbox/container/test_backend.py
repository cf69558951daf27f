"""Programs in containers, with each runtime that works here and an image made of this machine's files."""

import json
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest
from support.images import make_image, remove_image

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.container import engine as container_engine
from pytest_llmbench.sandbox.container.backend import container
from pytest_llmbench.sandbox.container.toolchains import find_toolchain
from pytest_llmbench.sandbox.self_test import prove
from pytest_llmbench.sandbox.supervise.procfs import with_environment
from pytest_llmbench.schema.execution import Limits

PROJECT = Path(__file__).parents[4]
SMALL = Limits(wall_s=20, cpu_s=10, memory_mb=200, processes=30, output_bytes=100_000, file_mb=2, disk_mb=20)


def with_limits(**changes):
    return Limits(**{field: getattr(SMALL, field) for field in SMALL.__slots__} | changes)


@cache
def why_not(runtime):
    """Why a runtime cannot be tried here; empty: it can."""
    try:
        container_engine.engine(runtime)
    except SandboxError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module", params=["podman", "docker"])
def runtime(request):
    if reason := why_not(request.param):
        pytest.skip(reason)
    return request.param


@pytest.fixture(scope="module")
def image(runtime, tmp_path_factory):
    try:
        name = make_image(runtime, tmp_path_factory.mktemp("image"))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"{runtime} cannot import an image here: {error.stderr}")
    try:
        prove(container(runtime, name)(tmp_path_factory.mktemp("proof")), runtime, isolated=True)
    except SandboxError as error:
        remove_image(runtime, name)
        pytest.skip(f"{runtime} cannot run a container here: {error}")
    yield name
    remove_image(runtime, name)


@pytest.fixture
def sandbox(runtime, image, workspace):
    return container(runtime, image)(workspace, [find_toolchain(runtime, image, "python")])


@pytest.fixture
def python(sandbox):
    def run(source, limits=None, **options):
        return sandbox.run(["python", "-S", "-c", source], limits, **options)

    return run


@pytest.fixture
def out_of_sight(monkeypatch):
    """As where the runtime is in a virtual machine: no process of a container can be found."""
    monkeypatch.setattr("pytest_llmbench.sandbox.container.watchdog.find", lambda *_: None)
    monkeypatch.setattr("pytest_llmbench.sandbox.container.watchdog.START_S", 2.0)


@pytest.fixture
def left_over(runtime, image):
    """Names of the image's containers, whether they run or not."""

    def ask():
        command = [runtime, "ps", "--all", "--filter", f"ancestor={image}", "--format", "{{.Names}}"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    return ask


# What it is


def test_it_says_what_it_is(runtime, image):
    described = container(runtime, image).describe()
    assert described.startswith(f"{runtime} ")
    assert f"image {image} (" in described


def test_it_finds_the_toolchains_of_the_image(runtime, image):
    found = find_toolchain(runtime, image, "python")
    assert (str(found.executable), found.mounts) == ("/usr/local/bin/python3", ())
    assert found.version.startswith("3.")
    assert str(find_toolchain(runtime, image, "unshare").executable) in ("/bin/unshare", "/usr/bin/unshare")
    assert find_toolchain(runtime, image, "node") is None
    assert find_toolchain(runtime, image, "no-such-program") is None


def test_a_missing_image_is_not_pulled(runtime, image):
    with pytest.raises(SandboxError, match=f"'localhost/none' is not on this machine.*{runtime} pull localhost/none"):
        container(runtime, "localhost/none").describe()


def test_a_missing_runtime(runtime, image, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    backend = container(runtime, image)
    with pytest.raises(SandboxError, match=f"{runtime} is not installed"):
        backend.describe()
    with pytest.raises(SandboxError, match=f"{runtime} is not installed"):
        backend(tmp_path)
    assert runtime in backend.remedy.lower()
    assert f"{runtime} pull {image}" in backend.remedy


# Honest programs


def test_an_honest_program(sandbox, workspace):
    (workspace / "given").write_text("given")
    command = ["sh", "-c", "cat; cat given; echo error >&2; echo made >made; exit 3"]
    result = sandbox.run(command, SMALL, stdin="said ", keep=["made"])
    assert (result.stdout, result.stderr, result.exit_code, result.limit_hit) == ("said given", "error\n", 3, None)
    assert result.command == tuple(command)
    assert (workspace / "made").read_text() == "made\n"


def test_times_are_the_programs_own(python):
    result = python("import time\nwhile time.process_time() < 0.3: pass\ntime.sleep(0.2)")
    assert 0.25 <= result.cpu_s < 2
    assert 0.45 <= result.wall_s < 10
    assert python("pass").cpu_s < 0.3  # what the runtime takes is more


def test_calls_go_to_a_driver(sandbox, workspace):
    (workspace / "add.py").write_text("def add(a, b):\n    print('adding')\n    return a + b\n")
    results = sandbox.calls("add.py", "add", [[1, 2], ["a", "b"], [1, "b"]])
    assert [(result.outcome, result.value) for result in results] == [
        ("returned", 3),
        ("returned", "ab"),
        ("raised", None),
    ]
    assert results[0].stdout == "adding\n"


def test_no_output_is_lost(python):
    result = python("import os\nfor _ in range(50): os.write(1, b'x' * 10_000); os.write(2, b'y' * 7)")
    assert (len(result.stdout), len(result.stderr)) == (500_000, 350)


def test_what_it_writes_can_be_run_in_tmp(sandbox):
    assert sandbox.run(["sh", "-c", "cat /bin/true >/tmp/t; chmod=; ls /tmp; ls -ld /tmp"]).stdout.startswith(
        "t\ndrwxrwxrwt"
    )


# Statuses


@pytest.mark.parametrize("status", [0, 1, 125, 126, 127, 128, 255])
def test_a_status_is_the_programs(sandbox, status):
    assert sandbox.run(["sh", "-c", f"exit {status}"]).exit_code == status


@pytest.mark.parametrize("signal", [2, 6, 9, 15])
def test_a_signal_is_the_programs(sandbox, signal):
    result = sandbox.run(["sh", "-c", f"kill -{signal} $$; echo alive"])
    assert (result.exit_code, result.stdout) == (-signal, "")


def test_a_missing_command_is_a_result(sandbox):
    first, second = sandbox.run(["no-such-command"]), sandbox.run(["no-such-command"])
    assert first.exit_code == 127
    assert "no-such-command" in first.stderr
    assert first.stderr == second.stderr


def test_a_failure_of_the_runtime_is_none(sandbox, runtime, tmp_path):
    with pytest.raises(
        SandboxError, match=rf"the container did not come up \({runtime} ended with status 12\d\).*no-such"
    ):
        sandbox.run(["true"], mounts=[tmp_path / "no-such-file"])
    with pytest.raises(SandboxError, match="comma"):
        sandbox.run(["true"], mounts=[tmp_path / "a,b"])


def test_a_forged_report_changes_nothing_but_its_own_status(python):
    source = r"""
import os
mark = open("/proc/1/cmdline", "rb").read().split(b"\0")[4]
for line in (b" began\n", b" ended 0 0 0 0 0 0 0\n0m0s 0m0s\n0m0s 0m0s\n"):
    os.write(2, b"\n" + mark + line)
os._exit(5)
"""
    assert python(source).exit_code == 5


# Isolation


KNOWN = {"HOME", "HOSTNAME", "LANG", "LC_CTYPE", "PATH", "PWD", "PYTHONHASHSEED", "TERM", "TMPDIR", "TZ", "WORKSPACE"}
KNOWN |= {"OF_THE_IMAGE", "container"}


def test_the_environment_is_clean(python, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:sk-secret@proxy:1")
    source = """
import glob, os
seen = [open(name).read() for name in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline")]
print(len(seen), any("sk-" + "secret" in text for text in seen))
print(sorted(name for name, value in os.environ.items() if value))
"""
    counted, names = python(source).stdout.splitlines()
    assert counted == "4 False"
    assert set(json.loads(names.replace("'", '"'))) <= KNOWN


def test_there_is_no_network(python):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        source = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        assert "PermissionError" in python(source).stderr
        assert "ConnectionRefusedError" in python(source, loopback=True).stderr
    outside = "import socket; socket.create_connection(('192.0.2.1', 80), 2)"
    assert "Network is unreachable" in python(outside, loopback=True).stderr


def test_loopback_where_asked_for(python):
    source = """
import socket
server = socket.create_server(("localhost", 0))
socket.create_connection(("localhost", server.getsockname()[1]), 2)
print("connected", open("/proc/net/dev").read().count(":"))
"""
    assert python(source, loopback=True).stdout == "connected 1\n"


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socket(38, socket.SOCK_SEQPACKET)",  # AF_ALG
        "check(libc.ptrace(0, 0, 0, 0))",
        "check(libc.unshare(0x10000000))",
        "check(libc.syscall(250, 0, 0, 0))",  # keyctl on x86_64, on aarch64 nothing
        "check(libc.shmget(0, 4096, 0o1600))",
    ],
)
def test_system_calls_are_denied(python, attempt):
    source = f"""
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def check(status):
    if status == -1: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
{attempt}
"""
    assert "PermissionError" in python(source).stderr


def test_files_of_the_machine_are_not_there(python, workspace):
    names = [str(workspace), str(PROJECT), str(Path.home() / ".ssh"), "/etc/shadow", "/run/podman"]
    source = f"""
import os
print([name for name in {names} if os.path.exists(name)], *map(os.listdir, ("/tmp", "/dev/shm", "/w")))
print(open("/etc/hosts").read())
if os.path.exists("/etc/resolv.conf"):
    print(*(line for line in open("/etc/resolv.conf") if line.startswith("nameserver")))
"""
    here, *resolved = python(source).stdout.split("\n127.0.0.1 localhost box\n::1 localhost box\n")
    assert here == "[] [] [] []"
    assert resolved[0].split() in ([], ["nameserver", "127.0.0.1"])


def test_it_has_no_rights(python):
    source = """
import re
status = open("/proc/self/status").read()
print(re.findall(r"^(?:Cap|NoNewPrivs|Seccomp:|Uid).*\\t(\\w+)$", status, re.M))
"""
    uid, *capabilities, no_new_privileges, seccomp = json.loads(python(source).stdout.replace("'", '"'))
    assert (uid == "0", set(capabilities), no_new_privileges, seccomp) == (False, {"0" * 16}, "1", "2")


@pytest.mark.parametrize("name", ["/x", "/bin/x", "/var/tmp/x", "/dev/x", "/etc/hosts", "/proc/sys/kernel/hostname"])
def test_nothing_but_the_workspace_can_be_written(python, name):
    assert "Error" in python(f"open({name!r}, 'a')").stderr


def test_a_mount_is_shown_alone_and_read_only(python, tmp_path):
    (tmp_path / "data").write_text("data")
    (tmp_path / "expected").write_text("hidden")
    name = str(tmp_path / "data")
    source = f"import os; print(open({name!r}).read(), os.listdir({str(tmp_path)!r})); open({name!r}, 'w')"
    result = python(source, mounts=[tmp_path / "data"])
    assert result.stdout == "data ['data']\n"
    assert "Read-only file system" in result.stderr


def test_signals_do_not_end_process_1(python):
    source = """
import os, signal
for number in set(signal.Signals) - {signal.SIGSTOP}:
    os.kill(1, number)
print({int(name) for name in os.listdir("/proc") if name.isdecimal()} == {1, os.getpid()})
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)
"""
    result = python(source)
    assert (result.exit_code, result.stdout) == (0, "True\nTrue True\n")


def test_a_program_that_destroys_process_1_has_failed(python):
    source = """
import re
for start, end in re.findall("(.*)-(.*) rw.*", open("/proc/1/maps").read()):
    with open("/proc/1/mem", "r+b", 0) as memory:
        memory.seek(int(start, 16))
        memory.write(bytes(int(end, 16) - int(start, 16)))
print("written")
"""
    result = python(source)
    assert (result.exit_code, result.stdout, result.limit_hit) == (-9, "written\n", None) or "Error" in result.stderr


# Limits


@pytest.mark.parametrize("seen", [True, False], ids=["in sight", "out of sight"])
def test_sleeping_hits_the_wall_limit(python, seen, request, left_over):
    if not seen:
        request.getfixturevalue("out_of_sight")
    result = python("import time; print('begun', flush=True); time.sleep(60)", with_limits(wall_s=0.5))
    assert (result.limit_hit.limit, result.limit_hit.allowed, result.stdout) == ("wall_s", 0.5, "begun\n")
    assert 0.5 <= result.limit_hit.observed < 10
    assert left_over() == []


def test_a_long_run_out_of_sight_hits_the_wall_limit(python, out_of_sight):
    result = python("import time; time.sleep(1)", with_limits(wall_s=0.5))
    assert (result.limit_hit.limit, result.exit_code) == ("wall_s", -9)


@pytest.mark.parametrize("seen", [True, False], ids=["in sight", "out of sight"])
def test_a_busy_loop_hits_the_cpu_limit(python, seen, request):
    if not seen:
        request.getfixturevalue("out_of_sight")
    result = python("while True: pass", with_limits(cpu_s=0.4))
    assert result.limit_hit.limit == "cpu_s"
    assert 0.4 <= result.limit_hit.observed < 5


MEMORY = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        kept = b"x" * 90_000_000
        time.sleep(2)
        os._exit(0)
for _ in range(6):
    os.wait()
"""


@pytest.mark.parametrize("seen", [True, False], ids=["in sight", "out of sight"])
def test_memory_of_several_processes_adds_up(python, seen, request):
    if not seen:
        request.getfixturevalue("out_of_sight")
    result = python(MEMORY, SMALL)
    assert (result.limit_hit.limit, result.limit_hit.allowed) == ("memory_mb", 200)


BOMB = """
import os, time
for _ in range(8):  # no more than 256 processes, should the limit fail
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
time.sleep(1)
"""


@pytest.mark.parametrize("seen", [True, False], ids=["in sight", "out of sight"])
def test_a_fork_bomb_hits_the_process_limit(python, seen, request, left_over):
    if not seen:
        request.getfixturevalue("out_of_sight")
    assert python(BOMB, SMALL).limit_hit.limit == "processes"
    assert left_over() == []


def test_a_flood_is_cut(python):
    result = python("for _ in range(100_000): print('x' * 1000)", SMALL)
    assert (result.limit_hit.limit, result.limit_hit.allowed, len(result.stdout)) == ("output_bytes", 100_000, 100_000)


def test_a_short_flood_is_seen_after_the_end(python):
    result = python("import os; os.write(1, b'o' * 1500); os.write(2, b'e' * 1500)", with_limits(output_bytes=2000))
    assert result.limit_hit.limit == "output_bytes"
    assert 2000 < result.limit_hit.observed <= 3000
    assert len(result.stdout) + len(result.stderr) == 2000


def test_output_up_to_the_limit_is_whole(python):
    result = python("import os; os.write(2, b'e' * 2000)", with_limits(output_bytes=2000))
    assert (result.limit_hit, len(result.stderr)) == (None, 2000)


def test_a_large_file_hits_the_file_limit(python):
    assert python("open('large', 'wb').write(b'x' * 3_000_000)", SMALL).limit_hit.limit == "file_mb"


@pytest.mark.parametrize("folder", ["/w", "/tmp"])
def test_many_files_hit_the_disk_limit(python, folder):
    source = f"for i in range(30): open(f'{folder}/{{i}}', 'wb').write(b'x' * 1_000_000)"
    assert python(source, SMALL).limit_hit.limit == "disk_mb"


def test_many_small_files_hit_the_limit_on_inodes(python):
    source = "import os, time\nfor i in range(300): os.mkdir(f'/tmp/{i}')\ntime.sleep(5)"
    assert python(source, with_limits(inodes=200)).limit_hit.limit == "inodes"


def test_open_files_are_limited(python):
    result = python("kept = [open('/proc/self/stat') for _ in range(100)]", with_limits(open_files=50))
    assert result.limit_hit.limit == "open_files"


def test_the_smallest_limits_leave_the_runtime_room(sandbox):
    assert sandbox.run(["sh", "-c", "echo up"], with_limits(processes=1, memory_mb=20, disk_mb=1, file_mb=1)).ok


# Nothing is left


def test_daemons_end_with_the_program(sandbox, workspace, left_over):
    daemon = "while true; do echo x >>alive; sleep 0.02; done"
    command = ["sh", "-c", f"setsid sh -c '{daemon}' >/dev/null 2>&1 & sleep 0.2; echo done"]
    result = sandbox.run(command, SMALL, env={"MARK": str(workspace)}, keep=["alive"])
    assert (result.stdout, result.limit_hit) == ("done\n", None)
    assert (workspace / "alive").exists()
    assert with_environment(f"MARK={workspace}".encode()) == []
    assert left_over() == []


def test_a_daemon_that_holds_the_output_open_does_not_hold_us(sandbox):
    started = time.monotonic()
    assert sandbox.run(["sh", "-c", "setsid sleep 60 & echo done"], SMALL).stdout == "done\n"
    assert time.monotonic() - started < 20


def test_ten_commands_leave_nothing(sandbox, left_over):
    for number in range(10):
        assert sandbox.run(["sh", "-c", f"echo {number}; exit {number}"]).exit_code == number
    assert left_over() == []


GRADER = """
import sys
sys.path.insert(0, {project!r})
from pathlib import Path
from pytest_llmbench.sandbox.container.backend import container
from pytest_llmbench.schema.execution import Limits
sandbox = container({runtime!r}, {image!r})(Path({workspace!r}))
sandbox.run(["sh", "-c", "echo up >up; sleep 60"], Limits(wall_s=20))
"""


def test_a_container_of_a_killed_grader_is_removed(runtime, image, workspace, left_over, monkeypatch):
    bed = workspace.with_name(f"{workspace.name}.bed1") / "w"
    monkeypatch.setenv("TMPDIR", str(workspace.parent))
    script = GRADER.format(project=str(PROJECT), runtime=runtime, image=image, workspace=str(workspace))
    grader = subprocess.Popen([sys.executable, "-c", script])
    for _ in range(1000):
        if (bed / "up").exists():
            break
        time.sleep(0.02)
    grader.kill()
    grader.wait()
    (name,) = left_over()
    container(runtime, image).describe()
    assert left_over() == [name]  # it may be another run's
    monkeypatch.setattr("pytest_llmbench.clock.wall", lambda: int(name.split("-")[1]) + 1.0)
    container(runtime, image).describe()
    assert left_over() == []
