"""The main job against a real server: replies become points, points become a leaderboard."""

from __future__ import annotations

import json
import re

import pytest
from support.bench import ADD_REPLY, NO_CODE_REPLY, WRONG_REPLY, Bench
from support.server import ChatServer, Reply

GARBAGE = Reply(body='{"choices": [', content_type="application/json")
SLOW = Reply(text=ADD_REPLY, latency_s=0.7)


def ask(server: ChatServer, models: str) -> tuple[str, str]:
    return f"--llm-model={models}", f"--llm-base-url={server.base_url}"


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n0",), ("-n4",)], ids=["plain", "n0", "n4"])
def test_every_kind_of_reply_ends_in_its_state(bench: Bench, workers: tuple[str, ...]) -> None:
    script = {
        "right": ADD_REPLY,
        "wrong": WRONG_REPLY,
        "prose": NO_CODE_REPLY,
        "slow": SLOW,
        "broken": Reply.plain(500, "proxy error: Failed to read connection"),
        "empty": Reply(text=""),
        "garbage": GARBAGE,
        "thinker": Reply(text="", reasoning="Hm, let me see."),
        "cut": Reply(text=ADD_REPLY[:40], finish_reason="length"),
    }
    bench.task("one")
    bench.task("two")
    with ChatServer(script) as server:
        run = bench.run(*ask(server, ",".join(script)), "-p", "no:cacheprovider", *workers)
    assert run.exit == 1, run.out + run.err

    assert [(row["rank"], row["model"], row["total"]) for row in run.results["leaderboard"]] == [
        (1, "right", 8.0),
        (1, "slow", 8.0),
        (3, "prose", 2.0),
        (3, "wrong", 0.0 + 2.0),
    ]
    errors = {row["model"]: row["reasons"] for row in run.results["incomplete"]}
    assert errors == {
        "broken": ["server_error (2 attempts)"],
        "empty": ["empty_content (2 attempts)"],
        "garbage": ["invalid_response (2 attempts)"],
        "thinker": ["reasoning_only (2 attempts)"],
        "cut": ["truncated (2 attempts)"],
    }
    assert {(a["model"], a["status"]) for a in run.results["attempts"]} == {
        *((model, "scored") for model in ("right", "slow", "prose", "wrong")),
        *((model, "error") for model in errors),
    }
    assert run.attempt("one", "prose")["labels"] == ["no_code"]
    assert run.attempt("one", "slow")["wall_s"] >= 0.7
    assert run.attempt("one", "right")["usage"]["completion_tokens"] > 0
    assert "Traceback" not in run.out
    for kind in ("server_error", "empty_content", "invalid_response", "reasoning_only", "truncated"):
        assert f"error: {kind}: " in run.out


def test_a_missed_point_is_a_failed_test_with_everything_one_needs(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.task("add")
    with ChatServer({"wrong": WRONG_REPLY}) as server:
        run = bench.run(*ask(server, "wrong"), "--junitxml=junit.xml", "--tb=auto", *either_way)
    assert run.exit == 1
    assert run.counts() == {"missed": 3}
    assert "assert -1 == 3" in run.out
    assert re.search(r"reply: \.llmbench/runs/\S+/replies/wrong/add\.1\.md", run.out)
    (again,) = {line.partition(": ")[2] for line in run.out.splitlines() if "again, without" in line and "adds" in line}
    words = again.replace("'", "").split()
    assert words[0] == "pytest"
    once_more = bench.run(*words[1:])
    assert once_more.exit == 1, once_more.out + once_more.err
    assert once_more.counts() == {"missed": 1}
    assert "assert -1 == 3" in once_more.out
    junit = (bench.root / "junit.xml").read_text()
    for name, value in [("llm_task", "add"), ("llm_point", "adds"), ("llm_points", "2.0"), ("llm_outcome", "missed")]:
        assert f'<property name="{name}" value="{value}"' in junit


@pytest.mark.slow
def test_twelve_attempts_are_twelve_requests_model_by_model(bench: Bench) -> None:
    for number in range(3):
        bench.task(f"t{number}")
    with ChatServer(ADD_REPLY, models=["m1", "m2"], latency_s=0.05) as server:
        options = (*ask(server, "m1,m2"), "--llm-epochs=2", "--llm-concurrency=3")
        run = bench.run(*options, "-n4")
        assert run.exit == 0, run.out + run.err
        assert server.chat_count == 12
        assert not server.overlaps_between_models()
        assert [r.model for r in server.requests] == ["m1"] * 6 + ["m2"] * 6
        assert server.max_in_flight == 3
        assert [row["total"] for row in run.results["leaderboard"]] == [12.0, 12.0]
        assert "test_adds[m1#2]" in bench.run(*options, "--collect-only", "-q").out

        for again in (("-k", "adds"), ("-n2",), ("-k", "t1 and m2", "-n2")):
            rerun = bench.run(*options, *again)
            assert rerun.exit == 0
            assert "replies reused, 0 to request; --llm-cache=refresh asks again" in rerun.out
        assert server.chat_count == 12


@pytest.mark.slow
def test_lf_runs_the_missed_points_again_and_asks_nothing(bench: Bench, workers: tuple[str, ...]) -> None:
    bench.task("add")
    with ChatServer({"wrong": WRONG_REPLY, "right": ADD_REPLY}) as server:
        first = bench.run(*ask(server, "wrong,right"), *workers)
        assert first.counts() == {"missed": 3, "passed": 3}
        again = bench.run(*ask(server, "wrong,right"), "--lf", *workers)
        assert again.counts()["missed"] == 3
        assert "passed" not in again.counts()
        ff = bench.run(*ask(server, "wrong,right"), "--ff", *workers)
        assert ff.counts() == {"missed": 3, "passed": 3}
        assert server.chat_count == 2


@pytest.mark.slow
def test_results_are_the_same_with_and_without_workers(bench: Bench) -> None:
    for name in ("a", "b", "c"):
        bench.task(name)
    script = {"right": ADD_REPLY, "wrong": WRONG_REPLY, "broken": Reply(text="")}
    seen = []
    with ChatServer(script) as server:
        for workers in ((), ("-n0",), ("-n3",)):
            run = bench.run(*ask(server, "right,wrong,broken"), "--llm-cache=off", *workers)
            results = run.results
            results["run"] = {"selection": results["run"]["selection"]}
            for attempt in results["attempts"]:
                for time in ("wall_s", "first_token_s", "tokens_per_s", "queue_s", "grading_s"):
                    attempt[time] = None
            for row in [*results["leaderboard"], *results["incomplete"]]:
                row["avg_wall_s"] = None
            table = run.out[run.out.index(" llmbench =") : run.out.index("results: ")]
            seen.append((json.dumps(results), re.sub(r"\d+\.\d s", "", table)))
    assert seen[0] == seen[1] == seen[2]


def test_ordinary_tests_mix_with_tasks_in_any_order(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.task("add")
    for name in ("a", "z"):
        bench.file(f"tests/test_{name}.py", "def test_ok():\n    pass\n\n\ndef test_fails():\n    assert 0\n")
    with ChatServer(ADD_REPLY) as server:
        run = bench.run("tests/test_z.py", "tasks", "tests/test_a.py", *ask(server, "test-model"), *either_way)
    assert run.counts() == {"failed": 2, "passed": 5}
    assert run.results["leaderboard"][0]["total"] == 4.0


def test_partial_selection_is_headed_as_such_and_still_ranks(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.task("add")
    bench.task("other")
    with ChatServer({"right": ADD_REPLY, "wrong": WRONG_REPLY}) as server:
        run = bench.run(*ask(server, "right,wrong"), "-k", "commutes and add", *either_way)
    assert "partial selection: maximum score: 2 of 4 points" in run.out
    assert [(r["rank"], r["model"], r["total"], r["max_total"]) for r in run.results["leaderboard"]] == [
        (1, "right", 2.0, 2.0),
        (2, "wrong", 0.0, 2.0),
    ]
    assert {a["status"] for a in run.results["attempts"]} == {"incomplete"}


def test_dir_replies_need_no_server_and_a_missing_one_is_an_error_of_its_own(
    bench: Bench, workers: tuple[str, ...]
) -> None:
    bench.task("add")
    bench.task("gone")
    bench.file("replies/add.md", ADD_REPLY)
    run = bench.run("--llm-model=mine=dir:replies/", *workers)
    assert run.exit == 1
    assert run.attempt("add", "mine")["status"] == "scored"
    assert run.attempt("add", "mine")["points"] == 4.0
    assert run.attempt("gone", "mine")["error"]["kind"] == "missing_reply"
    assert run.row("mine")["rank"] is None
    assert run.row("mine")["total"] == 4.0
    assert "4+/8" in run.out


def test_pytest_json_report_carries_the_results(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    run = bench.run("--llm-model=mine=dir:replies", "--json-report", "--json-report-file=report.json", *either_way)
    assert run.exit == 0, run.out
    report = json.loads((bench.root / "report.json").read_text())
    assert report["llmbench"] == run.results


def test_it_works_without_the_plugins_beside_it(bench: Bench) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    off = [word for name in ("xdist", "timeout", "json-report", "cacheprovider") for word in ("-p", f"no:{name}")]
    run = bench.run("--llm-model=mine=dir:replies", *off)
    assert run.exit == 0, run.out + run.err
    assert run.row("mine")["total"] == 4.0


def test_quiet_output_and_verbosity(bench: Bench) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    assert "rank" in bench.run("--llm-model=mine=dir:replies", "-q").out
    assert "llmbench" not in bench.run("--llm-model=mine=dir:replies", "-qq").out


def test_pytest_timeout_limits_grading_and_never_the_wait(bench: Bench, workers: tuple[str, ...]) -> None:
    bench.task("add")
    with ChatServer(Reply(text=ADD_REPLY, latency_s=2.0)) as server:
        run = bench.run(*ask(server, "test-model"), "--timeout=1", *workers)
    assert run.exit == 0, run.out


SLOW_TASK = """\
import time
import pytest

pytestmark = pytest.mark.llm_task(id="{id}", points=2, files=["add.py"], prompt_text="Write add.")


@pytest.mark.rubric("sleeps", points=1)
def test_sleeps(submission):
    time.sleep(5)


@pytest.mark.rubric("crashes", points=1)
def test_crashes(submission):
    raise OSError("no such disk")
"""


def test_a_fault_of_the_grader_is_an_error_and_never_a_verdict(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.task("slow", SLOW_TASK)
    bench.file("replies/slow.md", ADD_REPLY)
    run = bench.run("--llm-model=mine=dir:replies", "--timeout=1", *either_way)
    assert run.counts() == {"errors": 2}
    attempt = run.attempt("slow", "mine")
    assert attempt["status"] == "error"
    assert attempt["error"]["kind"] == "grader"
    assert attempt["points"] == 0.0


BONUS_TASK = """\
import pytest

pytestmark = pytest.mark.llm_task(id="{id}", points=10, floor=1, files=["add.py"], prompt_text="Write add.")


@pytest.mark.rubric("base", points=6)
def test_base(submission):
    pass


@pytest.mark.rubric("tidy", bonus=4)
def test_tidy(submission):
    assert "TIDY" in submission.files["add.py"]


@pytest.mark.rubric("keeps", cap=3)
def test_keeps(submission):
    assert "BREAKS" not in submission.files["add.py"]


@pytest.mark.rubric("prints", penalty=2)
def test_prints(submission):
    assert "print" not in submission.files["add.py"]
"""


def test_bonus_caps_and_penalties(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.task("kinds", BONUS_TASK)
    for name, code in {"plain": "", "tidy": "# TIDY", "breaks": "# TIDY BREAKS", "prints": "print()"}.items():
        bench.file(f"{name}/kinds.md", f"```python\ndef add(a, b):\n    return a + b\n{code}\n```\n")
    run = bench.run(*(f"--llm-model={m}=dir:{m}" for m in ("plain", "tidy", "breaks", "prints")), *either_way)
    assert {r["model"]: r["total"] for r in run.results["leaderboard"]} == {
        "plain": 6.0,
        "tidy": 10.0,
        "breaks": 3.0,
        "prints": 4.0,
    }
    assert run.counts() == {"missed": 2, "passed": 12, "xfailed": 2}
    assert run.attempt("kinds", "breaks")["caps"] == ["keeps"]
    criteria = {c["id"]: c["outcome"] for c in run.attempt("kinds", "plain")["criteria"]}
    assert criteria == {"base": "earned", "tidy": "bonus", "keeps": "earned", "prints": "earned"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("percent", "models", "expected"),
    [(100, "right", 0), (50, "right,wrong", 1), (20, "right,wrong", 0), (0, "right,broken", 1)],
)
def test_fail_under_decides_the_exit_status(bench: Bench, percent: int, models: str, expected: int) -> None:
    bench.task("add")
    with ChatServer({"right": ADD_REPLY, "wrong": WRONG_REPLY, "broken": Reply(text="")}) as server:
        for workers in ((), ("-n2",)):
            run = bench.run(*ask(server, models), f"--llm-fail-under={percent}", *workers)
            assert run.exit == expected, run.out
            assert f"--llm-fail-under={percent}: {'not reached: ' if expected else 'reached'}" in run.out


@pytest.mark.slow
def test_fail_under_never_hides_an_ordinary_failure_or_a_stop(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.task("add")
    bench.file("tests/test_a.py", "def test_fails():\n    assert 0\n")
    bench.file("wrong/add.md", WRONG_REPLY)
    options = ("--llm-model=wrong=dir:wrong", "--llm-fail-under=0", *either_way)
    assert bench.run("tasks", *options).exit == 0
    assert bench.run("tasks", "tests", *options).exit == 1
    assert bench.run("tasks", "-x", *options).exit in (1, 2)
    partial = bench.run("tasks", "-k", "commutes", *options)
    assert partial.exit == 1
    assert "not reached: 1 of 1 attempts ended as incomplete" in partial.out


def test_missing_toolchain_is_a_skip_and_left_out(bench: Bench, either_way: tuple[str, ...]) -> None:
    text = SLOW_TASK.replace('files=["add.py"]', 'files=["add.py"], toolchains=["cargo"]')
    bench.task("rusty", text)
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    run = bench.run("--llm-model=mine=dir:replies", *either_way, PATH="/usr/bin:/bin", HOME=str(bench.root))
    assert run.counts() == {"passed": 3, "skipped": 2}
    assert run.row("mine")["rank"] == 1
    assert "maximum score: 4 of 6 points\n" in run.out
    assert "rusty: 2 points not graded (" in run.out
    assert "llmbench: attempts: 2; 1 from files\n" in run.out
    assert run.attempt("rusty", "mine")["status"] == "not_run"
