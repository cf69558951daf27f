"""Tasks that a plugin's loader reads from a foreign file or folder: graded, selected and reported as modules are."""

from __future__ import annotations

import json
import re
import shlex
import shutil

import pytest
from support.bench import Bench, Run

from pytest_llmbench.plugin.options import replay

LOADER = '''
import json
from pytest_llmbench.schema.loaded import LoadedPoint, LoadedTask

class Rows:
    name = "rows"

    def load(self, path):
        for file in sorted(path.glob("*.jsonl")) if path.is_dir() else [path]:
            for line in file.read_text().splitlines():
                yield self.task(line, json.loads(line))

    def task(self, line, row):
        def answers(submission, workspace):
            """Gives what is expected."""
            (workspace / "seen").open("x").close()  # not possible in another attempt's
            space = {}
            exec((workspace / "f.py").read_text(), space)
            for args, expected in row["cases"]:
                assert space["f"](*args) == expected

        def odd(submission, workspace, row=row):
            {"raises": lambda: {}["key"], "breaks": lambda: open("/nowhere")}.get(row.get("odd"), lambda: None)()
            assert (workspace / "seen").exists() and "#" not in submission.files["f.py"]

        return LoadedTask(
            id=row["id"], prompt_text=f"Write {row['id']}.", files=["f.py"], fingerprint=line, data=row.get("data"),
            rubric=[LoadedPoint("answers", answers, points=3), LoadedPoint("odd", odd, bonus=1, title="Does nothing")],
        )

def pytest_llmbench_loaders():
    return [Rows()]
'''
ROWS = [
    {"id": "add", "cases": [[[1, 2], 3]]},
    {"id": "sub", "cases": [[[1, 2], -1]], "odd": "raises"},
    {"id": "mul", "cases": [[[1, 1], 2]], "odd": "breaks"},
]
REPLIES = ("--llm-model=dir:replies",)
TRAPS = ("conftest.py", "test_x.py", "tests/conftest.py", "tests/test_y.py", "add/__init__.py")


@pytest.fixture
def bench(bench: Bench) -> Bench:
    (bench.root / "conftest.py").write_text(LOADER)
    text = "".join(json.dumps(row) + "\n" for row in ROWS)
    bench.file("rows.jsonl", text)
    bench.file("bank/rows.jsonl", text)
    for trap in TRAPS:
        bench.file(f"bank/{trap}", "raise SystemExit('imported')\n")
    for row in ROWS:
        for epoch in ("", ".2"):
            bench.file(f"replies/{row['id']}{epoch}/f.py", "def f(a, b):\n    return a + b\n")
    return bench


def outcomes(run: Run) -> dict[str, str]:
    """Task and point of the only model -> outcome."""
    lines = (run.folder / "items.jsonl").read_text().splitlines()
    return {f"{item['task']}/{item['point']}": item["outcome"] for item in map(json.loads, lines)}


def collected(run: Run) -> list[str]:
    return [line for line in run.out.splitlines() if "::" in line]


def test_a_loaded_task_is_graded_as_a_module_is(bench: Bench, workers: tuple[str, ...]) -> None:
    path = "bank" if workers else "rows.jsonl"
    run = bench.run(f"--llm-suite=rows:{path}", *REPLIES, "--llm-epochs=2", "--junitxml=junit.xml", *workers)
    assert run.exit == 1, run.out + run.err
    assert "imported" not in run.out + run.err
    assert outcomes(run) == {
        "add/answers": "earned",
        "add/odd": "earned",
        "sub/answers": "missed",
        "sub/odd": "missed",
        "mul/answers": "earned",
        "mul/odd": "grader",
    }
    assert [run.attempt(task, "dir:replies")["points"] for task in ("add", "sub")] == [4.0, 0.0]
    assert run.attempt("mul", "dir:replies", 2)["status"] == "error"
    cards = {card["id"]: card for card in run.plan["tasks"]}
    assert {card["suite"] for card in cards.values()} == {"rows"}
    assert [c["title"] for c in cards["add"]["criteria"]] == ["Gives what is expected.", "Does nothing"]
    assert len({card["fingerprint"] for card in cards.values()}) == 3
    assert run.results["run"]["options"]["suites"] == [f"rows:{path}"]
    assert (
        f'classname="{path}.sub" name="answers[dir:replies#1]"'.replace("/", ".")
        in (bench.root / "junit.xml").read_text()
    )


def test_the_line_that_grades_a_point_again(bench: Bench) -> None:
    run = bench.run("--llm-suite=rows:bank", *REPLIES, "-v")
    again = re.findall(r"again, without a model: pytest (.+)", run.out)
    assert len(again) == 1, "an unearned bonus is no failure"
    one = bench.run(*shlex.split(again[0]))
    assert one.counts().get("missed") == 1, one.out + one.err
    assert outcomes(one) == {"sub/answers": "missed"}


@pytest.mark.parametrize("path", ["rows.jsonl", "bank"])
def test_what_is_selected(bench: Bench, path: str) -> None:
    suite = (f"--llm-suite=rows:{path}", *REPLIES)
    everything = [f"{path}::{row['id']}::{point}[dir:replies]" for row in ROWS for point in ("answers", "odd")]
    for words, ids in (
        (["-m", "rubric"], everything),
        (["-k", "sub and answers"], [everything[2]]),
        ([f"{path}::sub::odd", f"{path}::add", everything[4]], [*everything[:2], *everything[3:5]]),
    ):
        run = bench.run(*words, *suite, "--collect-only", "-q")
        assert (run.exit, sorted(collected(run))) == (0, sorted(ids)), run.out + run.err
    assert bench.run(*suite).exit == 1
    failed = [everything[2], everything[5]]
    assert collected(bench.run(*suite, "--lf", "--collect-only", "-q")) == failed


def test_parts_of_a_folder_that_are_not_there(bench: Bench) -> None:
    for part, said in (
        ("nope", "bank has no task 'nope'."),
        ("sub::nope", "bank has no point 'sub::nope'."),
        ("sub::odd[other]", "bank has no point 'sub::odd[other]'."),
    ):
        run = bench.run("--llm-suite=rows:bank", *REPLIES, f"bank::{part}", "bank::add", "--collect-only")
        assert run.exit == 2
        assert said in run.out
    inside = bench.run("--llm-suite=rows:bank", *REPLIES, "bank/tests")
    assert inside.exit == 4
    assert "bank is what --llm-suite has a loader read" in inside.err


def test_without_a_model_points_are_skipped(bench: Bench) -> None:
    run = bench.run("--llm-suite=rows:bank")
    assert run.exit == 0, run.out + run.err
    assert run.counts() == {"skipped": 6}
    assert "choose one with --llm-model=NAME" in run.out


def test_a_data_folder_is_used_by_the_self_check(bench: Bench) -> None:
    bench.file("rows.jsonl", json.dumps({"id": "add", "cases": [[[1, 2], 3]], "data": "data"}) + "\n")
    bench.file("data/reference/f.py", "def f(a, b):\n    return a + b\n")
    bench.file("data/starter/f.py", "def f(a, b):\n    return a  # TODO\n")
    for name, loses, score, body in (("minus", "answers", 1, "a - b"), ("told", "odd", 3, "a + b  # sum")):
        head = f'+++\nabout = "{name}"\nloses = ["{loses}"]\nscore = {score}\n+++\n'
        bench.file(f"data/mutants/{name}.md", f"{head}```python\ndef f(a, b):\n    return {body}\n```\n")
    run = bench.run("--llm-suite=rows:rows.jsonl", "--llm-selfcheck", "--llm-epochs=1")
    assert run.exit == 0, run.out + run.err
    assert "self-check: passed" in run.out
    assert {(a["model"], a["points"]) for a in run.results["attempts"]} == {
        ("builtin/reference", 4.0),
        ("builtin/starter", 0.0),
        ("mutant/minus", 1.0),
        ("mutant/told", 3.0),
    }


def test_a_run_is_graded_again_where_the_suite_is_named_again(bench: Bench) -> None:
    run = bench.run("--llm-suite=rows:bank", *REPLIES)
    assert run.exit == 1

    def regraded(*words: str) -> Run:
        return bench.run(f"{replay.FLAG}={replay.order(run.folder, bench.root / '.llmbench', 'again')}", *words)

    refused = regraded()
    assert refused.exit == 4
    assert "llmbench regrade RUN -- --llm-suite=NAME:PATH" in refused.err
    again = regraded("--llm-suite=rows:bank")
    assert outcomes(again) == outcomes(run)
    assert again.folder.name == "again"


RAISES = "class L:\n    name = 'rows'\n    def load(self, path):\n        "
WRONG = {
    "hook": ("def pytest_llmbench_loaders():\n    1 / 0", 4, "pytest_llmbench_loaders raised ZeroDivisionError"),
    "load": (RAISES + "1 / 0\n", 2, "plugin conftest.py: rows cannot load {path}: ZeroDivisionError"),
    "none": (RAISES + "return []\n", 2, "plugin conftest.py: rows found no task in {path}."),
    "foreign": (RAISES + "yield {'id': 'a'}\n", 2, "rows loaded {path}: {'id': 'a'} is not a task."),
    "twins": (LOADER.replace('id=row["id"]', 'id="a"'), 2, "rows loaded {path}: two tasks have the id 'a'."),
    "point": (LOADER.replace("bonus=1", "bonus=-1"), 2, "point 'odd' of task 'add' that rows loaded from {path}"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_told_in_one_line(bench: Bench, kind: str) -> None:
    text, status, said = WRONG[kind]
    if "pytest_llmbench_loaders" not in text:
        text += "def pytest_llmbench_loaders():\n    return [L()]\n"
    (bench.root / "conftest.py").write_text(text)
    run = bench.run("--llm-suite=rows:rows.jsonl", *REPLIES)
    assert run.exit == status, run.out + run.err
    said = said.replace("{path}", str(bench.root / "rows.jsonl"))
    told = [line for line in (run.out + run.err).splitlines() if said in line]
    assert told
    assert "Traceback" not in run.out + run.err


@pytest.mark.parametrize(
    ("suite", "said"),
    [
        ("row:bank", "--llm-suite=row:bank: no loader 'row'. Did you mean 'rows'? Known: rows."),
        ("rows:nowhere", "--llm-suite=rows:nowhere: there is no file or folder"),
    ],
)
def test_a_suite_that_cannot_be_loaded_is_a_wrong_option(bench: Bench, suite: str, said: str) -> None:
    run = bench.run(f"--llm-suite={suite}")
    assert run.exit == 4
    assert said in run.err


def test_a_path_outside_the_root_and_the_root_itself(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    away = tmp_path_factory.mktemp("away")
    (away / "conftest.py").write_text(LOADER)
    shutil.copytree(bench.root / "bank", away / "bank")
    for path in (str(away / "bank/rows.jsonl"), "."):
        if path != ".":  # the folder of the file is no suite, and its conftest.py is loaded as those above it
            (away / "bank/conftest.py").unlink()
        run = bench.run(f"--llm-suite=rows:{path}", *REPLIES)
        assert run.attempt("add", "dir:replies")["points"] == 4.0, run.out + run.err
        again = bench.run(f"--llm-suite=rows:{path}", *REPLIES, "--lf")
        assert set(outcomes(again)) == {"sub/answers", "mul/odd"}
