"""What plugins add through hooks, and what is said of those that are wrong."""

from __future__ import annotations

import json

import pytest
from support.bench import ADD_REPLY, Bench

REPLIES = ("--llm-model=dir:replies",)

SANDBOX = """
from pytest_llmbench.sandbox.unsandboxed import Local

class Plain(Local):
    name = "plain"

def pytest_llmbench_sandboxes():
    return [Plain]
"""
"""A backend without isolation: quick, and the rubric of ``Bench.task`` needs none."""

CLIENT = '''
import json
from pathlib import Path
from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.protocols import ModelProvider
from pytest_llmbench.schema.attempt import Completion, Failure

class Echo:
    def __init__(self, target, context):
        self.tries = 0
        self.key = context.environment.get(target.key_variable or "", "")

    async def complete(self, request, *, timeout_s):
        self.tries += 1
        with Path("asked").open("a") as file:
            print(json.dumps([request.model, dict(request.params)]), file=file)
        if request.model == "flaky" and self.tries == 1:
            raise ModelError(Failure(kind="connection", message="not yet"))
        if request.model == "breaks":
            raise ValueError("of the client")
        if request.model == "text":
            return "a text"
        return Completion(text="""{reply}""" + self.key, finish_reason="stop")

    async def aclose(self):
        Path("closed").touch()

def pytest_llmbench_clients():
    return [ModelProvider("echo", Echo{more})]
'''.replace("{reply}", ADD_REPLY)


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    bench.file("replies/add.2.md", ADD_REPLY)
    return bench


def extended(bench: Bench, text: str, **values: str) -> None:
    for name, value in {"more": "", **values}.items():
        text = text.replace(f"{{{name}}}", value)
    (bench.root / "conftest.py").write_text(text)


def with_bonus(bench: Bench, test: str) -> None:
    """Add a point to the task."""
    path = bench.root / "tasks/test_add.py"
    path.write_text(path.read_text().replace("points=4, floor", "points=5, floor") + test)


# -- sandboxes -------------------------------------------------------------------------------------------------------


def test_a_backend_is_used_wherever_grading_is_done(bench: Bench, workers: tuple[str, ...]) -> None:
    seen = "\ndef test_seen(sandbox):\n    assert type(sandbox).__name__ == 'Plain'\n"
    with_bonus(bench, "\n@pytest.mark.rubric('seen', bonus=1)" + seen)
    extended(bench, SANDBOX)
    run = bench.run("tasks", *REPLIES, "--llm-sandbox=plain", *workers)
    assert run.exit == 0, run.out + run.err
    assert run.row("dir:replies")["total"] == 5.0
    assert run.results["run"]["sandbox"]["name"] == "plain"
    assert "llmbench: plugin conftest.py: adds --llm-sandbox=plain" in run.out.splitlines()
    assert "(plugin conftest.py) (self-test passed)" in run.out


def test_auto_tries_only_ours(bench: Bench) -> None:
    extended(bench, SANDBOX.replace("class Plain(Local):", "class Plain(Local):\n    guarantees = ('all',)"))
    run = bench.run("tasks", *REPLIES)
    assert run.exit == 0, run.out + run.err
    assert run.results["run"]["sandbox"]["name"] != "plain"


def test_a_backend_that_breaks_its_promise_is_refused(bench: Bench) -> None:
    extended(bench, SANDBOX.replace("class Plain(Local):", "class Plain(Local):\n    guarantees = ('no files',)"))
    run = bench.run("tasks", *REPLIES, "--llm-sandbox=plain")
    assert run.exit == 4
    assert "plugin conftest.py: none (no isolation): a program inside read a file outside" in run.err
    assert not (bench.root / ".llmbench/runs").exists()


FAMILY = """
from pytest_llmbench.sandbox.unsandboxed import Local

class Family:
    name = "family"
    def backend(self, image):
        return type("Member", (Local,), {"name": %s})

def pytest_llmbench_sandboxes():
    return [Family()]
"""


def test_a_family_is_given_its_image(bench: Bench, workers: tuple[str, ...]) -> None:
    extended(bench, FAMILY % "f'family:{image}'")
    run = bench.run("tasks", *REPLIES, "--llm-sandbox=family:small", *workers)
    assert run.exit == 0, run.out + run.err
    assert run.results["run"]["sandbox"]["name"] == "family:small"
    bare = bench.run("tasks", *REPLIES, "--llm-sandbox=family")
    assert bare.exit == 4
    assert "family:IMAGE" in bare.err


BROKEN_AT_WORK = """
from pytest_llmbench.sandbox.unsandboxed import Local

class Plain(Local):
    name = "plain"
    def execute(self, launch, bed):
        if launch.command[-1] == "boom":
            raise ValueError("of the backend")
        return super().execute(launch, bed)

def pytest_llmbench_sandboxes():
    return [Plain]
"""


def test_a_backend_that_breaks_while_grading_is_an_error_and_never_a_miss(bench: Bench) -> None:
    body = "\n@pytest.mark.rubric('boom', bonus=1)\ndef test_boom(sandbox):\n    sandbox.run(['echo', 'boom'])\n"
    with_bonus(bench, body)
    extended(bench, BROKEN_AT_WORK)
    attempt = bench.run("tasks", *REPLIES, "--llm-sandbox=plain").attempt("add", "dir:replies")
    assert attempt["status"] == "error"
    assert "the sandbox plain broke: ValueError: of the backend" in attempt["error"]["message"]


# -- clients ---------------------------------------------------------------------------------------------------------


def test_a_client_is_asked_and_the_rest_stays_ours(bench: Bench, workers: tuple[str, ...]) -> None:
    extended(bench, CLIENT)
    asked = ("tasks", "--llm-model=echo:one,f=echo:flaky", "--llm-param=temperature=0.5", "--llm-epochs=2")
    run = bench.run(*asked, *workers)
    assert run.exit == 0, run.out + run.err
    assert {name: run.row(name)["total"] for name in ("echo:one", "f")} == {"echo:one": 4.0, "f": 4.0}
    assert "llmbench: echo:one: one through echo, 1 at a time" in run.out.splitlines()
    assert "llmbench: plugin conftest.py: adds --llm-model=echo:NAME" in run.out.splitlines()
    lines = [json.loads(line) for line in (bench.root / "asked").read_text().splitlines()]
    assert [model for model, _ in lines] == ["one"] * 2 + ["flaky"] * 3, "model by model, with one retry"
    assert lines[0][1] == {"temperature": 0.5}
    assert all(attempt["wall_s"] is not None for attempt in run.results["attempts"])
    assert (bench.root / "closed").exists()
    again = bench.run(*asked, *workers)
    assert again.exit == 0
    assert len((bench.root / "asked").read_text().splitlines()) == len(lines), "stored replies are used again"


def test_what_a_client_does_wrong_is_an_error_that_names_its_plugin(bench: Bench) -> None:
    extended(bench, CLIENT)
    run = bench.run("tasks", "--llm-model=echo:breaks,echo:text,echo:one")
    assert run.row("echo:one")["total"] == 4.0
    for model, said in (("echo:breaks", "raised ValueError: of the client"), ("echo:text", "returned str")):
        error = run.attempt("add", model)["error"]
        assert error["kind"] == "grader"
        assert f"plugin conftest.py: the client of '{model}' {said}" in error["message"]
    assert "Traceback" not in run.out + run.err


@pytest.mark.parametrize(
    ("client", "said"),
    [("lambda *_: object()", "lacks complete, aclose"), ("lambda *_: 1 / 0", "cannot be made: ZeroDivisionError")],
)
def test_a_client_that_is_none_is_an_error_that_names_its_plugin(bench: Bench, client: str, said: str) -> None:
    extended(bench, CLIENT.replace("Echo{more}", client))
    error = bench.run("tasks", "--llm-model=echo:one").attempt("add", "echo:one")["error"]
    assert error["kind"] == "grader"
    assert f"plugin conftest.py: the client of 'echo:one' {said}" in error["message"]


def test_a_clients_key_is_taken_and_redacted(bench: Bench) -> None:
    extended(bench, CLIENT, more=', key_variable="ECHO_KEY"')
    missing = bench.run("tasks", "--llm-model=echo:one")
    assert missing.exit == 4
    assert "ECHO_KEY, which holds the key of echo, is not set" in missing.err
    run = bench.run("tasks", "--llm-model=echo:one", ECHO_KEY="sk-0123456789abcdef")
    assert run.exit == 0, run.out + run.err
    kept = [path for path in (bench.root / ".llmbench").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"0123456789abcdef" in path.read_bytes()]


def test_models_of_plugins_are_listed(bench: Bench) -> None:
    extended(bench, CLIENT)
    assert "models of plugin conftest.py: echo:NAME" in bench.run("--llm-list-models").out.splitlines()


def test_a_models_file_names_a_plugins_model(bench: Bench) -> None:
    extended(bench, CLIENT)
    bench.file("llmbench.toml", '[models.short]\nname = "echo:one"\nparams = {top_p = 0.5}\n')
    run = bench.run("tasks", "--llm-model=short")
    assert run.row("short")["total"] == 4.0, run.out + run.err
    assert json.loads((bench.root / "asked").read_text()) == ["one", {"top_p": 0.5}]


# -- listeners -------------------------------------------------------------------------------------------------------

LISTENER = """
import os

def pytest_llmbench_attempt_graded(attempt, run_folder):
    with open("heard", "a") as file:
        print("attempt", os.getpid(), attempt.model, attempt.epoch, attempt.status, attempt.points, file=file)
    attempt.criteria.clear()

def pytest_llmbench_results(results, run_folder):
    assert (run_folder / "results.json").is_file()
    with open("heard", "a") as file:
        print("results", os.getpid(), len(results.attempts), file=file)
    results.leaderboard.clear()

def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        print(end="", file=open(f"controller.{os.getpid()}", "w"))
"""


def test_listeners_hear_of_every_attempt_and_of_the_results(bench: Bench, workers: tuple[str, ...]) -> None:
    extended(bench, LISTENER)
    run = bench.run("tasks", *REPLIES, "--llm-epochs=2", *workers)
    assert run.exit == 0, run.out + run.err
    (controller,) = [path.suffix[1:] for path in bench.root.glob("controller.*")]
    lines = (bench.root / "heard").read_text().splitlines()
    assert sorted(lines[:2]) == [f"attempt {controller} dir:replies {epoch} scored 4.0" for epoch in (1, 2)]
    assert lines[2:] == [f"results {controller} 2"]
    assert run.results["attempts"][0]["criteria"], "a listener has a copy of its own"
    assert "1  dir:replies" in run.out


def test_an_attempt_of_which_points_were_not_run_is_not_reported(bench: Bench) -> None:
    extended(bench, LISTENER)
    bench.file("replies/add.md", "```python\ndef add(a, b):\n    return 0\n```\n")
    run = bench.run("tasks", *REPLIES, "-x")
    assert run.exit == 1
    assert [line.split()[0] for line in (bench.root / "heard").read_text().splitlines()] == ["results"]


RAISING = """
import pytest

def pytest_llmbench_attempt_graded():
    raise ValueError("nobody listens\\nto this")

def pytest_llmbench_results():
    pytest.fail("to listen")
"""


@pytest.mark.parametrize("quiet", [(), ("-qq",)], ids=" ".join)
def test_a_listener_that_raises_is_reported_and_changes_nothing(bench: Bench, quiet: tuple[str, ...]) -> None:
    extended(bench, RAISING)
    run = bench.run("tasks", *REPLIES, "--llm-epochs=2", "--llm-fail-under=100", *quiet)
    assert run.exit == 0, run.out + run.err
    assert run.row("dir:replies")["total"] == 4.0
    lines = [line for line in (run.out + run.err).splitlines() if "conftest.py" in line]
    assert lines == [
        "llmbench: plugin conftest.py: pytest_llmbench_attempt_graded raised ValueError: nobody listens (2 times)",
        "llmbench: plugin conftest.py: pytest_llmbench_results raised Failed: to listen",
    ]
    assert "Traceback" not in run.out + run.err


def test_a_listener_is_heard_of_where_a_session_has_no_summary(bench: Bench) -> None:
    extended(bench, RAISING + "\ndef pytest_collection_finish():\n    raise ValueError\n")
    run = bench.run("tasks", *REPLIES)
    assert run.exit == 3
    assert "llmbench: plugin conftest.py: pytest_llmbench_results raised Failed: to listen" in run.err.splitlines()


# -- what is wrong ---------------------------------------------------------------------------------------------------

_S = "from pytest_llmbench.sandbox.unsandboxed import Local\nfrom pytest_llmbench.sandbox.backend import Backend\n"
_C = "from pytest_llmbench.llm.protocols import ModelProvider\n"
WRONG = {
    "a backend with a name of ours": (
        f"{_S}def pytest_llmbench_sandboxes():\n    return [Local]\n",
        "plugin conftest.py: the sandbox backend 'none' has a name of llmbench's own",
    ),
    "a backend called auto": (
        f"{_S}def pytest_llmbench_sandboxes():\n    return [type('A', (Local,), {{'name': 'auto'}})]\n",
        "plugin conftest.py: the sandbox backend 'auto' has a name of llmbench's own",
    ),
    "a backend with a name that nobody can type": (
        f"{_S}def pytest_llmbench_sandboxes():\n    return [type('A', (Local,), {{'name': 'a b'}})]\n",
        "plugin conftest.py: 'a b' cannot be the name of a sandbox backend",
    ),
    "a backend without methods": (
        f"{_S}class Half(Backend):\n    pass\ndef pytest_llmbench_sandboxes():\n    return [Half]\n",
        "is not a sandbox backend: it lacks describe, execute, home, seen_at, name.",
    ),
    "no backend at all": (
        "def pytest_llmbench_sandboxes():\n    return [42]\n",
        "plugin conftest.py: 42 is not a sandbox backend: write a class derived from Backend",
    ),
    "no list": (
        "def pytest_llmbench_sandboxes():\n    return 42\n",
        "plugin conftest.py: pytest_llmbench_sandboxes raised TypeError: 'int' object is not iterable",
    ),
    "a hook that raises": (
        "def pytest_llmbench_sandboxes():\n    raise ValueError('on purpose')\n",
        "plugin conftest.py: pytest_llmbench_sandboxes raised ValueError: on purpose",
    ),
    "a hook for clients that raises": (
        "def pytest_llmbench_clients():\n    raise ValueError('on purpose')\n",
        "plugin conftest.py: pytest_llmbench_clients raised ValueError: on purpose",
    ),
    "a hook that wraps": (
        "import pytest\n@pytest.hookimpl(wrapper=True)\ndef pytest_llmbench_clients():\n    return (yield)\n",
        "plugin conftest.py: pytest_llmbench_clients cannot be wrapped",
    ),
    "a listener that wraps": (
        "import pytest\n@pytest.hookimpl(wrapper=True)\ndef pytest_llmbench_results():\n    return (yield)\n",
        "plugin conftest.py: pytest_llmbench_results cannot be wrapped",
    ),
    "a provider with a name of ours": (
        f"{_C}def pytest_llmbench_clients():\n    return [ModelProvider('litellm', print)]\n",
        "plugin conftest.py: the model provider 'litellm' has a name of llmbench's own",
    ),
    "a provider with a reserved name": (
        f"{_C}def pytest_llmbench_clients():\n    return [ModelProvider('dir', print)]\n",
        "plugin conftest.py: the model provider 'dir' has a name of llmbench's own",
    ),
    "two providers of one name": (
        f"{_C}def pytest_llmbench_clients():\n    return [ModelProvider('a', print), ModelProvider('a', print)]\n",
        "plugin conftest.py: registers two of the model provider 'a'",
    ),
    "a client that cannot be called": (
        f"{_C}def pytest_llmbench_clients():\n    return [ModelProvider('a', 42)]\n",
        "is not a model provider: its client cannot be called",
    ),
    "a solver that is a class": (
        "class A:\n    name = 'a'\ndef pytest_llmbench_solvers():\n    return [A]\n",
        "is not a solver: give an object, not a class",
    ),
    "a solver that does not say whether it needs a model": (
        "class A:\n    name = 'a'\ndef pytest_llmbench_solvers():\n    return [A()]\n",
        "is not a solver: it lacks needs_model, True or False",
    ),
    "a solver that would block": (
        "class A:\n    name = 'a'\n    needs_model = False\n    def solve(self, job, access):\n        pass\n"
        "def pytest_llmbench_solvers():\n    return [A()]\n",
        "is not a solver: it lacks a coroutine function solve(job, access)",
    ),
    "a solver with a name of ours": (
        "class A:\n    name = 'dir'\n    needs_model = False\n    async def solve(self, job, access):\n        pass\n"
        "def pytest_llmbench_solvers():\n    return [A()]\n",
        "plugin conftest.py: the solver 'dir' has a name of llmbench's own",
    ),
    "a solver and a provider of one name": (
        f"{_C}class A:\n    name = 'a'\n    needs_model = False\n"
        "    async def solve(self, job, access):\n        pass\n"
        "def pytest_llmbench_solvers():\n    return [A()]\n"
        "def pytest_llmbench_clients():\n    return [ModelProvider('a', print)]\n",
        "plugins conftest.py and conftest.py: the solver and the model provider 'a' have one name",
    ),
    "no provider": (
        "def pytest_llmbench_clients():\n    return [print]\n",
        "is not a model provider: give a ModelProvider",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_extension_ends_the_session_with_one_line(bench: Bench, kind: str) -> None:
    text, said = WRONG[kind]
    extended(bench, text)
    run = bench.run("tasks", *REPLIES)
    assert run.exit == 4, run.out + run.err
    (line,) = run.err.strip().splitlines()
    assert said in line
    assert "conftest.py" in line
    assert "Traceback" not in run.out + run.err
    assert not (bench.root / ".llmbench/runs").exists()
    assert bench.run("tasks").counts() == {"skipped": 3}, "without a model nobody asks for it"


def test_two_plugins_with_one_backend_are_both_named(bench: Bench) -> None:
    extended(bench, SANDBOX)
    bench.file("other.py", SANDBOX)
    run = bench.run("tasks", *REPLIES, "-p", "other")
    assert run.exit == 4
    assert "both register a sandbox backend 'plain'" in run.err
    assert {"other", "conftest.py"} <= set(run.err.replace(":", " ").split())
