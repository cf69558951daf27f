"""Grading a run again that somebody sent, or going on with it: its replies run in the sandbox, nothing else of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.bench import ADD_REPLY, Bench
from support.server import ChatServer, Reply

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.discovery.resolve import resolve
from pytest_llmbench.llm.targets import OfflineTarget
from pytest_llmbench.plugin.options import replay
from pytest_llmbench.schema.settings import LLMSettings, ModelSpec, Settings

CONFTEST = "import pathlib; pathlib.Path({canary!r}).write_text('ran')\n"
LABEL = "r,openai/gpt-4o=x"


def llmbench(bench: Bench, *args: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest_llmbench", *map(str, args)],
        cwd=cwd or bench.root,
        env=bench.environment(OPENAI_API_KEY="sk-victim-0123456789abcdef"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one model's reply to one task, and one that was cut off."""
    bench = Bench(tmp_path_factory.mktemp("sent"))
    bench.task("one")
    bench.task("two")

    def answer(body: dict[str, Any]) -> Reply:
        return Reply(ADD_REPLY, finish_reason="length" if "Task two" in body["messages"][0]["content"] else "stop")

    with ChatServer(answer) as server:
        run = bench.run("--llm-model=m=test-model", f"--llm-base-url={server.base_url}")
    run.folder.rename(bench.root / "shared")
    return bench.root


@pytest.fixture
def shared(bench: Bench, sent: Path) -> Path:
    """The run, in a project of the same tasks."""
    shutil.copytree(sent / "tasks", bench.root / "tasks", dirs_exist_ok=True)
    return Path(shutil.copytree(sent / "shared", bench.root / "shared"))


def changed(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    for name in ("run.json", "results.json"):
        content = json.loads((run / name).read_text())
        change(content)
        (run / name).write_text(json.dumps(content))


def planted(run: Path, canary: Path) -> None:
    """Everything that pytest would run, or obey, if it looked there."""
    code = CONFTEST.format(canary=str(canary))
    for folder in (run, run / "files", run / "files" / "notes", run / "replies", run / "replies" / "m"):
        folder.mkdir(exist_ok=True)
        for name in ("conftest.py", "test_evil.py", "__init__.py", "sitecustomize.py"):
            (folder / name).write_text(code)
        (folder / "pytest.ini").write_text("[pytest]\naddopts = -p test_evil\npython_files = *.py\n")


SUITES = [
    "../shared/files/notes",
    "{run}/files/notes",
    "notes",
    ".",
    "..",
    "",
    "--collect-only",
    "*",
    "six/../six",
    "six/",
]


@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_is_a_name_among_those_that_are_known(bench: Bench, shared: Path, suite: str) -> None:
    changed(shared, lambda content: content["run"]["options"].update(suites=["six", suite.format(run=shared)]))
    here = Settings(LLMSettings(), bench.root, bench.root / ".llmbench", task_paths=("tasks",))
    text = replay.order(shared, here.run_base, "id")
    with pytest.raises(OptionError, match="which was not found here"):
        replay.applied(here, text, paths=False)
    assert replay.applied(here, text, paths=True).suites == ("six",)


@pytest.mark.parametrize("name", ["r,openai/gpt-4o", "*", "a=b", " a ", "-x", "[a]", "a\nb", "m=run:x,y"])
def test_no_name_becomes_several_models_or_another_kind(bench: Bench, shared: Path, name: str) -> None:
    """Neither the folder's nor a label's."""
    folder = bench.root / "q" / name
    shutil.copytree(shared, folder)
    changed(folder, lambda content: content["models"][0].update(name=name))
    here = Settings(LLMSettings(), bench.root, bench.root / ".llmbench")
    applied = replay.applied(here, replay.order(folder, here.run_base, "id"), paths=True)
    assert applied.llm.models == (ModelSpec(name, f"run:{folder}"),)
    (target,) = resolve(applied.llm.models, applied.llm, bench.root, {})
    assert target == OfflineTarget(name, "run", str(folder))
    assert (applied.run_base, applied.run_id) == (here.run_base, "id")


HEADERS: dict[str, Callable[[dict[str, Any]], None]] = {
    "no models": lambda content: content.update(models=[]),
    "two models with the same name": lambda content: content["models"].append(content["models"][0]),
    "epochs, more than the limit of 10000 attempts": lambda content: content["run"]["options"].update(epochs=10**9),
    "run.options.epochs: Input should be": lambda content: content["run"]["options"].update(epochs="--version"),
    "run.options.suites: Input should be": lambda content: content["run"]["options"].update(suites="six"),
}


@pytest.mark.parametrize("told", HEADERS)
def test_a_header_that_cannot_be_meant_is_refused(bench: Bench, shared: Path, told: str) -> None:
    changed(shared, HEADERS[told])
    here = Settings(LLMSettings(), bench.root, bench.root / ".llmbench")
    with pytest.raises(OptionError, match="|".join(told.split(": ")[-1:])):
        replay.applied(here, replay.order(shared, here.run_base, "id"), paths=True)


@pytest.mark.slow
def test_no_suite_of_a_run_is_looked_up_outside(bench: Bench, shared: Path) -> None:
    """Case: a conftest.py in the folder, with the user's keys in its environment."""
    canary = bench.root / "PWNED"
    planted(shared, canary)
    changed(shared, lambda content: content["run"]["options"].update(suites=[f"{shared}/files/notes"]))
    done = llmbench(bench, "regrade", "shared")
    assert not canary.exists(), done.stdout + done.stderr
    assert done.returncode == 2
    assert "which was not found here" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_replies_are_graded_and_nothing_else_of_the_folder_is_run(bench: Bench, shared: Path) -> None:
    """Errors stay errors; the label is one of several models to whoever splits it; another session has ``latest``."""
    canary = bench.root / "PWNED"
    planted(shared, canary)
    for name in ("run.json", "results.json", "plan.json", "attempts.jsonl", "items.jsonl"):
        text = (shared / name).read_text()
        (shared / name).write_text(text.replace('"m"', json.dumps(LABEL)))
    for folder in ("replies", "files"):
        (shared / folder / "m").rename(shared / folder / "r,openai%2Fgpt-4o=x")
    moved = shared.rename(bench.root / "r,openai")
    done = llmbench(bench, "regrade", moved, "--json", "--", "tasks")
    assert not canary.exists()
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["compared"] == 2
    assert f"{moved} has files that do not belong to a run (ignored): " in done.stderr
    assert "llmbench: running the replies in " in done.stderr
    results = json.loads((bench.root / ".llmbench/latest/results.json").read_text())
    assert [model["name"] for model in results["models"]] == [LABEL]
    ended = {attempt["task"]: attempt for attempt in results["attempts"]}
    assert (ended["one"]["status"], ended["one"]["points"]) == ("scored", 4)
    assert (ended["two"]["status"], ended["two"]["error"]["kind"]) == ("error", "truncated")
    assert results["leaderboard"] == []


@pytest.mark.slow
def test_pytest_is_not_started_inside_the_run(bench: Bench, shared: Path) -> None:
    planted(shared, bench.root / "PWNED")
    for where in (shared, shared / "files"):
        done = llmbench(bench, "regrade", shared, cwd=where)
        assert done.returncode == 2
        assert "Change to your project's folder" in done.stderr
    assert not (bench.root / "PWNED").exists()


@pytest.mark.slow
def test_links_are_refused_before_anything_is_run(bench: Bench, shared: Path) -> None:
    (shared / "files" / "m" / "one.1" / "more.py").symlink_to("/etc/passwd")
    done = llmbench(bench, "regrade", shared, "--", "tasks")
    assert (done.returncode, done.stdout) == (2, "")
    assert "files/m/one.1/more.py (a link)" in done.stderr
    assert "Make a new run from its regular files with: llmbench merge" in done.stderr
    merged = llmbench(bench, "merge", shared, "--json")
    clean = json.loads(merged.stdout)["run"]
    assert llmbench(bench, "regrade", clean, "--", "tasks/test_one.py").returncode == 0


@pytest.mark.slow
def test_a_damaged_reply_costs_its_attempt_alone(bench: Bench, shared: Path) -> None:
    (shared / "replies" / "m" / "two.1.json").write_text("{")
    done = llmbench(bench, "regrade", shared, "--", "tasks")
    assert "two.1.json is damaged" in done.stdout
    assert "0 of 2 verdicts changed" in done.stdout


def test_going_on_with_a_run_writes_through_no_link(bench: Bench) -> None:
    """Case: records appended to a file of somebody's, its last line cut off; files written into a folder of theirs."""
    bench.task("one")
    bench.file("replies/one.md", ADD_REPLY)
    run = bench.run("--llm-model=m=dir:replies").folder
    bashrc, victim = bench.file("bashrc", "export A=1\nalias x=y"), bench.root / "victim"
    victim.mkdir()
    (run / "items.jsonl").unlink()
    (run / "items.jsonl").symlink_to(bashrc)
    shutil.rmtree(run / "files" / "m")
    (run / "files" / "m").symlink_to(victim)
    again = bench.run("--llm-model=m=dir:replies", "--llm-resume")
    assert again.exit == 4
    assert "contains irregular files" in again.err
    assert "items.jsonl (a link)" in again.err
    assert "files/m (a link)" in again.err
    assert bashrc.read_text() == "export A=1\nalias x=y"
    assert not list(victim.iterdir())


def test_a_damaged_reply_of_a_run_that_goes_on_is_told(bench: Bench) -> None:
    bench.task("one")
    with ChatServer(ADD_REPLY) as server:
        options = ("--llm-model=m=test-model", f"--llm-base-url={server.base_url}")
        run = bench.run(*options)
        (run.folder / "replies" / "m" / "one.1.json").write_text("{")
        (stored,) = (bench.root / ".llmbench" / "completions").rglob("*.json")
        stored.write_text("[" * 300 + "]" * 300)
        again = bench.run(*options, "--llm-resume")
        assert server.chat_count == 2
    assert "one.1.json is damaged" in again.out
    assert "nested deeper than 100 levels" in again.out
    assert again.attempt("one", "m")["points"] == 4
