"""How near a session comes to the least time it could take.

Many small tasks, several models behind one slow server, and three sandboxed checks for each attempt. The ideal is the
larger of two times, for a session does both at once: waiting for the server wave by wave, and the checks alone, run
side by side by the same sandbox without pytest.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from measure import PYTEST, Machine, environment, run, say

from pytest_llmbench import toolchains
from pytest_llmbench.sandbox.protocol import Sandbox
from pytest_llmbench.sandbox.registry import own_backends
from pytest_llmbench.sandbox.selection import choose, open_sandbox

SERVER = Path(__file__).resolve().parents[1] / "tests" / "support" / "server.py"
POINTS = 3
AIM_RATIO = 1.5

ANSWER = "def answer(x):\n    return x + 1\n"
CHECK = "import sys; from answer import answer; print(answer(int(sys.argv[1])))"
TASK = """\
import pytest

pytestmark = pytest.mark.llm_task(
    id="{id}", suite="throughput", points=3, files=["answer.py"], toolchains=["python"],
    prompt_text="Write answer(x), which returns x + 1. This is task {id}.",
)
CHECK = {check!r}


def follows(sandbox, x):
    result = sandbox.run(["python", "-S", "-c", CHECK, str(x)])
    assert result.ok, result.stderr
    return result.stdout == f"{{x + 1}}\\n"


@pytest.mark.rubric("small", points=1)
def test_small(sandbox):
    assert follows(sandbox, 1)


@pytest.mark.rubric("large", points=1)
def test_large(sandbox):
    assert follows(sandbox, 10**6)


@pytest.mark.rubric("negative", points=1)
def test_negative(sandbox):
    assert follows(sandbox, -5)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--models", type=int, default=4)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds before each reply")
    parser.add_argument("--concurrency", type=int, default=32, help="requests in flight")
    parser.add_argument("-n", "--workers", type=int, default=2, help="xdist workers, and processes of the bare checks")
    parser.add_argument("--keep", type=Path, help="a new folder for the project, left there to be looked at")
    options = parser.parse_args()

    machine = Machine()
    attempts = options.tasks * options.models
    with project(options.keep) as folder:
        checks_s = bare_checks_s(folder, attempts * POINTS, options.workers)
        session_s, stats = session(folder, options)
        verify(folder, stats, options)
    waves_s = options.models * math.ceil(options.tasks / options.concurrency) * options.latency
    ideal_s = max(waves_s, checks_s)
    shown = f"at most {AIM_RATIO * ideal_s:.1f} s"
    say(f"the whole pytest command, {attempts} attempts", f"{session_s:.2f} s", shown)
    say("waiting for the server, wave by wave", f"{waves_s:.2f} s")
    say(f"{attempts * POINTS} bare checks, {options.workers} at a time", f"{checks_s:.2f} s")
    say("ideal: the larger of the two", f"{ideal_s:.2f} s")
    say("ratio of the command to the ideal", f"{session_s / ideal_s:.2f}", f"at most {AIM_RATIO}")
    machine.say()


@contextlib.contextmanager
def project(keep: Path | None) -> Iterator[Path]:
    """An empty folder for the project."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="llmbench-throughput-") as name:
            yield Path(name)
    else:
        keep.mkdir(parents=True)
        yield keep.resolve()


def session(folder: Path, options: argparse.Namespace) -> tuple[float, dict[str, Any]]:
    """Run pytest as a user would; its wall seconds, and what the server saw."""
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\nllm_taskpaths = ["tasks"]\n')
    (folder / "tasks").mkdir()
    for number in range(options.tasks):
        text = TASK.format(id=f"task-{number}", check=CHECK)
        (folder / "tasks" / f"test_task_{number}.py").write_text(text)
    models = [f"model-{number}" for number in range(options.models)]
    with server(models, options.latency) as url:
        command = [
            *(*PYTEST, "-q", "-n", str(options.workers)),
            f"--llm-model={','.join(models)}",
            f"--llm-base-url={url}/v1",
            f"--llm-concurrency={options.concurrency}",
        ]
        started = time.perf_counter()
        run(command, folder)
        seconds = time.perf_counter() - started
        with urllib.request.urlopen(f"{url}/stats") as answer:
            return seconds, json.load(answer)


@contextlib.contextmanager
def server(models: Sequence[str], latency_s: float) -> Iterator[str]:
    """The scripted server in a process of its own; its URL."""
    command = [sys.executable, str(SERVER), "--models", ",".join(models), "--latency", str(latency_s)]
    with subprocess.Popen(
        [*command, "--text", f"```python\n{ANSWER}```"], env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def verify(folder: Path, stats: dict[str, Any], options: argparse.Namespace) -> None:
    """End the benchmark if the session did not do what was to be measured."""
    results = json.loads((folder / ".llmbench" / "latest" / "results.json").read_text())
    attempts = options.tasks * options.models
    full = sum(each["status"] == "scored" and each["points"] == POINTS for each in results["attempts"])
    seen = [name for index, name in enumerate(stats["models"]) if index == 0 or name != stats["models"][index - 1]]
    for what, is_so, should in (
        ("attempts with full points", full, attempts),
        ("requests", stats["chat_count"], attempts),
        ("pairs of requests for different models in flight at one moment", stats["overlaps_between_models"], 0),
        ("changes of model, the first one included", len(seen), options.models),
    ):
        if is_so != should:
            raise SystemExit(f"wrong run: {is_so} {what}, not {should}")


def bare_checks_s(folder: Path, count: int, processes: int) -> float:
    """Wall seconds of ``count`` checks shared out among ``processes`` that are already running."""
    spawn = get_context("spawn")
    barrier = spawn.Barrier(processes + 1, timeout=600)
    shares = [count // processes + (number < count % processes) for number in range(processes)]
    with contextlib.ExitStack() as stack:
        for number, share in enumerate(shares):
            worker = spawn.Process(target=checks, args=(folder / f"bare-{number}", share, barrier), daemon=True)
            worker.start()
            stack.callback(worker.join)
        barrier.wait()
        started = time.perf_counter()
        barrier.wait()
        return time.perf_counter() - started


def checks(workspace: Path, count: int, barrier: Barrier) -> None:
    """Run one share of the checks, in a process of its own, between two meetings with the others."""
    try:
        python = toolchains.find("python")
        assert python is not None, toolchains.hint("python")
        workspace.mkdir()
        (workspace / "answer.py").write_text(ANSWER)
        sandbox = open_sandbox(choose("auto", own_backends()), workspace, [python])
        check_all(sandbox, 2)  # the first ones find the machine cold
        barrier.wait()
        check_all(sandbox, count)
        barrier.wait()
    except BaseException:
        barrier.abort()
        raise


def check_all(sandbox: Sandbox, count: int) -> None:
    """Run checks one after the other."""
    for number in range(count):
        result = sandbox.run(["python", "-S", "-c", CHECK, str(number)])
        assert result.stdout == f"{number + 1}\n", result


if __name__ == "__main__":
    main()
