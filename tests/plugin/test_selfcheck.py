"""``--llm-selfcheck``: a task's own files are graded, and what is not as they state is named."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.bench import Bench, Run

RIGHT = "def add(a, b):\n    return a + b\n"
STARTER = "def add(a, b):\n    return a\n"
MUTANTS = {
    "subtracts": ('about = "subtracts"\nloses = ["adds", "commutes"]\nscore = 1\n', "return a - b"),
    "five": ('about = "always the same"\nloses = ["adds"]\nscore = 2\n', "return 5"),
    "one-way": ('about = "for rising arguments"\nloses = ["commutes"]\nscore = 2\n', "return a + b if a < b else 0"),
    "by-sum": ('about = "sound: the sum of a tuple"\nloses = []\nscore = 4\n', "return sum((a, b))"),
}  # fmt: skip


@pytest.fixture
def project(bench: Bench) -> Bench:
    """A task with reference, starter and mutants that are all as they state."""
    bench.task("add")
    bench.file("tasks/fixtures/add/reference/add.py", RIGHT)
    bench.file("tasks/fixtures/add/starter/add.py", STARTER)
    for name, (head, body) in MUTANTS.items():
        mutant(bench, name, head, body)
    return bench


def mutant(bench: Bench, name: str, head: str, body: str) -> Path:
    text = f"+++\n{head}+++\nSure:\n\n```python\ndef add(a, b):\n    {body}\n```\n"
    return bench.file(f"tasks/fixtures/add/mutants/{name}.md", text)


def problems(run: Run) -> list[str]:
    (task,) = run.results["selfcheck"]["tasks"]
    return task["problems"]


def test_a_sound_task_passes(project: Bench, either_way: tuple[str, ...]) -> None:
    run = project.run("--llm-selfcheck", *either_way)
    assert run.exit == 0, run.out + run.err
    (task,) = run.results["selfcheck"]["tasks"]
    assert {name: task[name] for name in ("reference", "starter", "mutants_as_stated", "sound", "points_lost")} == {
        "reference": 4.0,
        "starter": 1.0,
        "mutants_as_stated": 4,
        "sound": 1,
        "points_lost": 2,
    }
    assert (task["gradings"], task["complete"], task["problems"]) == (3, True, [])
    assert len(run.results["attempts"]) == 3 * 6
    assert set(run.counts()) == {"passed", "xfailed"}
    assert "self-check: passed" in run.out
    assert "mutant/...: each task's mutants; everything 3 times" in run.out
    assert "rank" not in run.out


WRONG = {
    "keeps a point that it names": (
        "five", 'about = ""\nloses = ["adds", "commutes"]\nscore = 2\n', "return 5",
        ["mutant/five: must lose commutes but does not"],
    ),
    "loses more": (
        "subtracts", 'about = ""\nloses = ["adds"]\nscore = 1\n', "return a - b",
        ["mutant/subtracts: loses commutes too: assert -1 == 1"],
    ),
    "another score": (
        "five", 'about = ""\nloses = ["adds"]\nscore = 3.5\n', "return 5",
        ["mutant/five: has 2 points, not 3.5"],
    ),
    "a point that nobody loses": (
        "one-way", 'about = "sound: indeed"\nloses = []\nscore = 4\n', "return a + b",
        ["not covered by any mutant (mutants that fail everything are ignored): commutes"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_not_as_stated_is_named(project: Bench, case: str) -> None:
    name, head, body, expected = WRONG[case]
    mutant(project, name, head, body)
    run = project.run("--llm-selfcheck")
    assert run.exit == 1, run.out + run.err
    assert len(problems(run)) == len(expected)
    for problem, start in zip(problems(run), expected, strict=True):
        assert problem.startswith(start)
        assert f"add: {problem}" in run.out
    assert f"self-check: failed: {len(expected)} problem" in run.out


def test_a_miss_that_nobody_stated_is_a_failed_test_that_can_be_run_again(project: Bench) -> None:
    mutant(project, "subtracts", 'about = ""\nloses = ["adds"]\nscore = 1\n', "return a - b")
    run = project.run("--llm-selfcheck", "--llm-epochs=1", "-v")
    assert run.counts()["missed"] == 2
    (again, *_) = [line.partition(": ")[2] for line in run.out.splitlines() if "again, without" in line]
    once_more = project.run(*shlex.split(again)[1:])
    assert once_more.counts() == {"missed": 1}
    assert "commutes" in problems(once_more)[0]


def test_a_grader_that_wavers_is_found(project: Bench) -> None:
    module = (project.root / "tasks/test_add.py").read_text()
    wavering = module.replace("(1, 2) == 3", "(1, 2) == 3 and submission.key.epoch != 2")
    (project.root / "tasks/test_add.py").write_text(wavering)
    run = project.run("--llm-selfcheck")
    assert run.exit == 1
    assert "builtin/reference: differs between gradings: adds" in problems(run)


def test_a_wrong_reference_and_starter_are_named(project: Bench) -> None:
    project.file("tasks/fixtures/add/reference/add.py", STARTER)
    project.file("tasks/fixtures/add/starter/add.py", RIGHT)
    run = project.run("--llm-selfcheck", "--llm-epochs=1")
    assert run.exit == 1
    assert "builtin/reference: has 1 points, not 4" in problems(run)
    assert "builtin/starter: has 4 points, not 1" in problems(run)


def test_a_task_without_files_of_its_own_does_not_pass(bench: Bench) -> None:
    bench.task("add")
    run = bench.run("--llm-selfcheck", "--llm-epochs=1")
    assert run.exit == 1
    assert [problem.partition(":")[0] for problem in problems(run)] == [
        "builtin/reference",
        "builtin/starter",
        "no mutants",
    ]


def test_a_crashed_grader_is_no_lost_point(project: Bench) -> None:
    module = (project.root / "tasks/test_add.py").read_text()
    (project.root / "tasks/test_add.py").write_text(
        module.replace(
            "    exec(", "    assert 'sum(' not in submission.files['add.py'] or open('/not/there')\n    exec("
        )
    )
    run = project.run("--llm-selfcheck", "--llm-epochs=1")
    assert run.exit == 1
    (problem,) = problems(run)
    assert problem.startswith("mutant/by-sum: #1 was not graded: grader: adds: FileNotFoundError")


def test_a_test_that_raises_is_at_fault_also_where_the_point_must_be_lost(project: Bench) -> None:
    module = (project.root / "tasks/test_add.py").read_text()
    (project.root / "tasks/test_add.py").write_text(
        module.replace("    exec(", "    assert '5' not in submission.files['add.py'] or 1 / 0\n    exec(")
    )
    head, body = MUTANTS["five"]
    mutant(project, "five", head.replace('["adds"]', '["adds", "commutes"]').replace("2", "1"), body)
    run = project.run("--llm-selfcheck", "--llm-epochs=1")
    assert run.exit == 1
    fault = "is at fault, its test raised ZeroDivisionError over what was handed in: division by zero"
    assert problems(run)[:2] == [f"mutant/five: adds {fault}", f"mutant/five: commutes {fault}"]
    assert "add/mutant/five: 3 missed" in run.out


def test_a_part_is_checked_as_far_as_it_goes(project: Bench) -> None:
    run = project.run("--llm-selfcheck", "-k", "five and adds")
    assert run.exit == 0, run.out + run.err
    assert "self-check: passed for a partial selection of add" in run.out


def test_an_ordinary_test_that_fails_fails_the_session(project: Bench) -> None:
    project.file("tests/test_ordinary.py", "def test_it():\n    assert False\n")
    run = project.run("tasks", "tests", "--llm-selfcheck", "--llm-epochs=1")
    assert run.exit == 1
    assert "self-check: passed" in run.out


def test_the_summary_again_from_the_run_folder(project: Bench) -> None:
    run = project.run("--llm-selfcheck", "--llm-epochs=1")
    shown = subprocess.run(
        [sys.executable, "-m", "pytest_llmbench", run.folder], capture_output=True, text=True, check=True
    )
    assert "self-check: passed" in shown.stdout
    assert json.loads((run.folder / "plan.json").read_text())["selfcheck"] is True


HEADS = {
    'about = ""\nloses = ["ads"]\nscore = 1\n': "'ads', which is not a rubric point of its task; did you mean 'adds'?",
    'about = ""\nloses = []\n': "score: Field required",
    'about = ""\nloses = []\nscore = 1\nlose = []\n': "lose: Extra inputs are not permitted",
    "about = \n": "cannot be used",
}  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
def test_a_head_that_is_wrong(project: Bench, head: str) -> None:
    mutant(project, "five", head, "return 5")
    run = project.run("--llm-selfcheck")
    assert run.exit == 2
    assert "five.md" in run.out
    assert HEADS[head] in run.out
    assert "Traceback" not in run.out
    assert project.run("--llm-model=builtin/reference").exit == 0, "the self-check's business alone"


def test_a_mutant_without_a_head(project: Bench) -> None:
    project.file("tasks/fixtures/add/mutants/five.md", "just text")
    run = project.run("--llm-selfcheck")
    assert run.exit == 2
    assert "it does not begin with a head between two lines of +++" in run.out


@pytest.mark.parametrize("other", ["--llm-model=m", "--llm-fail-under=50"])
def test_options_that_mean_something_else(project: Bench, other: str) -> None:
    run = project.run("--llm-selfcheck", other)
    assert run.exit == 4
    assert f"{other.partition('=')[0]} cannot be combined with --llm-selfcheck" in run.err


def test_lasting_settings_do_not_count(project: Bench) -> None:
    run = project.run("--llm-selfcheck", "--llm-epochs=1", LLMBENCH_MODEL="m", LLMBENCH_FAIL_UNDER="100")
    assert run.exit == 0, run.out + run.err
    assert project.run(LLMBENCH_SELFCHECK="maybe").exit == 4
