"""The built wheel: what is in it, and the shipped suite run from a `.venv` inside a user's project."""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from support.bench import REPOSITORY, Bench, Run
from support.suite import TASKS

SUITE = ("--llm-suite=six", "--llm-model=builtin/reference")
POINTS = 120.0


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built as it is for a release; build isolation fetches the backend."""
    if not (REPOSITORY / "pyproject.toml").is_file():
        pytest.skip("needs the checkout")
    folder = tmp_path_factory.mktemp("wheel")
    if importlib.util.find_spec("pip"):
        command = ["pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, REPOSITORY]
    else:
        command = ["uv", "build", "--quiet", "--wheel", "--out-dir", folder, REPOSITORY]
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


class Installed(Bench):
    """A project whose own ``.venv`` holds the wheel; its dependencies are this environment's."""

    def __init__(self, root: Path, wheel: zipfile.ZipFile) -> None:
        super().__init__(root)
        self.cold = True  # with its own Python
        venv.create(root / ".venv", symlinks=True)
        (self.packages,) = (root / ".venv/lib").glob("python3*/site-packages")
        wheel.extractall(self.packages)
        (self.packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def command(self, *args: object) -> list[str]:
        """The command line, with the project's own Python."""
        return [str(self.root / ".venv/bin/python"), *super().command(*args)[1:]]

    def environment(self, **more: str) -> dict[str, str]:
        """Nothing that could bring the checkout back."""
        return {name: value for name, value in super().environment(**more).items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, wheel: zipfile.ZipFile) -> Installed:
    return Installed(tmp_path_factory.mktemp("project"), wheel)


def points(run: Run) -> float:
    """All points, but those of tasks whose toolchain this machine lacks."""
    return POINTS - sum(left["points"] for left in run.results["run"]["selection"]["left_out"])


def files(folder: str) -> set[str]:
    """Every file below a folder of the checkout, by its path there."""
    found = (REPOSITORY / folder).rglob("*")
    return {p.relative_to(REPOSITORY).as_posix() for p in found if p.is_file() and "__pycache__" not in p.parts}


def test_everything_that_is_needed_is_in_the_wheel_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    suites = "pytest_llmbench/suites/"
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    of_replies = files("fixtures/replies")
    expected = files("pytest_llmbench") | {suites + name for name in (files("tasks") | files("fixtures")) - of_replies}
    assert inside == expected
    assert of_replies, "the folder that must stay outside has another name"
    for name in (
        "py.typed", "sandbox/drivers/driver.py", "sandbox/drivers/driver.mjs", "sandbox/drivers/values.mjs",
        "sandbox/etc/hosts",
        "sandbox/drivers/confine.py", "sandbox/drivers/pytest_report.py", "sandbox/drivers/node_report.mjs",
        "suites/tasks/six/python_top_k/prompt.md", "suites/tasks/six/js_bug_fix/stage.mjs",
        "suites/tasks/six/ts_refactor/compile.mjs", "suites/fixtures/rust-cli/dependencies/Cargo.lock",
        "suites/fixtures/js-bug-fix/starter/task_queue.js", "suites/fixtures/python-top-k/reference/top_k.py",
    ):  # fmt: skip
        assert f"pytest_llmbench/{name}" in inside
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel.namelist())


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
def test_the_suite_runs_from_a_venv_inside_the_project(project: Installed, workers: tuple[str, ...]) -> None:
    run = project.run(*SUITE, "--llm-model=builtin/starter", "--llm-fail-under=0", *workers)
    assert run.exit == 0, run.out + run.err
    reference, starter = run.row("builtin/reference"), run.row("builtin/starter")
    assert reference["total"] == reference["max_total"] == points(run)
    tasks = set(TASKS) - {left["task"] for left in run.results["run"]["selection"]["left_out"]}
    assert reference["completed"] == f"{len(tasks)}/{len(tasks)}"
    assert starter["per_task"] == {task: 4.0 if task == "js-bug-fix" else 2.0 for task in sorted(tasks)}


def test_selections_from_a_venv_inside_the_project(project: Installed) -> None:
    assert (project.packages / "pytest_llmbench/suites").is_relative_to(project.root)
    assert f"{project.packages}/pytest_llmbench/" in project.run("--trace-config", "--collect-only").out
    one = project.run(*SUITE, "-k", "test_js_bug_fix")
    assert one.exit == 0
    assert [attempt["task"] for attempt in one.results["attempts"]] == ["js-bug-fix"]
    typed = project.run(project.packages / "pytest_llmbench/suites/tasks/six", "--llm-model=builtin/reference")
    assert typed.row("builtin/reference")["total"] == points(typed)


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
def test_misses_are_run_again_from_a_venv_inside_the_project(project: Installed, workers: tuple[str, ...]) -> None:
    first = project.run(
        "--llm-suite=six", "--llm-model=builtin/starter", "-k", "test_js_bug_fix", "--cache-clear", "-v"
    )
    failed = first.counts()["missed"]
    assert failed > 1
    last = project.run("--llm-suite=six", "--llm-model=builtin/starter", "--lf", *workers)
    assert last.counts()["missed"] == failed
    assert "passed" not in last.counts()
    again = next(line.partition("a model: ")[2] for line in first.out.splitlines() if "again, without" in line)
    once_more = project.run(*shlex.split(again)[1:], *workers)
    assert once_more.counts() == {"missed": 1}, once_more.out
