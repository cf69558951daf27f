"""A run that was killed or stopped is gone on with, and ends as if nothing had happened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.bench import ADD_REPLY, Bench
from support.killing import (
    EPOCHS,
    IN_FLIGHT,
    TASKS,
    answer,
    essence,
    killed_again_and_again,
    options,
    undisturbed,
)
from support.server import ChatServer, Reply


@pytest.fixture
def suite(bench: Bench) -> Bench:
    for name in TASKS:
        bench.task(name)
    return bench


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_killed_and_resumed_ends_as_undisturbed(suite: Bench, workers: str) -> None:
    whole = undisturbed(suite)
    with ChatServer(answer) as server:
        run, _ = killed_again_and_again(suite, server, (0.1, 0.25), workers)
    assert essence(run.results) == essence(whole)
    assert len(list((suite.root / ".llmbench/runs").iterdir())) == 1


@pytest.mark.slow
def test_what_was_finished_before_is_not_the_whole(suite: Bench) -> None:
    """A part that came to its end, gone on with and killed, tells of the kill."""
    with ChatServer(answer) as server:
        suite.run(*options(server, "-k", "test_one"))
        asked = server.chat_count
        server.script = Reply(ending="hang")
        with suite.start(*options(server, "--llm-resume")) as process:
            server.wait_for(lambda s: s.chat_count > asked)
            process.kill()
            process.communicate()
    shown = subprocess.run(
        [sys.executable, "-m", "pytest_llmbench", ".llmbench/latest"],
        cwd=suite.root, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "stopped before the end: the session was killed" in shown.stdout
    assert "attempts: 2 scored, 4 not run" in shown.stdout


@pytest.mark.slow
def test_the_reply_of_another_run_is_one_used_again(suite: Bench) -> None:
    with ChatServer(answer) as server:
        first = suite.run(*options(server, "-k", "test_one")).results["run"]["id"]
        suite.run(*options(server, "-k", "test_two"))
        asked = server.chat_count
        rest = suite.run(*options(server, f"--llm-resume={first}", "-k", "test_two"))
        assert server.chat_count == asked
    assert [(each["task"], each["cached"]) for each in rest.results["attempts"]] == [
        *[("one", False)] * 2,
        *[("two", True)] * 2,
    ]


@pytest.mark.slow
def test_errors_are_asked_again_only_when_told_to(suite: Bench) -> None:
    with ChatServer(answer) as server:
        first = suite.run(*options(server))
        assert first.attempt("three", "test-model")["error"]["kind"] == "truncated"
        asked = server.chat_count
        again = suite.run(*options(server, "--llm-resume"))
        assert server.chat_count == asked
        assert "6 already in this run" in again.out
        server.script = ADD_REPLY
        mended = suite.run(*options(server, "--llm-resume=" + first.results["run"]["id"], "--llm-retry-errors"))
        assert server.chat_count == asked + EPOCHS
    assert mended.attempt("three", "test-model")["points"] == 4
    assert mended.results["run"]["id"] == first.results["run"]["id"]
    assert not mended.attempt("one", "test-model")["cached"]


@pytest.mark.slow
def test_a_part_that_was_selected_completes_the_run(suite: Bench) -> None:
    with ChatServer(answer) as server:
        part = suite.run(*options(server, "-k", "test_one"))
        assert len(part.results["attempts"]) == EPOCHS
        rest = suite.run(*options(server, "--llm-resume", "-k", "test_two"))
        assert server.chat_count == 2 * EPOCHS
    assert [each["task"] for each in rest.results["attempts"]] == ["one", "one", "two", "two"]
    assert rest.results["attempts"][0]["points"] == 4


REFUSED = {
    "--llm-epochs=3": "epochs was 2, is 3",
    "--llm-param=temperature=0.5": "params of 'test-model' was {}, is {'temperature': 0.5}",
    "--llm-model=other=test-model": "model 'other' is not in that run",
    "--llm-resume=nowhere": "no run 'nowhere'",
    "--llm-sandbox=none": ", is 'none' (restore it with --llm-sandbox=",
}


@pytest.mark.slow
def test_what_would_mix_figures_is_refused(suite: Bench) -> None:
    with ChatServer(answer) as server:
        suite.run(*options(server))
        for option, said in REFUSED.items():
            base = [word for word in options(server) if word.partition("=")[0] != option.partition("=")[0]]
            run = suite.run(*base, *(() if "resume" in option else ("--llm-resume",)), option)
            assert (run.exit, said in run.err) == (4, True), run.out + run.err
            assert "Traceback" not in run.err
        other = suite.run(*options(server)).results["run"]["id"]
        first = next(each.name for each in (suite.root / ".llmbench/runs").iterdir() if each.name != other)
        assert suite.run(*options(server), f"--llm-resume={first}", "--llm-param=seed=1").exit == 4
        assert (suite.root / ".llmbench/latest").resolve().name == other
        suite.task("one", (suite.root / "tasks/test_one.py").read_text() + "\n# changed\n")
        changed = suite.run(*options(server, "--llm-resume"))
        assert changed.exit != 0
        assert "task 'one' has changed since this run began" in changed.out + changed.err


def test_a_run_belongs_to_one_session(suite: Bench) -> None:
    with ChatServer(Reply(ending="hang")) as server, suite.start(*options(server)) as running:
        server.wait_for(lambda s: s.in_flight == IN_FLIGHT)
        other = suite.run(*options(server, "--llm-resume"))
        running.kill()
    assert other.exit == 4
    assert "still running" in other.err


@pytest.mark.slow
def test_the_stored_texts_are_kept(suite: Bench) -> None:
    with ChatServer(answer) as server:
        suite.run(*options(server))
        suite.run(*options(server, "--llm-resume"))
    reply = next(Path(suite.root, ".llmbench/latest/replies").rglob("one.1.json"))
    assert json.loads(reply.read_text())["outcome"]["completion"]["text"] == ADD_REPLY
