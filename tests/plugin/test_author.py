"""What a task's tests are given, in a whole session."""

from __future__ import annotations

from support.bench import ADD_REPLY, Bench

TASK = """\
import pytest

from pytest_llmbench import HarnessError

pytestmark = pytest.mark.llm_task(
    id="{id}", points=2, files=["add.py"], toolchains=["python"], prompt_text="Write add(a, b), please."
)


@pytest.mark.rubric("one", points=1)
def test_one(starter, data):
    assert starter == {{"add.py": "def add(a, b): ...\\n"}}
    assert (data / "words.txt").read_text() == "one two\\n"


@pytest.mark.rubric("two", points=1)
def test_two({fixtures}):
    {body}
"""


def project(bench: Bench, *, fixtures: str = "", body: str = "pass", data: bool = True) -> None:
    bench.task("sum", TASK.replace("{fixtures}", fixtures).replace("{body}", body))
    bench.file("replies/sum.md", ADD_REPLY)
    if data:
        bench.file("fixtures/sum/starter/add.py", "def add(a, b): ...\n")
        bench.file("fixtures/sum/words.txt", "one two\n")


def test_the_starter_and_the_data_folder_are_fixtures(bench: Bench) -> None:
    project(bench)
    run = bench.run("--llm-model=dir:replies")
    assert run.attempt("sum", "dir:replies")["points"] == 2.0, run.out + run.err


def test_a_task_without_a_data_folder_is_told_where_to_make_one(bench: Bench) -> None:
    project(bench, data=False)
    run = bench.run("--llm-model=dir:replies")
    assert run.attempt("sum", "dir:replies")["status"] == "error", run.out + run.err
    assert "task 'sum' has no data folder: make fixtures/sum, or name one by data=." in run.out


def test_a_grader_that_raises_a_harness_error_is_an_error_and_no_miss(bench: Bench) -> None:
    project(bench, body='raise HarnessError("the machine was too busy")')
    run = bench.run("--llm-model=dir:replies")
    attempt = run.attempt("sum", "dir:replies")
    assert (attempt["status"], attempt["error"]["kind"]) == ("error", "grader"), run.out + run.err
    assert "the machine was too busy" in run.out
