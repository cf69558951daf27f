"""A canary key: a server repeats it, a task's tests look for it, and every byte of the run is searched for it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from support.bench import ADD_REPLY, Bench
from support.server import ChatServer, Reply

KEY = 'sk-canary/+"0123456789abcdef0123456789abcdef'
"""Written differently in JSON, in a URL and in base64. Another key's name is found by the pattern in ``SPY`` too."""
OTHER = KEY.replace("0123", "4567")

SPY = r'''
import contextlib
import gc
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.llm_task(
    id="spy", points=5, files=["add.py"], prompt_text="Write add.", toolchains=["python"]
)
CANARY = re.compile(rb"sk-canary/..?[0-9a-f]{32}")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


def memory():
    """Every writable byte of this process."""
    with open("/proc/self/mem", "rb", buffering=0) as file:
        for line in Path("/proc/self/maps").read_text().splitlines():
            place, rights = line.split()[:2]
            start, end = (int(part, 16) for part in place.split("-"))
            if rights.startswith("rw") and end - start < 2**29:
                with contextlib.suppress(OSError, OverflowError):
                    file.seek(start)
                    yield file.read(end - start)


def frames():
    """What a traceback that begins here could show."""
    frame = sys._getframe()
    while frame is not None:
        yield repr(frame.f_locals)
        frame = frame.f_back


def places():
    child = [sys.executable, "-c", "import os; print(os.environ)"]
    yield "environ", repr(os.environ)
    yield "inherited", subprocess.run(child, capture_output=True, text=True).stdout
    yield "copied", subprocess.run(child, capture_output=True, text=True, env=dict(os.environ)).stdout
    yield "frames", "".join(frames())
    yield "command line", Path("/proc/self/cmdline").read_text()
    if WORKER:
        yield "own proc", Path("/proc/self/environ").read_text()
        yield "objects", "".join(each for part in gc.get_objects() if isinstance(part, (dict, list, tuple))
                                 for each in (part.values() if isinstance(part, dict) else part)
                                 if type(each) is str and len(each) < 10_000)
        for number, part in enumerate(memory()):
            yield f"memory {number}", part.decode("latin-1")


@pytest.mark.rubric("crashes", points=1)
def test_crashes(submission):
    if WORKER in ("gw0", "gw1"):
        os._exit(3)


@pytest.mark.rubric("looks", points=1)
def test_looks(submission):
    found = {name: bool(CANARY.search(text.encode("latin-1", "replace"))) for name, text in places()}
    note = Path(f"spy-{WORKER or 'plain'}-{os.getpid()}-{time.monotonic_ns()}.json")
    note.write_text(json.dumps({"worker": WORKER, "token": os.environ.get("DB_TOKEN"), "found": found}))
    assert "DB_TOKEN" in dict(places())["inherited"]


@pytest.mark.rubric("sandboxed", points=1)
def test_sandboxed(sandbox):
    every = "import glob; print([open(p, 'rb').read() for p in glob.glob('/proc/[0-9]*/environ')])"
    print(sandbox.run(["python", "-c", "import os; print(os.environ); " + every]).stdout)
    environment = os.environ
    assert 0


@pytest.mark.rubric("stops", points=1)
def test_stops(submission):
    Path(f"here-{os.getpid()}").touch()
    deadline = time.monotonic() + 60
    while not Path("go").exists() and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.rubric("told", points=1)
def test_told(submission, completion, llm_attempt):
    print(submission.files, completion.text, completion.timings)
    raise OSError("a fault of the grader, with everything among its locals")
'''

ORDINARY = """
import os
import time
from pathlib import Path


def test_it_waits_for_all_replies():
    '''With Python 3.11, tracebacks made by two threads at once can break each other.'''
    assert os.environ["DB_TOKEN"]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ended = Path(".llmbench/latest/attempts.jsonl")
        if ended.exists() and len(ended.read_text().splitlines()) == %d:
            return
        time.sleep(0.05)
    assert False
"""

ECHO = {"X-Echo": f"Bearer {KEY}", "X-Percent": quote(KEY, safe="")}


@pytest.fixture
def bench(bench: Bench) -> Bench:
    """Its sessions have a start of their own: what their processes began with is looked at."""
    bench.cold = True
    return bench


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SCRIPT = {
    "good": Reply(ADD_REPLY, headers=ECHO),
    "parrot": Reply(
        f"{ADD_REPLY}\n{KEY} {base64_of(KEY)} {quote(KEY, safe='')}",
        reasoning=f"the key is {KEY}",
        model=f"parrot-{KEY}",
        timings={"predicted_n": 5, KEY: [KEY]},
        finish_reason="stop",
        headers=ECHO,
        pieces=40,
    ),
    "denied": Reply.error(401, f"no such key {KEY}, in base64 {base64_of(f'user:{KEY}')}, {quote(KEY, safe='')}"),
    "cut": Reply(f"{'x' * 480} {KEY}", finish_reason="length", headers=ECHO),
    "broken": Reply(f"{KEY} {KEY}", ending="proxy_error", headers={**ECHO, "Retry-After": "0"}),
    "plain": Reply.plain(500, f"trace: Authorization: Bearer {KEY}", Retry_After="0"),
    "array": Reply(body=json.dumps([KEY, {"error": {"message": KEY}}])),
}
LOUD = (
    "-vv", "-rA", "--showlocals", "--log-level=DEBUG", "--log-cli-level=DEBUG", "--durations=5",
    "--junitxml=junit.xml", "--json-report", "--max-worker-restart=99",
)  # fmt: skip
LOUD_LIBRARIES = {"LITELLM_LOG": "DEBUG", "OPENAI_LOG": "debug", "HTTPX_LOG_LEVEL": "trace", "PYTHONASYNCIODEBUG": "1"}


def forms(key: str) -> Iterator[bytes]:
    """The key as it may have been written down."""
    yield key.encode()
    yield quote(key, safe="").encode()
    yield json.dumps(key)[1:-1].encode()
    yield repr(key)[1:-1].encode()
    yield key.encode().hex().encode()
    for offset in range(3):
        yield base64.b64encode(bytes(offset) + key.encode())[4:-4]


def leaks(root: Path) -> list[str]:
    """Files below a folder that hold the key in some form, or its beginning."""
    needles = {*forms(KEY), *forms(OTHER), *list(forms(KEY[:14]))[:4]}
    found = []
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            found += [f"{path.relative_to(root)}: {needle!r}" for needle in needles if needle in data]
    return found


def processes_of(session: int) -> dict[int, bytes]:
    """Environment and command line of every process of a session but its first, as another process sees them."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(path.name) != session and os.getsid(int(path.name)) == session:
                found[int(path.name)] = (path / "environ").read_bytes() + (path / "cmdline").read_bytes()
    return found


WORKERS = ("-n2", "--dist=loadscope")
WAYS = {"plain-directly": (), "n2-litellm": WORKERS}
if os.environ.get("TOX_ENV_NAME"):  # the two other pairs of the same two things
    WAYS |= {"plain-litellm": (), "n2-directly": WORKERS}


@pytest.mark.slow
@pytest.mark.parametrize(("through", "workers"), [(way.split("-")[1], WAYS[way]) for way in WAYS], ids=WAYS)
def test_a_canary_key_is_nowhere(bench: Bench, tmp_path: Path, through: str, workers: tuple[str, ...]) -> None:
    bench.file("tasks/test_spy.py", SPY)
    bench.file("tests/test_ordinary.py", ORDINARY % len(SCRIPT))
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    env = {
        **LOUD_LIBRARIES,
        "OPENAI_API_KEY": KEY,
        "ANTHROPIC_API_KEY": OTHER,
        "GROQ_API_KEY": "",
        "MY_CURL_OPTIONS": f"-H 'Authorization: Bearer {KEY}'",
        "DB_TOKEN": "stays",
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
    }
    with ChatServer(SCRIPT, api_key=KEY) as server:
        if through == "litellm":
            options = [f"--llm-model={name}=openai/{name}" for name in SCRIPT]
            env["OPENAI_API_BASE"] = server.base_url
        else:
            options = [*(f"--llm-model={name}" for name in SCRIPT), f"--llm-base-url={server.base_url}", "--full-trace"]
        seen: dict[int, bytes] = {}
        with bench.start("tasks", "tests", *options, *LOUD, *workers, **env) as process:
            try:
                deadline = time.monotonic() + 120
                while not list(bench.root.glob("here-*")):
                    assert process.poll() is None, process.communicate()
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
                seen = processes_of(process.pid)
                (bench.root / "go").touch()
                out, err = process.communicate(timeout=180)
            finally:
                process.kill()
        authorized = [request.headers.get("authorization") for request in server.requests]

    assert "INTERNALERROR" not in out, out[out.find("INTERNALERROR") :][-2000:]
    assert set(authorized) == {f"Bearer {KEY}"}, "the endpoint got its key"
    results = json.loads((bench.root / ".llmbench/latest/results.json").read_text())
    ends = {attempt["model"]: attempt["status"] for attempt in results["attempts"]}
    assert ends.pop("good") == ends.pop("parrot") == "error", "their last point is a fault of the grader"
    assert set(ends.values()) == {"error"}
    assert "***" in out
    assert "DEBUG" in out, "the log was to be seen"
    assert "WORKSPACE" in out, "the sandbox's environment was to be seen"

    notes = [json.loads(path.read_text()) for path in bench.root.glob("spy-*.json")]
    assert len(notes) == 2
    for note in notes:
        assert note["token"] == "stays", "only keys of models are taken"
        assert [place for place, found in note["found"].items() if found] == []
    if workers:
        assert {note["worker"] for note in notes} - {"gw0", "gw1"}, "a spy ran in the replacement of a crashed worker"
        assert len(seen) >= 2
        assert all(b"DB_TOKEN" in text for text in seen.values() if b"execnet" in text)
    assert not [text for text in seen.values() if any(form in text for form in (*forms(KEY), *forms(OTHER)))]

    (tmp_path / "out.txt").write_text(out)
    (tmp_path / "err.txt").write_text(err)
    assert leaks(tmp_path) == []


FAULTS = """
import threading

from pytest_llmbench.llm.clients.openai_client import OpenAIClient
from pytest_llmbench.runs.results import Recorder


def broken(self):
    header = self._headers["Authorization"]
    raise RuntimeError(f"no connection with {header}")


def full(self, record):
    raise RuntimeError("a fault in the process that asks")


OpenAIClient._new = broken
Recorder.item = full
"""


@pytest.mark.slow
def test_our_own_faults_show_no_key(bench: Bench, tmp_path: Path, either_way: tuple[str, ...]) -> None:
    bench.task("add")
    bench.file("conftest.py", FAULTS)
    with ChatServer(ADD_REPLY, api_key=KEY) as server:
        options = ("--llm-model=test-model", f"--llm-base-url={server.base_url}", "--showlocals", "--full-trace", "-vv")
        run = bench.run("tasks", *options, *either_way, OPENAI_API_KEY=KEY)
    assert "INTERNALERROR" in run.out, run.out
    assert "a fault in the process that asks" in run.out
    kept = "".join(path.read_text() for path in (bench.root / ".llmbench").rglob("*.json*"))
    assert "no connection with Bearer ***" in run.out + kept
    (tmp_path / "out.txt").write_text(run.out + run.err)
    assert leaks(tmp_path) == []


FROM_FILE = """
import os

os.environ["OPENAI_API_KEY"] = "{key}"
os.environ["DB_TOKEN"] = "stays"
"""
LOOKS = """
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.llm_task(id="looks", points=1, files=["add.py"], prompt_text="Write add.")


@pytest.mark.rubric("looks", points=1)
def test_looks(submission):
    child = subprocess.run([sys.executable, "-c", "import os; print(os.environ)"], capture_output=True, text=True)
    for text in (str(os.environ), child.stdout):
        assert "OPENAI_API_KEY" not in text
        assert "DB_TOKEN" in text
"""


@pytest.mark.slow
def test_a_key_that_a_conftest_reads_from_a_file(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.file("tasks/test_looks.py", LOOKS)
    bench.file("conftest.py", FROM_FILE.replace("{key}", "sk-from-a-file-0123"))
    with ChatServer(ADD_REPLY, api_key="sk-from-a-file-0123") as server:
        run = bench.run("tasks", "--llm-model=test-model", f"--llm-base-url={server.base_url}", *either_way)
    assert run.counts() == {"passed": 1}, run.out


TWICE = """
import os
import subprocess
import sys

import pytest

LOOK = "import os; print(os.environ.get('OPENAI_API_KEY'), os.environ.get('GROQ_API_KEY'))"
for _ in range(2):
    assert pytest.main(sys.argv[1:]) == 0
    child = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True)
    print("AFTER", os.environ["OPENAI_API_KEY"] == {key!r}, child.stdout.strip() == {key!r} + " gsk")
assert pytest.main([*sys.argv[1:], "--llm-run-dir=/dev/null/runs"]) == 4
print("REFUSED", os.environ["OPENAI_API_KEY"] == {key!r})
"""


@pytest.mark.slow
def test_keys_are_put_back_when_the_session_ends(bench: Bench) -> None:
    bench.task("add")
    with ChatServer(ADD_REPLY, api_key=KEY) as server:
        options = ["tasks", "--llm-model=test-model", f"--llm-base-url={server.base_url}"]
        done = subprocess.run(
            [sys.executable, "-c", TWICE.replace("{key!r}", repr(KEY)), *options],
            cwd=bench.root,
            env=bench.environment(OPENAI_API_KEY=KEY, GROQ_API_KEY="gsk"),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("AFTER True True") == 2
    assert "REFUSED True" in done.stdout
    assert KEY not in done.stdout + done.stderr


@pytest.mark.slow
def test_a_key_that_cannot_be_sent_is_named_and_not_shown(bench: Bench) -> None:
    bench.task("add")
    run = bench.run("--llm-model=groq/m", GROQ_API_KEY=f"{KEY}\nX: y")
    assert "GROQ_API_KEY contains characters that are not allowed in an HTTP header" in run.out
    assert run.attempt("add", "groq/m")["status"] == "error"
    assert KEY not in run.out + run.err
