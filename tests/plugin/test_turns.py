"""Tasks with several turns: what a task says of a reply goes back to the model, and the last reply is graded."""

from __future__ import annotations

import json
import shlex
import shutil
from typing import Any

import pytest
from support.bench import ADD_REPLY, REPOSITORY, TASK, WRONG_REPLY, Bench
from support.server import ChatServer, Reply

BROKEN = "```python\ndef add(a, b)\n    return a + b\n```\n"
SLOW_WRONG = Reply(text=WRONG_REPLY, latency_s=0.3)
FEEDBACK = '''

def feedback(submission):
    """What is wrong with it."""
    try:
        compile(submission.files["add.py"], "add.py", "exec")
    except SyntaxError as error:
        return f"SyntaxError: {{error}}. Again, please."


pytestmark = pytest.mark.llm_task(
    id="{id}", points=4, floor=1, files=["add.py"], prompt_text="Write add.", turns={turns}, feedback=feedback
)
'''


def task(bench: Bench, turns: int = 2, feedback: str = FEEDBACK) -> None:
    """The usual task, its marker replaced."""
    before, rest = TASK.split("pytestmark = ", 1)
    _, after = rest.split(")\n", 1)
    bench.task("add", before + feedback.replace("{turns}", str(turns)) + after)


def ask(server: ChatServer, *models: str) -> tuple[str, ...]:
    return (f"--llm-model={','.join(models)}", f"--llm-base-url={server.base_url}")


def replies(**by_model: list[Any]) -> Any:
    """A script: each model's replies in order, by the length of the conversation."""

    def answer(body: dict[str, Any]) -> Any:
        return by_model[body["model"]][len(body["messages"]) // 2]

    return answer


@pytest.mark.slow
def test_a_broken_reply_is_mended_in_a_second_turn(bench: Bench, either_way: tuple[str, ...]) -> None:
    task(bench)
    script = replies(mends=[BROKEN, ADD_REPLY], right=[ADD_REPLY], stays=[BROKEN, SLOW_WRONG], prose=["No."])
    with ChatServer(script, models=["mends", "right", "stays", "prose"]) as server:
        words = ask(server, "mends", "right", "stays", "prose")
        run = bench.run(*words, *either_way)
        found = {a["model"]: (a["status"], a["points"], a["iterations"]) for a in run.results["attempts"]}
        assert found == {
            "mends": ("scored", 4.0, 2),
            "right": ("scored", 4.0, 1),
            "stays": ("scored", 1.0, 2),
            "prose": ("scored", 1.0, 1),
        }, run.out + run.err
        assert server.chat_count == 6
        (second,) = [seen for seen in server.requests if seen.model == "mends" and len(seen.body["messages"]) > 1]
        assert [message["role"] for message in second.body["messages"]] == ["user", "assistant", "user"]
        assert second.body["messages"][1]["content"] == BROKEN
        assert second.body["messages"][2]["content"].startswith("SyntaxError: ")
        stays = run.attempt("add", "stays")
        assert stays["wall_s"] > 0.3, "the time of both turns"
        assert stays["usage"]["completion_tokens"] > run.attempt("add", "right")["usage"]["completion_tokens"]

        again = bench.run(*words, *either_way)
        assert server.chat_count == 6, "both turns are stored"
        assert again.results["leaderboard"] == run.results["leaderboard"]


def test_a_miss_names_the_last_reply_and_is_graded_again_from_it(bench: Bench) -> None:
    task(bench)
    with ChatServer(replies(m=[BROKEN, WRONG_REPLY]), models=["m"]) as server:
        run = bench.run(*ask(server, "m"), "--tb=auto")
    assert (run.folder / "replies/m/add.1.md").read_text() == BROKEN
    assert (run.folder / "replies/m/add.1.turn2.md").read_text() == WRONG_REPLY
    assert "replies/m/add.1.turn2.md" in run.out
    (words,) = {line.partition(": ")[2] for line in run.out.splitlines() if "again, without" in line and "adds" in line}
    once_more = bench.run(*shlex.split(words)[1:])
    assert once_more.counts() == {"missed": 1}
    assert "assert -1 == 3" in once_more.out


def test_a_failure_in_a_later_turn_is_an_error(bench: Bench) -> None:
    task(bench)
    with ChatServer(replies(m=[BROKEN, Reply(text="")]), models=["m"]) as server:
        run = bench.run(*ask(server, "m"))
    attempt = run.attempt("add", "m")
    assert (attempt["status"], attempt["error"]["kind"]) == ("error", "empty_content")
    assert attempt["iterations"] == 2


def test_turns_end_where_the_task_says(bench: Bench) -> None:
    task(bench, turns=4)
    with ChatServer(replies(m=[BROKEN] * 9), models=["m"]) as server:
        run = bench.run(*ask(server, "m"))
        assert server.chat_count == 4
    assert run.attempt("add", "m")["iterations"] == 4


def test_a_kept_reply_has_no_second_turn(bench: Bench) -> None:
    task(bench)
    bench.file("replies/add.md", BROKEN)
    run = bench.run("--llm-model=dir:replies")
    attempt = run.attempt("add", "dir:replies")
    assert (attempt["status"], attempt["points"], attempt["iterations"]) == ("scored", 1.0, 1)
    assert all(point["raised"] for point in attempt["criteria"]), "this task's grader runs it without a sandbox"


BREAKS = {
    "raises": ("    return 1 / 0\n", "feedback= of task 'add' raised ZeroDivisionError"),
    "asserts": ("    assert False\n", "feedback= of task 'add' raised AssertionError"),
    "skips": ("    pytest.skip('no')\n", "feedback= of task 'add' raised Skipped"),
    "no text": ("    return 5\n", "feedback= of task 'add' returned int"),
}


@pytest.mark.parametrize("how", BREAKS)
def test_feedback_that_breaks_is_ours(bench: Bench, how: str) -> None:
    body, message = BREAKS[how]
    start = FEEDBACK.index("    try:")
    task(bench, feedback=FEEDBACK[:start] + body + FEEDBACK[FEEDBACK.index("\n\npytestmark") :])
    with ChatServer(ADD_REPLY, models=["m"]) as server:
        run = bench.run(*ask(server, "m"))
    attempt = run.attempt("add", "m")
    assert (attempt["status"], attempt["error"]["kind"]) == ("error", "grader")
    assert message in attempt["error"]["message"]


def test_a_reply_that_takes_too_long_to_look_at_is_told_so(bench: Bench) -> None:
    body = "    while 'a - b' in submission.files['add.py']:\n        pass\n"
    start = FEEDBACK.index("    try:")
    feedback = FEEDBACK[:start] + body + FEEDBACK[FEEDBACK.index("\n\npytestmark") :]
    task(bench, feedback=feedback.replace("turns=", "budget_s=0.3, turns="))
    with ChatServer(replies(m=[WRONG_REPLY, ADD_REPLY]), models=["m"]) as server:
        run = bench.run(*ask(server, "m"))
        told = server.requests[-1].body["messages"][-1]["content"]
    assert told == "Your reply cannot be looked at (over budget: looking at it took more than 0.3 s of CPU)."
    assert run.attempt("add", "m")["points"] == 4


def test_what_it_runs_leaves_no_trace(bench: Bench) -> None:
    """The workspace of the look is another one than that of grading, and is gone when grading begins."""
    shutil.copy(REPOSITORY / "examples/repair/test_roman.py", bench.root / "tasks")
    path = bench.root / "tasks/test_roman.py"
    text = path.read_text().replace('to_roman(1)"]', "to_roman(1); open('trace', 'w'); 1 / 0\"]", 1)
    test = "def test_trace(workspace):\n    assert not (workspace / 'trace').exists()"
    more = f"@pytest.mark.rubric('trace', bonus=1)\n{test}"
    path.write_text(f"{text.replace('points=10,', 'points=11,')}\n\n{more}\n")
    with ChatServer("```python\ndef to_roman(number):\n    return 'I'\n```", models=["m"]) as server:
        run = bench.run(*ask(server, "m"))
        assert server.chat_count == 2
        told = server.requests[-1].body["messages"][-1]["content"]
    assert "ZeroDivisionError" in told, run.out + run.err
    (trace,) = [c for c in run.attempt("roman", "m")["criteria"] if c["id"] == "trace"]
    assert trace["outcome"] == "earned"


WRONG = {
    "turns=2": "turns=2 or more requires feedback=",
    "feedback=print": "feedback= must be a function with the parameters sandbox",
    "turns=2, feedback=lambda workspace: None": "feedback= must be a function with the parameters sandbox",
    "feedback=lambda sandbox: None": "feedback= requires turns=2 or more",
    "turns=0": "Use a whole number from 1 to 10",
    "turns=True": "Use a whole number from 1 to 10",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_use(bench: Bench, arguments: str) -> None:
    bench.task("add", TASK.replace("floor=1,", f"floor=1, {arguments},"))
    run = bench.run("--llm-model=builtin/reference")
    assert run.exit == 2
    assert WRONG[arguments] in run.out
    assert "Traceback" not in run.out


def test_long_feedback_is_shortened(bench: Bench) -> None:
    body = "    return 'a' * 30_000 + 'z'\n"
    start = FEEDBACK.index("    try:")
    task(bench, feedback=FEEDBACK[:start] + body + FEEDBACK[FEEDBACK.index("\n\npytestmark") :])
    with ChatServer(ADD_REPLY, models=["m"]) as server:
        bench.run(*ask(server, "m"))
        told = server.requests[-1].body["messages"][-1]["content"]
    assert "[10001 characters left out]" in told
    assert len(told) < 21_000
    assert told.endswith("z")
    assert json.dumps(told)
