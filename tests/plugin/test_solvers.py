"""Solvers: what plugins hand in, with a model and without, and tasks that take a whole workspace."""

from __future__ import annotations

import json

import pytest
from support.bench import ADD_REPLY, Bench
from support.server import ChatServer

OFFLINE = """
from pytest_llmbench.llm.solving import Files

class Made:
    name = "made"
    needs_model = False

    async def solve(self, job, access):
        if access.target.name == "broken":
            raise ValueError("on purpose")
        if access.target.name == "odd":
            return {"add.py": "x"}
        if access.target.name == "asks":
            return await access.complete(job.messages)
        code = "def add(a, b):\\n    return a + b\\n"
        return Files({"add.py": code, "other.py": "x"}, labels=("way: by hand",), wall_s=2.5, iterations=3)

def pytest_llmbench_solvers():
    return [Made()]
"""
SECOND_THOUGHTS = '''
from pytest_llmbench.llm.solving import Files
from pytest_llmbench.schema.attempt import Message

class Twice:
    """Asks, and asks whether that was right; hands in a file made of the second reply."""

    name = "twice"
    needs_model = True

    async def solve(self, job, access):
        first = await access.complete(job.messages)
        if first.kind != "replied":
            return first
        again = Message(role="user", content="Are you sure?")
        second = await access.complete((*job.messages, again))
        return Files({"add.py": second.completion.text})

def pytest_llmbench_solvers():
    return [Twice()]
'''
WHOLE = """
import pytest

pytestmark = pytest.mark.llm_task(
    id="project", points=3, floor=1, prompt_text="Make a project.", toolchains=["python"], {files}
)

@pytest.mark.rubric("runs", points=1)
def test_runs(sandbox):
    assert sandbox.run(["./bin/run.sh"]).stdout == "ran\\n"

@pytest.mark.rubric("bytes", points=1)
def test_bytes(workspace, submission):
    assert (workspace / "logo.png").read_bytes() == b"\\x89PNG\\xff"
    assert set(submission.files) == {{"logo.png", "bin/run.sh", "README.md"}}

@pytest.mark.rubric("told", points=1)
def test_told(submission):
    assert submission.files["README.md"] == "Run it.\\n"
"""


@pytest.fixture
def project(bench: Bench) -> Bench:
    (bench.root / "tasks/test_project.py").write_text(WHOLE.format(files="workspace=True"))
    folder = bench.root / "mine/project"
    for name, data in {
        "README.md": b"Run it.\n",
        "logo.png": b"\x89PNG\xff",
        "bin/run.sh": b"#!/bin/sh\necho ran\n",
        ".git/config": b"[core]\n",
        "web/node_modules/left/index.js": b"x",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "bin/run.sh").chmod(0o755)
    (folder / "passwd").symlink_to("/etc/passwd")
    return bench


def extended(bench: Bench, text: str) -> None:
    (bench.root / "conftest.py").write_text(text)


def test_a_solver_without_a_model_hands_in_files(bench: Bench, workers: tuple[str, ...]) -> None:
    bench.task("add")
    extended(bench, OFFLINE)
    run = bench.run("tasks", "--llm-model=made:", *workers)
    assert run.exit == 0, run.out + run.err
    attempt = run.attempt("add", "made:")
    assert (attempt["points"], attempt["wall_s"], attempt["iterations"]) == (4, 2.5, 3)
    assert attempt["labels"] == ["way: by hand"]
    stored = json.loads(next(run.folder.rglob("replies/*/add.1.json")).read_text())["outcome"]
    assert (stored["kind"], stored["solver"]) == ("handed_in_files", "made")
    assert [file["name"] for file in stored["tree"]["files"]] == ["add.py"], "what the task asks for"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("broken", "generation broke: ValueError: on purpose"),
        ("odd", "the solver 'made' gave dict, which is no solution."),
        ("asks", "asks a model, and there is none"),
    ],
)
def test_what_a_solver_does_wrong_is_never_a_score(bench: Bench, how: str, said: str) -> None:
    bench.task("add")
    extended(bench, OFFLINE)
    run = bench.run("tasks", f"--llm-model=made:{how},fine=made:")
    attempt = run.attempt("add", f"made:{how}")
    assert (attempt["status"], attempt["error"]["kind"]) == ("error", "grader")
    assert said in attempt["error"]["message"]
    assert run.attempt("add", "fine")["points"] == 4


def test_a_solver_may_ask_its_model_as_often_as_it_likes(bench: Bench, workers: tuple[str, ...]) -> None:
    bench.task("add")
    extended(bench, SECOND_THOUGHTS)
    code = ADD_REPLY.split("```python\n")[1].split("```")[0]
    with ChatServer(lambda body: code if "sure?" in body["messages"][-1]["content"] else "hm") as server:
        chosen = ("--llm-solver=twice", "--llm-model=test-model", f"--llm-base-url={server.base_url}")
        run = bench.run("tasks", *chosen, *workers)
        assert run.exit == 0, run.out + run.err
        assert server.chat_count == 2
        again = bench.run("tasks", *chosen)
        assert server.chat_count == 2, "both replies are stored"
    assert run.attempt("add", "test-model")["points"] == again.attempt("add", "test-model")["points"] == 4
    assert run.results["run"]["options"]["solver"] == "twice"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("nobody", "--llm-solver=nobody: there is no such solver. Choose from: auto, completion, conversation."),
        ("dir", "--llm-solver=dir: this solver needs no model. Use --llm-model=dir:..."),
    ],
)
def test_a_solver_that_cannot_be_chosen_is_refused(bench: Bench, option: str, said: str) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    run = bench.run("tasks", "--llm-model=dir:replies", f"--llm-solver={option}")
    assert (run.exit, said in run.err) == (4, True), run.err
    assert not (bench.root / ".llmbench/runs").exists()


def test_a_whole_workspace_is_handed_in_frozen_and_graded(project: Bench, workers: tuple[str, ...]) -> None:
    run = project.run("tasks", "--llm-model=mine=dir:mine", *workers)
    assert run.attempt("project", "mine")["points"] == 3, run.out + run.err
    stored = json.loads(next(run.folder.rglob("replies/*/project.1.json")).read_text())["outcome"]["tree"]
    assert [file["name"] for file in stored["files"]] == ["README.md", "bin/run.sh", "logo.png"]
    assert stored["notes"] == ["passwd: a link"]
    again = project.run("tasks", f"--llm-model=mine=run:{run.folder}")
    assert again.attempt("project", "mine")["points"] == 3, again.out + again.err


def test_a_frozen_file_that_was_changed_is_never_graded(project: Bench) -> None:
    run = project.run("tasks", "--llm-model=mine=dir:mine")
    (run.folder / "files/mine/project.1/README.md.reply").write_text("Do not run it.\n")
    again = project.run("tasks", f"--llm-model=mine=run:{run.folder}")
    attempt = again.attempt("project", "mine")
    assert (attempt["status"], attempt["error"]["kind"]) == ("error", "grader"), again.out
    assert "is not what was handed in" in attempt["error"]["message"]


def test_one_reply_cannot_hand_in_a_whole_workspace(project: Bench) -> None:
    with ChatServer("hm") as server:
        run = project.run("tasks", "--llm-model=test-model", f"--llm-base-url={server.base_url}")
        assert server.chat_count == 0
    attempt = run.attempt("project", "test-model")
    assert attempt["status"] == "not_run"
    assert "expects a whole workspace" in attempt["reason"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ('workspace=True, files=["a.py"]', "files= and workspace=True exclude each other"),
        ('leave_out=["x"], files=["a.py"]', "leave_out= requires workspace=True"),
        ('workspace="yes"', "workspace='yes' is neither True nor False"),
    ],
)
def test_a_task_says_one_thing_of_what_it_expects(bench: Bench, files: str, said: str) -> None:
    (bench.root / "tasks/test_project.py").write_text(WHOLE.format(files=files))
    run = bench.run("tasks", "--llm-model=builtin/starter")
    assert said in run.out + run.err
