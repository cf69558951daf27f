"""Sessions that are stopped: by keys, by signals, by a crash, by a full disk. Finished work stays."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.bench import ADD_REPLY, Bench, Run
from support.server import ChatServer, Reply


def half_hanging(request: dict[str, object]) -> Reply:
    """The first task is answered, the second never."""
    return Reply(ending="hang") if "Task two" in str(request["messages"]) else Reply(text=ADD_REPLY)


def start_and_wait(bench: Bench, server: ChatServer, *args: str) -> subprocess.Popen[str]:
    bench.task("one")
    bench.task("two")
    options = ("--llm-model=test-model", f"--llm-base-url={server.base_url}", "--llm-concurrency=1", *args)
    process = bench.start(*options)
    items = bench.root / ".llmbench/latest/items.jsonl"
    deadline = time.monotonic() + 60
    while not (items.exists() and len(items.read_text().splitlines()) == 3 and server.in_flight):
        assert time.monotonic() < deadline, "the session did not get as far"
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
@pytest.mark.parametrize("how", ["ctrl-c", "int-controller", "term-controller"])
def test_an_interrupt_ends_at_once_and_leaves_a_readable_run(bench: Bench, workers: tuple[str, ...], how: str) -> None:
    with ChatServer(half_hanging) as server:
        process = start_and_wait(bench, server, *workers)
        began = time.monotonic()
        if how == "ctrl-c":
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGINT if how == "int-controller" else signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        took_s = time.monotonic() - began
        server.wait_for(lambda s: s.in_flight == 0)
    assert process.returncode == 2, out + err
    assert took_s < 6, f"{took_s:.1f} s (the aim is 2 s)"
    assert "stopped before the end: interrupted" in out
    assert "attempts: 1 scored, 1 not run" in out
    assert "Traceback" not in err
    run = Run(process.returncode, out, err, bench.root)
    assert run.attempt("one", "test-model")["points"] == 4.0
    assert run.attempt("two", "test-model")["status"] == "not_run"
    assert run.attempt("two", "test-model")["reason"] == "interrupted"


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
def test_kill_9_loses_only_what_was_in_flight(bench: Bench, workers: tuple[str, ...]) -> None:
    with ChatServer(half_hanging) as server:
        process = start_and_wait(bench, server, *workers)
        process.kill()
        process.communicate(timeout=30)
        server.wait_for(lambda s: s.in_flight == 0)
        shown = subprocess.run(
            [*bench.command()[:2], "pytest_llmbench", ".llmbench/latest"],
            cwd=bench.root, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert shown.returncode == 0, shown.stderr
        assert "attempts: 1 scored, 1 not run" in shown.stdout
        assert "stopped before the end: the session was killed" in shown.stdout
        server.script = ADD_REPLY
        before = server.chat_count
        rerun = bench.run("--llm-model=test-model", f"--llm-base-url={server.base_url}", *workers)
        assert rerun.exit == 0
        assert server.chat_count == before + 1
        assert rerun.row("test-model")["total"] == 8.0


CRASH = """\
import os
import pytest

pytestmark = pytest.mark.llm_task(id="{id}", points=3, files=["add.py"], prompt_text="Write add.")


@pytest.mark.rubric("before", points=1)
def test_before(submission):
    pass


@pytest.mark.rubric("crash", points=1)
def test_crash(submission):
    os._exit(7)


@pytest.mark.rubric("after", points=1)
def test_after(submission):
    pass
"""


@pytest.mark.parametrize("workers", ["-n1", "-n2"])
def test_a_grader_that_crashes_its_worker_loses_no_other_attempt(bench: Bench, workers: str) -> None:
    bench.task("a")
    bench.task("b-crash", CRASH)
    bench.task("c-crash", CRASH)
    bench.task("d")
    for task in ("a", "b-crash", "c-crash", "d"):
        bench.file(f"replies/{task}.md", ADD_REPLY)
    run = bench.run("--llm-model=mine=dir:replies", workers, timeout_s=90)
    assert run.exit == 1, run.out
    states = {a["task"]: (a["status"], a["points"]) for a in run.results["attempts"]}
    assert states == {"a": ("scored", 4.0), "d": ("scored", 4.0), "b-crash": ("error", 0.0), "c-crash": ("error", 0.0)}
    assert run.attempt("b-crash", "mine")["error"]["kind"] == "grader"
    outcomes = {c["id"]: c["outcome"] for c in run.attempt("b-crash", "mine")["criteria"]}
    assert outcomes == {"before": "earned", "crash": "not_reached", "after": "earned"}


@pytest.mark.slow
def test_stopping_early_asks_little_more_than_is_graded(bench: Bench, workers: tuple[str, ...]) -> None:
    for number in range(12):
        bench.task(f"t{number:02}")
    with ChatServer(Reply(text="```python\ndef add(a, b):\n    return 7\n```")) as server:
        options = ("--llm-model=test-model", f"--llm-base-url={server.base_url}", "--llm-concurrency=2")
        run = bench.run(*options, "-x", *workers)
        assert run.exit in (1, 2)
        assert server.chat_count <= 6
        assert run.results["run"]["finished"] is False
        assert {a["status"] for a in run.results["attempts"]} >= {"not_run"}


def test_the_first_401_stops_that_model_and_not_the_session(bench: Bench, either_way: tuple[str, ...]) -> None:
    for name in ("one", "two", "three"):
        bench.task(name)
    script = {"locked": Reply.error(401, "Invalid API Key", "authentication_error"), "right": ADD_REPLY}
    with ChatServer(script) as server:
        run = bench.run("--llm-model=locked,right", f"--llm-base-url={server.base_url}", *either_way)
        assert [r.model for r in server.requests].count("locked") == 1
    assert run.row("right")["rank"] == 1
    assert {a["error"]["kind"] for a in run.results["attempts"] if a["model"] == "locked"} == {"auth"}
    assert run.out.count("ERROR at setup of") == 1
    assert run.counts()["errors" if "errors" in run.counts() else "error"] == 1


def test_an_unreachable_server_is_told_once_and_costs_no_other_model(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    run = bench.run("--llm-model=gone,mine=dir:replies", "--llm-base-url=http://127.0.0.1:9/v1", *either_way)
    assert run.exit == 1
    assert run.row("mine")["rank"] == 1
    assert run.attempt("add", "gone")["error"]["kind"] == "connection"
    assert run.out.count("ERROR at setup of") == 1


def test_unknown_model_is_refused_with_near_names(bench: Bench) -> None:
    bench.task("add")
    with ChatServer(ADD_REPLY, models=["gpt-oss-20b", "qwen3-coder"]) as server:
        run = bench.run("--llm-model=gpt-os-20b", f"--llm-base-url={server.base_url}")
        assert server.chat_count == 0
    assert run.exit == 4
    assert "gpt-os-20b" in run.err
    assert "gpt-oss-20b" in run.err
    assert "Traceback" not in run.err


def test_remote_workers_are_refused_by_name(bench: Bench) -> None:
    bench.task("add")
    run = bench.run("--llm-model=builtin/reference", "--tx", "ssh=user@host", "--dist=load")
    assert run.exit == 4
    assert "--tx ssh=user@host" in run.err


def test_no_sandbox_is_refused_with_what_to_install(bench: Bench, tmp_path: Path) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    run = bench.run("--llm-model=mine=dir:replies", "--llm-sandbox=bubblewrap", PATH=str(tmp_path))
    assert run.exit == 4
    assert "apt-get install bubblewrap" in run.err
    assert bench.run("--llm-model=mine=dir:replies", "--llm-sandbox=none", PATH=str(tmp_path)).exit == 0


def test_a_run_folder_that_cannot_be_written_is_refused(bench: Bench) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    bench.file("taken", "a file where the run folder should be")
    run = bench.run("--llm-model=mine=dir:replies", "--llm-run-dir=taken")
    assert run.exit == 4
    assert "cannot write" in run.err
    assert "--llm-run-dir=PATH" in run.err
    assert "Traceback" not in run.err


def in_namespace(bench: Bench, mount: list[str], *args: str) -> subprocess.CompletedProcess[str]:
    """Run pytest where one folder is a file system of its own."""
    command = ["bwrap", "--dev-bind", "/", "/", *mount, "--chdir", str(bench.root), *bench.command(*args)]
    return subprocess.run(command, env=bench.environment(), capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_a_read_only_run_folder_is_refused(bench: Bench) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    (bench.root / "locked").mkdir()
    locked = str(bench.root / "locked")
    run = in_namespace(bench, ["--ro-bind", locked, locked], "--llm-model=mine=dir:replies", "--llm-run-dir=locked")
    assert run.returncode == 4, run.stdout + run.stderr
    assert "Read-only file system" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
def test_a_full_disk_loses_no_finished_work(bench: Bench, workers: tuple[str, ...]) -> None:
    for number in range(30):
        bench.task(f"t{number:02}")
        bench.file(f"replies/t{number:02}.md", ADD_REPLY + "x" * 3000)
    (bench.root / "small").mkdir()
    mount = ["--size", str(160 * 1024), "--tmpfs", str(bench.root / "small")]
    run = in_namespace(bench, mount, "--llm-model=mine=dir:replies", "--llm-run-dir=small", *workers)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "No space left on device" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    assert "INTERNALERROR" not in run.stdout + run.stderr
    assert "mine" in run.stdout[run.stdout.index(" llmbench =") :]
