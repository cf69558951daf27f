"""Running programs under Landlock: what every backend promises, and what this one says when it cannot."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.zygote import own_children

from pytest_llmbench import toolchains
from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.landlock import abi as landlock_abi
from pytest_llmbench.sandbox.landlock import backend as landlock
from pytest_llmbench.sandbox.landlock.backend import Landlock
from pytest_llmbench.sandbox.self_test import prove
from pytest_llmbench.sandbox.supervise.procfs import with_environment
from pytest_llmbench.schema.execution import Limits, Toolchain

PROJECT = Path(__file__).parents[4]
SMALL = Limits(wall_s=20, cpu_s=10, memory_mb=200, processes=30, output_bytes=100_000, file_mb=1, disk_mb=8, inodes=300)
BUILD = Limits(wall_s=120, cpu_s=120, memory_mb=2048, processes=300)


@pytest.fixture
def box(workspace):
    if sys.platform != "linux":
        pytest.skip("Landlock is Linux's")
    found = [toolchain for name in ("python", "node") if (toolchain := toolchains.find(name))]
    return Landlock(workspace, found)


@pytest.fixture
def python(box):
    def run(source, limits=None, **options):
        return box.run(["python", "-S", "-c", source], limits, **options)

    return run


def test_it_says_what_it_is(box):
    assert Landlock.describe() == f"Landlock ABI {landlock_abi.abi()} + seccomp"
    prove(box, "landlock", isolated=True)


def test_hello_in_python_and_node(box):
    assert box.run(["python", "-S", "-c", "print('hello')"]).stdout == "hello\n"
    if "node" in box.toolchains:
        result = box.run(["node", "-e", "console.log(os.cpus().length > 0, os.totalmem() > 0)"])
        assert (result.stdout, result.stderr) == ("true true\n", "")


def test_functions_are_called(box, workspace):
    (workspace / "one.py").write_text("def add(a, b): return a + b")
    (workspace / "two.mjs").write_text("export const add = (a, b) => a + b")
    assert box.call("one.py", "add", 1, 2).value == 3
    if "node" in box.toolchains:
        assert box.call("two.mjs", "add", 1, 2).value == 3


def test_a_given_test_suite_is_run(box, workspace):
    (workspace / "add.py").write_text("def add(a, b): return a + b")
    suite = "from add import add\ndef test_adds(tmp_path): assert add(1, 2) == 3 and tmp_path.is_dir()\n"
    ran = box.run_tests("pytest", expected=["test_add.py::test_adds"], files={"test_add.py": suite})
    assert ran.ok, ran.execution


@pytest.mark.parametrize(
    ("name", "files", "command"),
    [
        ("cc", {"hello.c": '#include <stdio.h>\nint main(void) { puts("hello"); }'}, "cc -o hello hello.c && ./hello"),
        (
            "cargo",
            {
                "Cargo.toml": '[package]\nname = "hello"\nversion = "0.1.0"\nedition = "2021"\n',
                "src/main.rs": '#[test] fn passes() {}\nfn main() { println!("hello"); }\n',
            },
            "cargo build -q && cargo test -q >&2 && cp target/debug/hello . && cargo run -q",
        ),
    ],
)
def test_compilers(workspace, name, files, command):
    found = toolchains.find(name)
    if found is None:
        pytest.skip(toolchains.hint(name))
    if name == "cc" and os.geteuid() != 0:
        pytest.skip("a C compiler makes its output executable, which nothing can be for an ordinary user")
    for file, text in files.items():
        (workspace / file).parent.mkdir(exist_ok=True)
        (workspace / file).write_text(text)
    result = Landlock(workspace, [found]).run(["/bin/sh", "-c", command], BUILD)
    assert (result.stdout, result.exit_code) == ("hello\n", 0), result


def test_files_can_be_moved_and_linked_within_the_workspace(box):
    source = "mkdir a b; echo x >a/1; mv a/1 b/2; ln b/2 a/3; ln -s ../b/2 a/4; cat a/3 a/4; ls -i a/3 b/2"
    result = box.run(["/bin/sh", "-c", source])
    x, again, three, two = result.stdout.splitlines()
    assert (x, again, result.stderr) == ("x", "x", "")
    assert three.split()[0] == two.split()[0]


def test_modes_and_times_are_its_own_or_look_so(python):
    source = (
        "import os, shutil\nopen('a', 'w').close()\nos.chmod('a', 0o600)\nos.utime('a', (1, 1))\nshutil.copy2('a', 'b')"
        "\nprint(oct(os.stat('b').st_mode & 0o777))"
    )
    result = python(source)
    assert result.ok, result
    if os.geteuid() == 0:
        assert result.stdout == "0o600\n"


def test_environment_is_an_allow_list(python, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    seen = json.loads(python("import json, os; print(json.dumps(dict(os.environ)))", env={"MODE": "fast"}).stdout)
    assert set(seen) == {"PATH", "HOME", "TMPDIR", "LANG", "TZ", "WORKSPACE", "PYTHONHASHSEED", "MODE"}


def test_home_is_empty_and_gone_afterwards(python):
    source = """
import os
home = os.environ["HOME"]
print(home, os.listdir(home))
os.makedirs(f"{home}/a/b")
os.chmod(f"{home}/a", 0)
"""
    home, listed = python(source).stdout.split()
    assert listed == "[]"
    assert not Path(home).exists()


def test_input_and_streams(python):
    result = python("import sys; print(sys.stdin.read()); print('err', file=sys.stderr); sys.exit(7)", stdin="grüße")
    assert (result.stdout, result.stderr, result.exit_code) == ("grüße\n", "err\n", 7)


@pytest.mark.parametrize(("signal", "number"), [("SIGSEGV", 11), ("SIGKILL", 9), ("SIGPIPE", 13), ("SIGXFSZ", 25)])
def test_a_signal_is_a_negative_exit_code(box, signal, number):
    assert box.run(["/bin/sh", "-c", f"kill -{signal.removeprefix('SIG')} $$"]).exit_code == -number


def test_what_cannot_be_run_is_told_as_by_a_shell(box, workspace):
    missing, closed = box.run(["no-such-program"]), box.run(["/etc/passwd"])
    assert (missing.exit_code, missing.stderr) == (127, "no-such-program: No such file or directory\n")
    assert (closed.exit_code, closed.stderr) == (126, "/etc/passwd: Permission denied\n")
    (workspace / "script").write_text('echo "ran $1"')
    (workspace / "script").chmod(0o755)
    assert box.run(["./script", "so"]).stdout == "ran so\n"


def test_a_command_that_nothing_could_start_is_no_verdict(box):
    with pytest.raises(SandboxError, match="Argument list too long"):
        box.run(["/bin/true", "x" * 200_000])


def test_cpu_time_is_the_programs_alone(box, python):
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    source = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {busy!r}])"
    assert 0.3 <= python(source).cpu_s < 2
    assert box.run(["/bin/true"]).cpu_s < 0.1


LIMITS = {
    "cpu_s": ("while True: pass", {"cpu_s": 0.4}),
    "wall_s": ("import time; time.sleep(60)", {"wall_s": 0.4}),
    "memory_mb": ("kept = []\nwhile True: kept.append(bytearray(b'x') * 1_000_000)", {}),
    "processes": (
        "import os, time\nfor _ in range(8):\n  try: os.fork() and os.setsid()\n  except OSError: pass\ntime.sleep(60)",
        {},
    ),
    "open_files": ("kept = [open('/dev/null') for _ in range(200)]", {"open_files": 64}),
    "output_bytes": ("while True: print('x' * 1000)", {}),
    "file_mb": (
        "import signal; signal.signal(25, signal.SIG_DFL); open('large', 'wb').write(b'x' * 3_000_000)",
        {},
    ),
    "disk_mb": (
        "import os, time\nfor n in range(40): open(os.environ['TMPDIR'] + f'/{n}', 'wb').write(b'x' * 900_000)\n"
        "time.sleep(60)",
        {},
    ),
    "inodes": ("import os, time\nfor n in range(1000): os.mkdir(str(n))\ntime.sleep(60)", {}),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_hit_limit_is_named(python, name):
    source, changes = LIMITS[name]
    result = python(source, replace(SMALL, **changes))
    assert result.limit_hit is not None, result
    assert result.limit_hit.limit == name
    assert own_children() == []


def test_orphans_that_have_ended_do_not_count(python):
    source = """
import os
import time
for _ in range(300):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.wait()
    time.sleep(0.002)
"""
    result = python(source, replace(SMALL, processes=150))
    assert result.ok, result


SURVIVOR = """
import os, time
with open("home", "w") as file:
    file.write(os.environ["HOME"])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            with open("alive", "a") as file:
                file.write("x")
            time.sleep(0.01)
    os._exit(0)
"""


def test_what_detaches_itself_is_ended(python, workspace):
    waiting = "while not os.path.exists('alive'): time.sleep(0.01)"
    assert python(f"{SURVIVOR}\n{waiting}", env={"MARK": str(workspace)}).exit_code == 0
    assert with_environment(f"MARK={workspace}".encode()) == []


def test_a_pipe_held_open_does_not_hold_us(python):
    result = python("import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(30)\nprint('done')")
    assert result.stdout == "done\n"
    assert result.wall_s < 10


GRADER = """
import sys
sys.path.insert(0, {project!r})
from pathlib import Path
from pytest_llmbench.sandbox.landlock.backend import Landlock
from pytest_llmbench.schema.execution import Toolchain
python = Toolchain("python", Path({python!r}), "", (Path({base!r}),))
Landlock(Path({workspace!r}), [python]).run(["python", "-S", "-c", {source!r}])
"""


@pytest.fixture
def grader(workspace, bed):
    """A process that runs the survivor and waits for it."""
    found = toolchains.find("python")
    values = {"project": PROJECT, "python": found.executable, "base": sys.base_prefix, "workspace": workspace}
    text = {name: str(value) for name, value in values.items()}
    source = GRADER.format(**text, source=f"{SURVIVOR}\ntime.sleep(60)")
    started = subprocess.Popen([sys.executable, "-c", source], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not (bed / "alive").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    yield started
    started.kill()
    started.wait()
    started.stderr.close()


def test_nothing_outlives_a_killed_grader(grader, bed):
    assert processes_in(bed)
    assert Path((bed / "home").read_text()).is_dir()
    grader.kill()
    grader.wait()
    deadline = time.monotonic() + 20
    while (processes_in(bed) or bed.parent.exists()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not bed.parent.exists()
    assert processes_in(bed) == []


def test_a_killed_launcher_is_no_verdict(grader, bed):
    (launcher,) = Path(f"/proc/{grader.pid}/task/{grader.pid}/children").read_text().split()
    os.kill(int(launcher), 9)
    assert "SandboxError: landlock failed (status -9 of its launcher)" in grader.stderr.read()
    for pid in processes_in(bed):
        os.kill(pid, 9)


def processes_in(folder):
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str((entry / "cwd").readlink()).removesuffix(" (deleted)") == str(folder):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_an_interrupt_leaves_nothing(box, workspace, bed, monkeypatch):
    def interrupt(_exchange, _watchdog):
        while not (bed / "alive").exists():
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr("pytest_llmbench.sandbox.supervise.process._watch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        box.run(["/bin/sh", "-c", "while true; do echo x >>alive; sleep 0.01; done"])
    assert own_children() == []
    assert list(workspace.parent.iterdir()) == [workspace]


def test_no_descriptor_is_left_behind(box):
    box.run(["/bin/true"])
    before = len(list(Path("/proc/self/fd").iterdir()))
    box.run(["/bin/true"], stdin="x")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_network_of_its_own_is_refused(box):
    with pytest.raises(SandboxError, match=r"has no network to give.*--llm-sandbox=bubblewrap"):
        box.run(["/bin/true"], loopback=True)


def test_a_missing_mount_is_no_verdict(box, tmp_path):
    with pytest.raises(SandboxError, match=r"could not start.*no-such-file: No such file"):
        box.run(["/bin/true"], mounts=[tmp_path / "no-such-file"])


def test_a_mount_that_is_closed_is_no_verdict(box, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may open everything")
    (tmp_path / "closed").mkdir(0)
    with pytest.raises(SandboxError, match=r"closed: Permission denied\. Programs must be able to read that"):
        box.run(["/bin/true"], mounts=[tmp_path / "closed"])


def test_a_vanished_workspace_is_no_verdict(box, workspace):
    workspace.rmdir()
    with pytest.raises(SandboxError, match=r"the workspace .* cannot be copied for a command"):
        box.run(["/bin/true"])


def test_a_toolchain_that_is_not_there_is_no_verdict(workspace, tmp_path):
    lost = Toolchain("python", tmp_path / "gone/bin/python3", "", (tmp_path / "gone",))
    with pytest.raises(SandboxError, match=r"could not start.*gone: No such file"):
        Landlock(workspace, [lost]).run(["python", "-c", ""])


def test_a_launcher_that_does_not_come_up_is_no_verdict(box, tmp_path, monkeypatch):
    broken = tmp_path / "confine.py"
    broken.write_text("import no_such_module")
    monkeypatch.setattr(landlock, "_LAUNCHER", broken)
    with pytest.raises(SandboxError, match=r"(?s)landlock failed \(status 1 of its launcher\).*no_such_module"):
        box.run(["/bin/true"])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((-1, errno.ENOSYS), "does not have it"),
        ((-1, errno.EOPNOTSUPP), "switched off .add landlock to the boot parameter lsm="),
        ((-1, errno.EPERM), "refuses it: Operation not permitted"),
        ((4, 0), "version 4 of it, and 6 .Linux 6.12. is needed"),
    ],
)
def test_a_kernel_that_cannot_says_why(monkeypatch, workspace, answer, words):
    monkeypatch.setattr(landlock_abi, "_ask", lambda: answer)
    with pytest.raises(SandboxError, match=f"Landlock cannot be used: .*{words}"):
        Landlock.describe()
    with pytest.raises(SandboxError, match=words):
        Landlock(workspace)


def test_it_needs_no_program_of_the_system(box, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert shutil.which("bwrap") is None
    assert box.run(["/bin/echo", "ran"]).stdout == "ran\n"
