"""pytest never imports what a model handed in: a canary in every kind of file, and many ways to make it look there."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.bench import Bench, Run

from pytest_llmbench.store.run_dir import RunDir

TASK = '''
import pytest

pytestmark = pytest.mark.llm_task(
    id="write-tests", points=1, files=["test_calc.py", "conftest.py"], toolchains=[], prompt_text="Write tests.")


@pytest.mark.rubric("has-tests", points=1)
def test_has_tests(submission):
    """
    >>> 1 + 1
    2
    """
    assert "CANARY" in submission.files["test_calc.py"]
'''
EVIL = '''
"""
>>> import pathlib; _ = pathlib.Path({canary!r}).write_text(__name__)
"""
import pathlib

pathlib.Path({canary!r}).write_text(__name__)  # CANARY


def test_evil():
    assert True
'''
NAMES = ("test_calc.py", "conftest.py", "__init__.py", "calc_test.py", "plain.py", "test_text.txt", "test_text.rst")
EVERYTHING = (
    "-o", "norecursedirs=none", "-o", "python_files=*", "--doctest-modules", "--doctest-glob=*",
)  # fmt: skip


@pytest.fixture
def trap(bench: Bench) -> Trap:
    return Trap(bench)


class Trap:
    """A project with one task, one ordinary test, and replies that give themselves away when they are imported."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.root = bench.root
        self.canary = bench.root.parent / "CANARY"
        bench.file("pyproject.toml", "[tool.pytest.ini_options]\naddopts = '--strict-markers'\n")
        bench.file("tests/test_mine.py", 'def test_mine():\n    """\n    >>> 1 + 1\n    2\n    """\n')
        bench.task("write-tests", TASK)

    def set(self, folder: str) -> Path:
        """A folder full of what must not be imported."""
        for name in NAMES:
            self.bench.file(f"{folder}/{name}", EVIL.format(canary=str(self.canary)))
        return self.root / folder

    def run(self, *args: object, cwd: Path | None = None, alone: bool = False) -> Run:
        """Run pytest; the canary must be silent afterwards."""
        words = ("-p", "no:llmbench", "-o", "addopts=") if alone else ()
        run = self.bench.run(*words, *args, "-p", "no:cacheprovider", cwd=cwd)
        assert not self.canary.exists(), f"{self.canary.read_text()} was imported by pytest {args}:\n{run.out}{run.err}"
        return run

    def old_run(self, base: str = "llmbench") -> tuple[Path, Path]:
        """A run folder, and in it the files of an attempt under the names that older versions kept them at."""
        run = RunDir.create(self.root / base)
        for name in ("run.json", "plan.json"):
            run.write(name, "{}")
        return run.path, self.set(str(run.path.relative_to(self.root) / "files/mine/write-tests.1"))


def test_the_trap_snaps(trap: Trap) -> None:
    """The canary sings where nobody hinders it."""
    trap.set("elsewhere")
    trap.bench.run("elsewhere", *EVERYTHING)
    assert trap.canary.exists()


@pytest.mark.slow
def test_replies_of_this_session_and_of_earlier_ones(trap: Trap, workers: tuple[str, ...]) -> None:
    """The first run, a second over the folder of the first, and one without a model; all in sight is asked for."""
    trap.set("replies/write-tests")
    trap.set("replies/write-tests.2")
    (trap.root / "tests/link").symlink_to(trap.root / "replies", target_is_directory=True)
    (trap.root / "tests/test_link.py").symlink_to(trap.root / "replies/write-tests/test_calc.py")
    for _ in range(2):
        run = trap.run("--llm-model=mine=dir:replies", "--llm-run-dir=llmbench", *EVERYTHING, *workers)
        assert run.counts() == {"passed": 4}, run.out + run.err  # both tests, and their doctests
    run = trap.run(*EVERYTHING, "--import-mode=importlib", "--keep-duplicates", *workers)
    assert run.counts() == {"passed": 2, "skipped": 2}, run.out + run.err


def test_a_run_folder_with_importable_names(trap: Trap) -> None:
    """As older versions kept them, or as somebody sends them: without a model, and without this plugin."""
    folder, _ = trap.old_run()
    (trap.root / "tests/link").symlink_to(folder, target_is_directory=True)
    assert trap.run(*EVERYTHING).counts() == {"passed": 2, "skipped": 2}
    assert trap.run(*EVERYTHING, "tests", "llmbench", "-n2", alone=True).counts() == {"passed": 2}
    assert trap.run(*EVERYTHING, "--noconftest", "tests", "llmbench", alone=True).counts() == {"passed": 2}


def test_a_run_folder_of_somebody_else(trap: Trap) -> None:
    """Its conftest.py is not ours: it is not loaded either."""
    folder, _ = trap.old_run("shared")
    trap.set(str(folder.relative_to(trap.root)))
    assert trap.run(*EVERYTHING).counts() == {"passed": 2, "skipped": 2}


INSIDE = {
    "file": ("{folder}/files/mine/write-tests.1/test_calc.py",),
    "node id": ("{folder}/files/mine/write-tests.1/test_calc.py::test_evil",),
    "folder": ("{folder}/files/mine",),
    "pyargs": ("--pyargs", "evil.test_calc"),
    "other root": ("--rootdir={folder}/files", "--confcutdir={folder}/files", "{folder}/files"),
    "link": ("tests/link/files",),
    "testpaths": ("-o", "testpaths=llmbench/runs/*/files"),
    "beside a test": ("tests", "{folder}/files/mine/write-tests.1"),
}


@pytest.mark.parametrize("way", INSIDE)
def test_what_lies_inside_is_refused_by_name(trap: Trap, way: str) -> None:
    folder, evil = trap.old_run()
    (trap.root / "tests/link").symlink_to(folder, target_is_directory=True)
    (trap.root / "evil").symlink_to(evil, target_is_directory=True)
    run = trap.run(*EVERYTHING, *(word.format(folder=folder) for word in INSIDE[way]))
    assert run.exit == 4, run.out + run.err
    assert "is a run folder of llmbench" in run.err
    assert "Traceback" not in run.err


def test_from_within_a_run_folder(trap: Trap) -> None:
    _, evil = trap.old_run()
    assert trap.run(*EVERYTHING, cwd=evil).exit == 4


def test_kept_files_are_nothing_that_pytest_imports(trap: Trap) -> None:
    """Without this plugin, without any conftest file, and named one by one."""
    trap.set("replies/write-tests")
    trap.run("tasks", "--llm-model=mine=dir:replies")
    kept = (trap.root / ".llmbench/latest").resolve() / "files/mine/write-tests.1"
    assert sorted(path.name for path in kept.iterdir()) == ["conftest.py.reply", "test_calc.py.reply"]
    words = ("-o", "norecursedirs=none", "-o", "python_files=*", "--doctest-modules", "--noconftest")
    trap.run(*words, f"--confcutdir={kept}", kept, *kept.iterdir(), alone=True)


def test_replies_beside_the_tests(trap: Trap) -> None:
    """``dir:.``: the replies are in the root of the project itself, under the name of their task."""
    trap.set("write-tests")
    trap.bench.file("write-tests.2.md", EVIL.format(canary=str(trap.canary)))
    run = trap.run("--llm-model=mine=dir:.", *EVERYTHING[:-1], "--doctest-glob=*.md")
    assert run.counts() == {"passed": 4}, run.out + run.err


def test_a_reply_folder_with_a_name_that_pytest_looks_into_at_once(trap: Trap) -> None:
    """pytest loads ``test*/conftest.py`` of its arguments before it collects anything."""
    trap.set("test-replies")
    trap.set("test-replies/write-tests")
    run = trap.run("--llm-model=mine=dir:test-replies", *EVERYTHING)
    assert run.counts() == {"passed": 4}, run.out + run.err


def test_data_folders_of_tasks(trap: Trap) -> None:
    """Beside the module, and in ``fixtures/``: starter, reference and the rest are data, whatever they hold."""
    trap.bench.task("add")
    trap.set("tasks/fixtures/add/starter")
    trap.set("tasks/fixtures/add")
    owned = TASK.replace("write-tests", "own").replace('prompt_text="Write tests."', 'data="."')
    trap.bench.file("tasks/own/test_own.py", owned)
    trap.bench.file("tasks/own/prompt.md", "Write tests.\n\n>>> 1 / 0\n")
    trap.bench.file("tasks/own/probe.py", EVIL.format(canary=str(trap.canary)))
    for part in ("starter", "reference", "stub", "mutants"):
        trap.set(f"tasks/own/{part}")
    run = trap.run(*EVERYTHING)
    assert run.exit == 0, run.out + run.err
    assert run.counts() == {"passed": 2, "skipped": 7}


def test_an_ordinary_folder_of_such_a_name_is_collected(trap: Trap) -> None:
    trap.bench.file("tests/reference/test_ordinary.py", "def test_it():\n    pass\n")
    trap.bench.file("tests/fixtures/other/starter/test_more.py", "def test_more():\n    pass\n")
    trap.bench.file("tests/write-tests/test_even_more.py", "def test_even_more():\n    pass\n")
    assert trap.run().counts() == {"passed": 4, "skipped": 1}
