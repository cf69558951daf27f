"""Every wrong use is told in one place, with the file and the remedy, and never as a traceback."""

from __future__ import annotations

import re

import pytest
from support.bench import ADD_REPLY, TASK, Bench

MARK = (
    'id="{id}", suite="tests", points=4, floor=1, files=["add.py"], prompt_text="Write add(a, b), please. Task {id}."'
)

WRONG_TASKS = {
    "prompt-missing": (
        TASK.replace('prompt_text="Write add(a, b), please. Task {id}."', 'prompt="prompt.md"'),
        ["prompt.md does not exist"],
    ),
    "points-no-number": (TASK.replace("points=4", 'points="many"'), ["points=", "'many'", "must be a number"]),
    "sum-wrong": (TASK.replace("points=4", "points=5"), ["sum to 4", "points=5"]),
    "rubric-no-number": (TASK.replace('"adds", points=2', '"adds", points="2"'), ["test_adds", "must be a number"]),
    "rubric-two-kinds": (TASK.replace('"adds", points=2', '"adds", points=2, cap=3'), ["exactly one of", "test_adds"]),
    "rubric-twice": (TASK.replace('"commutes"', '"adds"'), ["test_adds and test_commutes", "Rename one"]),
    "rubric-missing": (
        TASK + "\n\ndef test_stray(submission):\n    pass\n",
        ["test_stray", "no rubric marker"],
    ),
    "unknown-argument": (TASK.replace("floor=1", "flor=1"), ["no argument flor=", "did you mean floor=?"]),
    "rubric-outside": (
        'import pytest\n\n@pytest.mark.rubric("x", points=1)\ndef test_x():\n    pass\n',
        ["the module is no task", "pytestmark = pytest.mark.llm_task"],
    ),
    "task-on-function": (
        'import pytest\n\n@pytest.mark.llm_task(id="x", points=1, files=["a"])\ndef test_x():\n    pass\n',
        ["the module is no task"],
    ),
    "never-collected": (
        TASK + '\n\n@pytest.mark.rubric("more", points=1)\ndef check_more(submission):\n    pass\n',
        ["check_more", "collects no function of that name"],
    ),
    "flaky": (
        TASK.replace('@pytest.mark.rubric("adds"', '@pytest.mark.flaky(reruns=2)\n@pytest.mark.rubric("adds"'),
        ["test_adds is marked flaky", "--llm-epochs=N"],
    ),
    "file-outside": (TASK.replace('"add.py"]', '"../add.py"]'), ["plain names inside the workspace"]),
}


@pytest.mark.parametrize("options", [(), ("--llm-model=dir:replies",)], ids=["no-model", "model"])
def test_every_wrong_task_is_named_with_the_remedy(bench: Bench, options: tuple[str, ...]) -> None:
    paths = {name: bench.task(name, text) for name, (text, _) in WRONG_TASKS.items()}
    (bench.root / "replies").mkdir()
    run = bench.run("tasks", *options)
    assert run.exit == 2, run.out
    told = sections(run.out)
    assert told.keys() == {f"tasks/{path.name}" for path in paths.values()}
    for name, (_, expected) in WRONG_TASKS.items():
        for words in expected:
            assert words in told[f"tasks/{paths[name].name}"]
    assert "Traceback" not in run.out + run.err
    assert "INTERNALERROR" not in run.out
    assert "pytest_llmbench/" not in run.out


def sections(out: str) -> dict[str, str]:
    """What pytest says of each module that it could not collect."""
    _, *parts = re.split(r"^_+ ERROR collecting (\S+) _+$", out.partition("short test summary")[0], flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_two_tasks_with_one_id(bench: Bench) -> None:
    bench.task("add")
    bench.task("again", TASK.replace("{id}", "add"))
    run = bench.run("tasks")
    assert run.exit == 2
    assert "two tasks have the id 'add'" in run.out
    assert "test_add.py" in run.out
    assert "test_again.py" in run.out


WRONG_OPTIONS = {
    "--llm-epochs=0": "--llm-epochs=0: use a whole number of at least 1",
    "--llm-epochs=two": "a whole number",
    "--llm-timeout=-3": "use a number above 0",
    "--llm-max-cost=0": "use a number above 0",
    "--llm-retry-errors": "--llm-retry-errors requires --llm-resume",
    "--llm-param=temperature": "write KEY=VALUE",
    "--llm-param=seed=1,seed=2": "'seed' is given twice",
    "--llm-fail-under=120": "a percentage from 0 to 100",
    "--llm-sandbox=docer": "choose one of auto, bubblewrap",
    "--llm-sandbox=docker": "podman:IMAGE or docker:IMAGE",
    "--llm-sandbox=docker:--privileged": "podman:IMAGE or docker:IMAGE",
    "--llm-model=a,a": "'a' is given twice",
    "--llm-model==x": "needs text on both sides",
    "--llm-model=a,,b": "empty name",
    "--llm-model=builtin/refrence": "reference",
    "--llm-model=dir:nowhere": "nowhere",
    "--llm-suite=sixx": "no such suite. Did you mean 'six'?",
}


@pytest.mark.parametrize("option", WRONG_OPTIONS)
def test_wrong_option(bench: Bench, option: str) -> None:
    bench.task("add")
    more = () if option.startswith("--llm-model") else ("--llm-model=builtin/reference",)
    run = bench.run("tasks", option, *more)
    assert run.exit == 4, run.out + run.err
    assert WRONG_OPTIONS[option] in run.err
    assert "Traceback" not in run.out + run.err


def test_wrong_environment_and_ini_are_named(bench: Bench) -> None:
    bench.task("add")
    assert "LLMBENCH_EPOCHS=none" in bench.run("tasks", LLMBENCH_EPOCHS="none").err
    bench.file("pytest.ini", "[pytest]\nllm_epochs = some\n")
    assert "ini llm_epochs=some" in bench.run("tasks").err


def test_reruns_are_refused_by_option_and_by_ini(bench: Bench) -> None:
    """Without pytest-retry, so by a stand-in that declares what it declares."""
    bench.task("add")
    bench.file(
        "conftest.py",
        """
        def pytest_addoption(parser):
            parser.addoption("--retries", type=int)
            parser.addini("retries", "how often", default=0)
        """,
    )
    assert bench.run("tasks", "-o", "retries=2").exit == 0, "no model, no score"
    for run in (
        bench.run("--llm-model=builtin/reference", "--retries=2"),
        bench.run("--llm-model=builtin/reference", "-o", "retries=2"),
    ):
        assert run.exit == 4, run.out
        assert "retries would keep the best of several gradings" in run.err


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["alone", "workers"])
def test_a_marker_that_comes_after_collection_is_refused_too(bench: Bench, options: tuple[str, ...]) -> None:
    """As some plugins and conftest files give it to every test."""
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    bench.file(
        "conftest.py",
        """
        import pytest

        def pytest_configure(config):
            config.addinivalue_line("markers", "flaky: again")

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.flaky(retries=2))
        """,
    )
    run = bench.run("--llm-model=dir:replies", *options)
    assert run.exit not in (0, 1), run.out
    assert "was marked flaky: a rerun would keep the best" in run.out + run.err


def test_a_plugin_that_repeats_tests_makes_cases_of_points(bench: Bench) -> None:
    """Without pytest-flakefinder, so by a stand-in that parametrizes before all others, as it does."""
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    bench.file(
        "conftest.py",
        """
        import pytest

        class Repeat:
            @pytest.hookimpl(tryfirst=True)
            def pytest_generate_tests(self, metafunc):
                metafunc.fixturenames.append("again")
                metafunc.parametrize("again", range(2))

        def pytest_configure(config):
            config.pluginmanager.register(Repeat())
        """,
    )
    run = bench.run("--llm-model=one=dir:replies,two=dir:replies")
    assert run.exit == 0, run.out + run.err
    assert [run.attempt("add", model)["points"] for model in ("one", "two")] == [4, 4]


def test_a_run_folder_named_in_the_ini_lies_in_the_rootdir(bench: Bench) -> None:
    bench.task("add")
    bench.file("pytest.ini", "[pytest]\nllm_run_dir = kept\n")
    bench.file("sub/replies/add.md", "```python\ndef add(a, b):\n    return a + b\n```\n")
    run = bench.run("../tasks", "--llm-model=dir:replies", cwd=bench.root / "sub")
    assert run.exit == 0, run.out + run.err
    assert (bench.root / "kept" / "latest" / "results.json").is_file()
