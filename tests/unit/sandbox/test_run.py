"""Running commands: what both backends promise."""

import json
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.supervise.procfs import with_environment
from pytest_llmbench.sandbox.unsandboxed import Local
from pytest_llmbench.schema.execution import Limits


def test_hello_in_python(python):
    result = python("print('hello')")
    assert (result.ok, result.stdout, result.stderr, result.exit_code) == (True, "hello\n", "", 0)
    assert result.command[:2] == ("python", "-S")


def test_hello_in_node(either):
    if "node" not in either.toolchains:
        pytest.skip("no node")
    assert either.run(["node", "-e", "console.log('hello')"]).stdout == "hello\n"


def test_working_directory_is_the_workspace(python, workspace):
    python("open('made.txt', 'w').write('x')", keep=["made.txt"])
    assert (workspace / "made.txt").read_text() == "x"


def test_exit_status_and_streams_are_kept_apart(python):
    result = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")
    assert (result.exit_code, result.stdout, result.stderr, result.ok) == (7, "out\n", "err\n", False)


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGTERM"])
def test_a_signal_is_a_negative_exit_code(python, name):
    result = python(f"import os, signal; os.kill(os.getpid(), signal.{name})")
    assert result.exit_code == -signal.Signals[name]
    assert result.stderr == ""


def test_missing_program_is_a_result(either):
    result = either.run(["no-such-program"])
    assert result.exit_code == 127
    assert "no-such-program" in result.stderr


def test_a_toolchain_that_was_not_asked_for_is_named(either):
    with pytest.raises(SandboxError, match=r"needs the toolchain 'go'"):
        either.run(["go", "version"])


def test_environment_is_an_allow_list(python, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    seen = json.loads(python("import json, os; print(json.dumps(dict(os.environ)))", env={"MODE": "fast"}).stdout)
    assert seen.pop("MODE") == "fast"
    assert set(seen) <= {
        "PATH", "HOME", "TMPDIR", "LANG", "TZ", "WORKSPACE", "PYTHONHASHSEED", "PWD", "LLMBENCH_COMMAND",
    }  # fmt: skip


def test_home_is_new_each_time(python):
    source = "import os; h = os.environ['HOME']; print(os.listdir(h)); open(h + '/x', 'w').close()"
    assert python(source).stdout == python(source).stdout == "[]\n"


def test_sets_have_one_order(python):
    assert len({python("print({'a', 'b', 'c', 'd', 'e', 'f'})").stdout for _ in range(3)}) == 1


def test_stdin_is_empty_or_what_was_given(python):
    assert python("import sys; print(sys.stdin.read())").stdout == "\n"
    assert python("import sys; print(sys.stdin.read())", stdin="grüße").stdout == "grüße\n"


def test_large_input_and_output_do_not_block_each_other(python):
    source = "import sys\nfor line in sys.stdin: sys.stdout.write(line)"
    text = "x" * 999 + "\n"
    result = python(source, Limits(output_bytes=5_000_000), stdin=text * 4000)
    assert result.ok
    assert result.stdout == text * 4000


def test_input_that_is_never_read_does_no_harm(python):
    assert python("print('done')", stdin="x" * 3_000_000).stdout == "done\n"


def test_bad_utf8_is_escaped(python):
    assert python(r"import os; os.write(1, b'\xff\x00ok')").stdout == "\\xff\x00ok"


def test_cpu_time_of_children_counts(python):
    source = """
import subprocess, sys
busy = "import time\\nwhile time.process_time() < 0.3: pass"
subprocess.run([sys.executable, "-S", "-c", busy])
"""
    assert 0.3 <= python(source).cpu_s < 2


def test_what_detaches_itself_is_ended(python, tmp_path):
    source = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("alive", flush=True)
        time.sleep(60)
    os._exit(0)
time.sleep(0.3)
"""
    result = python(source, env={"MARK": str(tmp_path)})
    assert (result.exit_code, result.stdout) == (0, "alive\n")
    assert with_environment(f"MARK={tmp_path}".encode()) == []


def test_a_pipe_held_open_does_not_hold_us(python):
    source = """
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(30)
print("done")
"""
    result = python(source)
    assert result.stdout == "done\n"
    assert result.wall_s < 10


def test_several_at_once(either):
    def run(number):
        return either.run(["python", "-S", "-c", f"print({number})"]).stdout

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(12))) == [f"{number}\n" for number in range(12)]


def test_an_interrupt_while_waiting_ends_the_tree(python, workspace, bed):
    main = threading.main_thread().ident

    def interrupt():
        while not (bed / "alive").exists():
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    source = """
import time
while True:
    with open("alive", "a") as file:
        file.write("x")
    time.sleep(0.01)
"""
    with pytest.raises(KeyboardInterrupt):
        python(source, env={"MARK": str(workspace)})
    thread.join()
    assert with_environment(f"MARK={workspace}".encode()) == []
    assert list(workspace.parent.iterdir()) == [workspace]


def test_an_interrupt_before_its_process_id_is_known_ends_it_too(tmp_path, monkeypatch):
    """Between the start of a program and the moment when whoever started it is told."""
    started = []

    class Interrupted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)
            raise KeyboardInterrupt

    monkeypatch.setattr("pytest_llmbench.sandbox.supervise.process.subprocess.Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        Local(tmp_path).run(["sleep", "60"])
    assert started[0].wait(30) == -signal.SIGKILL


def test_no_descriptor_is_left_behind(python):
    python("pass")
    before = len(list(Path("/proc/self/fd").iterdir()))
    python("pass", stdin="x")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
