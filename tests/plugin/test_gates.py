"""Gates, shards and GitHub, through the whole command."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from support.bench import ADD_REPLY, WRONG_REPLY, Bench
from support.server import ChatServer, Reply

TASKS = ("one", "two", "three", "four")


def llmbench(bench: Bench, *words: object) -> subprocess.CompletedProcess[str]:
    """The command, in the project."""
    command = [sys.executable, "-P", "-m", "pytest_llmbench", *map(str, words)]
    return subprocess.run(command, cwd=bench.root, capture_output=True, text=True, env=bench.environment(), check=False)


@pytest.mark.slow
def test_a_baseline_that_is_better_fails_the_run(bench: Bench) -> None:
    for name in TASKS:
        bench.task(name)
    with ChatServer(ADD_REPLY) as server:
        options = ("--llm-model=m=test-model", f"--llm-base-url={server.base_url}", "--llm-epochs=2", "--tb=no")
        good = bench.run(*options)
        assert good.exit == 0
        (bench.root / "good.json").write_text(json.dumps(good.results))
        server.script = WRONG_REPLY
        bad = bench.run(*options, "--llm-cache=refresh", "--llm-baseline=good.json")
        assert bad.exit == 1
        assert "/good.json: not reached: m is worse by 12 points (p = " in bad.out
        other = bench.run(*options, "--llm-param=seed=3", "--llm-baseline=good.json", "--llm-cache=off")
        assert other.exit == 1
        assert "m is not comparable: sampling: parameters sent: seed: 'not set' and 3" in other.out
        prompted = bench.run(*options, "--llm-system-prompt=Be brief.", "--llm-baseline=good.json", "--llm-cache=off")
        assert "m is not comparable: prompt: system prompt: None and 'Be brief.'" in prompted.out
    wrong = bench.run(*options, "--llm-baseline=nowhere.json")
    assert wrong.exit == 4
    assert "nowhere.json" in wrong.err
    assert not wrong.err.count("Traceback")


@pytest.mark.slow
def test_shards_together_are_the_whole(bench: Bench, either_way: tuple[str, ...]) -> None:
    for name in TASKS:
        bench.task(name)
    with ChatServer({"good": ADD_REPLY, "bad": WRONG_REPLY}) as server:
        options = (
            "--llm-model=good,bad",
            f"--llm-base-url={server.base_url}",
            "--tb=no",
            "--llm-cache=off",
            *either_way,
        )
        whole = bench.run(*options)
        asked = server.chat_count
        parts = []
        for number in (1, 2, 3):
            part = bench.run(*options, f"--llm-shard={number}/3")
            parts.append(part.folder.resolve())
            assert f"llmbench: shard {number} of 3" in part.out
        assert asked == 8
        assert server.chat_count == 2 * asked, "every attempt is in one shard"
    merged = llmbench(bench, "merge", *parts)
    assert merged.returncode == 0, merged.stderr
    results = json.loads((bench.root / ".llmbench/latest/results.json").read_text())
    for name in ("leaderboard", "incomplete", "tasks", "models"):
        shown, expected = (json.loads(json.dumps(each[name])) for each in (results, whole.results))
        for row in [*shown, *expected]:
            row.pop("avg_wall_s", None)
        assert shown == expected
    assert [(a["task"], a["model"], a["points"]) for a in results["attempts"]] == [
        (a["task"], a["model"], a["points"]) for a in whole.results["attempts"]
    ]
    assert not results["run"]["selection"]["partial"]
    again = llmbench(bench, "merge", *parts, "--json")
    assert json.loads(again.stdout)["results"]["leaderboard"] == results["leaderboard"]


@pytest.mark.slow
def test_parts_of_different_runs_are_refused(bench: Bench) -> None:
    bench.task("one")
    with ChatServer(ADD_REPLY) as server:
        options = ("--llm-model=m=test-model", f"--llm-base-url={server.base_url}")
        first = bench.run(*options).folder.resolve()
        others = [
            bench.run(*options, more).folder.resolve() for more in ("--llm-param=seed=1", "--llm-system-prompt=x")
        ]
    for other in others:
        done = llmbench(bench, "merge", first, other)
        assert done.returncode == 2
        assert "its model 'm' differs from that of the other parts" in done.stderr


@pytest.mark.slow
def test_of_an_attempt_in_two_parts_the_last_one_counts(bench: Bench) -> None:
    bench.task("one")
    with ChatServer(ADD_REPLY) as server:
        options = ("--llm-model=m=test-model", f"--llm-base-url={server.base_url}", "--llm-cache=off")
        first = bench.run(*options).folder.resolve()
        server.script = WRONG_REPLY
        second = bench.run(*options).folder.resolve()
    for parts, points in (((first, second), 1), ((second, first), 4)):
        done = llmbench(bench, "merge", *parts, "--json")
        merged = json.loads(done.stdout)
        assert [a["points"] for a in merged["results"]["attempts"]] == [points]
        graded = next((bench.root / merged["run"]).glob("files/m/*/*.py.reply")).read_text()
        assert ("a - b" in graded) == (points == 1)


@pytest.mark.slow
def test_regrading_nothing_says_so(bench: Bench) -> None:
    bench.task("one")
    run = bench.run("--llm-model=builtin/reference").folder.resolve()
    bench.file("other/test_two.py", "def test_two(): pass")
    done = llmbench(bench, "regrade", run, "--", "other")
    assert done.returncode == 2
    assert "none of the run's attempts was re-graded. Name its tasks after --" in done.stderr


@pytest.mark.slow
def test_regrading_shows_what_moved(bench: Bench) -> None:
    task = bench.task("one")
    with ChatServer(ADD_REPLY) as server:
        run = bench.run("--llm-model=m=test-model", f"--llm-base-url={server.base_url}").folder.resolve()
    same = llmbench(bench, "regrade", run, "--", "tasks")
    assert (same.returncode, same.stdout.splitlines()[-1]) == (
        0,
        "re-graded: 0 of 2 verdicts changed, 0 ranks or totals; 0 attempts without a score on one side",
    )
    text = task.read_text()
    assert "(5, 3)" in text
    task.write_text(
        text.replace("def test_commutes(submission, a, b):", "def test_commutes(submission, a, b):\n    assert a > 1")
    )
    moved = llmbench(bench, "regrade", run, "--json", "--", "tasks")
    assert moved.returncode == 1, moved.stderr
    (verdict,) = json.loads(moved.stdout)["verdicts"]
    assert (verdict["point"], verdict["was"], verdict["now"]) == ("commutes", "earned 2/2", "missed 1/2")
    assert json.loads(moved.stdout)["ranks"][0]["now_total"] == 3


@pytest.mark.slow
def test_an_error_is_none_the_less_one_when_it_is_graded_again(bench: Bench) -> None:
    bench.task("one")
    thought = f"<think>\n{ADD_REPLY}"
    replies = {
        "cut": Reply(ADD_REPLY, finish_reason="length"),
        "open": Reply(thought),
        "good": Reply(ADD_REPLY),
        "bad": Reply(WRONG_REPLY),
    }
    with ChatServer(replies) as server:
        models = [f"--llm-model={name}" for name in replies]
        first = bench.run(*models, f"--llm-base-url={server.base_url}")
    states = {attempt["model"]: attempt["status"] for attempt in first.results["attempts"]}
    assert states == {"cut": "error", "open": "error", "good": "scored", "bad": "scored"}

    done = llmbench(bench, "regrade", first.folder, "--json", "--", "tasks")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {**json.loads(done.stdout), "verdicts": [], "ranks": []}
    again = json.loads((bench.root / ".llmbench/latest/results.json").read_text())
    assert {attempt["model"]: attempt["status"] for attempt in again["attempts"]} == states
    ranks = [(row["rank"], row["model"], row["total"]) for row in first.results["leaderboard"]]
    assert [(row["rank"], row["model"], row["total"]) for row in again["leaderboard"]] == ranks

    kept = sorted(path.relative_to(first.folder / "replies").as_posix() for path in first.folder.glob("replies/*/*.md"))
    assert kept == ["bad/one.1.md", "cut/one.1.rejected.md", "good/one.1.md", "open/one.1.rejected.md"]
    folders = [f"--llm-model={name}=dir:{first.folder}/replies/{name}" for name in replies]
    read = bench.run(*folders)
    assert [(row["model"], row["total"]) for row in read.results["leaderboard"]] == [("good", 4), ("bad", 1)]
    kinds = {attempt["model"]: attempt["error"]["kind"] for attempt in read.results["attempts"] if attempt["error"]}
    assert kinds == {"cut": "missing_reply", "open": "missing_reply"}

    bench.file("thoughts/one.md", "").write_text(thought)
    brought = bench.run("--llm-model=open=dir:thoughts").attempt("one", "open")
    assert (brought["status"], brought["error"]["kind"]) == ("error", first.attempt("one", "open")["error"]["kind"])


def test_github_gets_a_summary_and_annotations(bench: Bench) -> None:
    bench.task("one")
    summary = bench.root / "summary.md"
    with ChatServer(WRONG_REPLY) as server:
        run = bench.run(
            *("--llm-model=m%=test-model", f"--llm-base-url={server.base_url}", "--llm-fail-under=90"),
            GITHUB_ACTIONS="true",
            GITHUB_STEP_SUMMARY=str(summary),
        )
    assert "::error title=llmbench --llm-fail-under=90::m%25 has 1 of 4 points, 25.0 %25" in run.out
    assert "::notice title=llmbench rank 1::m%25: 1 of 4 points" in run.out
    text = summary.read_text(encoding="utf-8")
    assert "| 1 | m% | 1/4 | 1/1 |" in text
    assert "- --llm-fail-under=90: not reached" in text
    quiet = bench.run("--llm-model=builtin/reference", "--llm-fail-under=0")
    assert "::" not in quiet.out.replace("test_one.py::", "")
