"""What a program inside bubblewrap cannot do."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.bubblewrap import Bubblewrap
from pytest_llmbench.schema.execution import Limits

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def python(sandbox):
    def run(source, limits=None, **options):
        return sandbox.run(["python", "-S", "-c", source], limits, **options)

    return run


def test_loopback_of_the_machine_is_out_of_reach(python):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        source = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        assert "PermissionError" in python(source).stderr
        assert "ConnectionRefusedError" in python(source, loopback=True).stderr


def test_the_network_is_out_of_reach(python):
    source = "import socket; socket.create_connection(('192.0.2.1', 80), 2)"
    assert "PermissionError" in python(source).stderr
    assert "Network is unreachable" in python(source, loopback=True).stderr


def test_processes_of_a_program_may_talk_to_each_other(python):
    source = "import socket; a, b = socket.socketpair(); a.send(b'said'); print(b.recv(9).decode())"
    assert python(source).stdout == "said\n"


def test_a_server_of_its_own_is_within_reach_where_asked_for(python):
    source = """
import socket
server = socket.create_server(("localhost", 0))
socket.create_connection(("localhost", server.getsockname()[1]), 2)
print("connected")
"""
    assert python(source, loopback=True).stdout == "connected\n"
    assert "PermissionError" in python(source).stderr


def test_no_process_shows_our_environment(python, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    source = """
import glob
seen = {}
for name in glob.glob("/proc/[0-9]*/environ"):
    try:
        seen[name] = open(name).read()
    except PermissionError:
        seen[name] = ""
print([name for name, text in seen.items() if "sk-secret" in text], any("PATH=" in text for text in seen.values()))
"""
    assert python(source).stdout == "[] True\n"


def test_folders_of_the_machine_are_not_there(python):
    source = f"""
import json, os
names = ["/root/.ssh", "/run", "/var", "/etc/shadow", "/sys", {str(PROJECT)!r}]
seen = {{name: os.path.exists(name) for name in names}}
seen["home"] = os.listdir("/home") if os.path.isdir("/home") else []
seen["tmp"] = os.listdir("/tmp")
seen["shm"] = os.listdir("/dev/shm")
print(json.dumps(seen))
"""
    seen = json.loads(python(source).stdout)
    assert not any(seen.values()), seen


@pytest.mark.parametrize(
    "name", ["/x", "/usr/x", "/dev/x", "/etc/x", "/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern"]
)
def test_nothing_but_the_workspace_can_be_written(python, name):
    result = python(f"open({name!r}, 'a')")
    assert "Error" in result.stderr


def test_a_link_out_of_the_workspace_leads_nowhere(python, workspace, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (workspace / "link").symlink_to(tmp_path / "secret")
    assert "FileNotFoundError" in python("open('link').read()").stderr


def test_new_user_namespaces_are_refused(sandbox):
    if not shutil.which("unshare"):
        pytest.skip("no unshare command")
    result = sandbox.run(["unshare", "-Ur", "true"])
    assert result.exit_code != 0


def test_other_processes_are_not_seen(python):
    source = "import os; print(sorted(int(name) for name in os.listdir('/proc') if name.isdecimal()), os.getpid())"
    assert python(source).stdout == "[1, 2] 2\n"


def test_process_1_cannot_be_killed(python):
    source = """
import os
for signal in (9, 15):
    try:
        os.kill(1, signal)
    except PermissionError:
        pass
print('alive')
"""
    result = python(source)
    assert (result.limit_hit, result.stdout) == (None, "alive\n")


def test_writing_to_any_descriptor_forges_no_status(python):
    source = r"""
import os
for fd in range(3, 100):
    try: os.write(fd, b'{ "exit-code": 0 }\n')
    except OSError: pass
os._exit(5)
"""
    assert python(source).exit_code == 5


def test_a_mount_is_shown_alone_and_read_only(python, tmp_path):
    (tmp_path / "data.txt").write_text("data")
    (tmp_path / "expected.txt").write_text("hidden")
    source = f"""
import os
print(open({str(tmp_path / "data.txt")!r}).read(), sorted(os.listdir({str(tmp_path)!r})))
open({str(tmp_path / "data.txt")!r}, "w")
"""
    result = python(source, mounts=[tmp_path / "data.txt"])
    assert result.stdout.startswith("data ['data.txt'")
    assert "Read-only file system" in result.stderr


def test_a_missing_mount_is_no_verdict(python, tmp_path):
    with pytest.raises(SandboxError, match=r"bubblewrap failed \(status 1\).*no-such-file"):
        python("pass", mounts=[tmp_path / "no-such-file"])


def test_a_vanished_workspace_is_no_verdict(sandbox, workspace):
    workspace.rmdir()
    with pytest.raises(SandboxError, match=r"the workspace .* cannot be copied for a command: .*Is it there"):
        sandbox.run(["true"])


def test_a_program_that_takes_over_process_1_still_ends(python):
    # Tracing is allowed among processes of one user: stopping process 1 must not keep us waiting.
    source = """
import ctypes, time
libc = ctypes.CDLL(None)
libc.ptrace(16, 1, 0, 0)
time.sleep(60)
"""
    result = python(source, Limits(wall_s=0.5))
    assert result.limit_hit.limit == "wall_s"
    assert result.wall_s < 10


def test_the_launcher_dies_with_its_parent(workspace, bed):
    script = f"""
import sys
sys.path.insert(0, {str(PROJECT)!r})
from pathlib import Path
from pytest_llmbench.sandbox.bubblewrap import Bubblewrap
Bubblewrap(Path({str(workspace)!r})).run(["sh", "-c", "while true; do echo x >> alive; sleep 0.02; done"])
"""
    parent = subprocess.Popen([sys.executable, "-c", script])
    for _ in range(500):
        if (bed / "alive").exists():
            break
        subprocess.run(["sleep", "0.02"], check=True)
    parent.kill()
    parent.wait()
    subprocess.run(["sleep", "0.2"], check=True)
    size = (bed / "alive").stat().st_size
    subprocess.run(["sleep", "0.2"], check=True)
    assert (bed / "alive").stat().st_size == size


def test_an_ordinary_user_gets_the_same(tmp_path_factory):
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root, to become an ordinary user with setpriv")
    base = Path("/var/tmp") if os.access("/var/tmp", os.W_OK) else Path("/tmp")
    folder = base / f"llmbench-test-{os.getpid()}"
    folder.mkdir()
    try:
        shutil.copytree(PROJECT / "pytest_llmbench", folder / "pytest_llmbench")
        (folder / "open").mkdir()
        (folder / "open").chmod(0o777)
        (folder / "open" / "workspace").mkdir()
        (folder / "open" / "workspace").chmod(0o777)
        script = folder / "script.py"
        script.write_text(
            "from pathlib import Path\n"
            "from pytest_llmbench.sandbox.registry import own_backends\n"
            "from pytest_llmbench.sandbox.selection import choose, open_sandbox\n"
            "from pytest_llmbench.schema.execution import Limits\n"
            "choice = choose('bubblewrap', own_backends())\n"
            f"sandbox = open_sandbox(choice, Path({str(folder / 'open' / 'workspace')!r}))\n"
            "print(sandbox.run(['sh', '-c', 'id -u; touch made; ls /root /run'], keep=['made']).stdout)\n"
            "bomb = sandbox.run(['sh', '-c', 'for i in $(seq 60); do sleep 30 & done; wait'], Limits(processes=20))\n"
            "print(bomb.limit_hit.limit)\n"
        )
        python = "/usr/bin/python3"
        version = subprocess.run(
            [python, "-c", "import sys; print(sys.version_info >= (3, 11))"],
            capture_output=True,
            text=True,
            check=False,
        )
        if version.stdout != "True\n":
            pytest.skip("needs a Python 3.11 below /usr that every user can run")
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", python, str(script)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        assert done.stderr == ""
        assert done.stdout == "65534\n\nprocesses\n"
        assert (folder / "open" / "workspace" / "made").exists()
        assert [path.name for path in (folder / "open").iterdir()] == ["workspace"]
    finally:
        shutil.rmtree(folder)


def test_it_says_when_bubblewrap_is_missing(workspace, monkeypatch):
    monkeypatch.setenv("PATH", str(workspace))
    with pytest.raises(SandboxError, match="not installed"):
        Bubblewrap(workspace)


def test_a_program_that_closes_its_workspace_does_not_spoil_the_next_run(python, workspace):
    assert python("import os; os.mkdir('a'); os.chmod('a', 0); os.chmod('.', 0)").ok
    assert python("print(open('x', 'w').write('y'))").stdout == "1\n"
    assert list(workspace.parent.iterdir()) == [workspace]
