"""``python -m pytest_llmbench`` on stored runs: without pytest, without a model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.records import answered, card, criterion, failed, header, plan, records

from pytest_llmbench.reporting.terminal import render
from pytest_llmbench.runs.results import Recorder, to_json
from pytest_llmbench.schema.attempt import CompletionRequest
from pytest_llmbench.schema.results import Results
from pytest_llmbench.store.run_dir import RunDir


def show(*args: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest_llmbench", *map(str, args)],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def stored(tmp_path) -> tuple[RunDir, Results]:
    """A finished run of two models in the project's own folder."""
    of = plan(card("sort", criterion("right", 6), criterion("fast", 4)), models=("alpha", "b\u00eata \x1b[31m"))
    made = Recorder(RunDir.create(tmp_path / ".llmbench"), header("alpha", "b\u00eata \x1b[31m"))
    made.planned(of)
    request = CompletionRequest(model="m", endpoint="e", messages=(), epoch=1)
    for key in of.attempts():
        outcome = answered() if key.model == "alpha" else failed("timeout", "no end after 600 s")
        made.outcome(key.turn(1), request, outcome)
    for each in records(of, lambda ref: "earned" if ref.model == "alpha" else None):
        made.item(each)
    return made.run, made.finish(made.header.run)


@pytest.mark.slow
def test_a_stored_run_prints_the_same_table(tmp_path, stored):
    run, results = stored
    for args in ((), (run.path,), (tmp_path / ".llmbench" / "latest",)):
        done = show(*args, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == render(results, width=None, colour=False) + "\n"


def test_it_needs_neither_pytest_nor_litellm(tmp_path, stored):
    code = (
        "import sys; sys.modules.update(pytest=None, litellm=None)\n"
        "from pytest_llmbench.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, str(stored[0].path)]
    assert subprocess.run(command, capture_output=True, check=False, cwd=tmp_path).returncode == 0


def test_an_output_that_holds_ascii_only_still_gets_the_table(tmp_path, stored):
    done = show(cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "b\\xeata" in done.stdout


def test_results_may_be_written_again(tmp_path, stored):
    run, results = stored
    (run.path / "results.json").write_text(to_json(results).replace('"total": 10.0', '"total": 11.0'))
    assert show("--write", cwd=tmp_path).returncode == 0
    assert (run.path / "results.json").read_text() == to_json(results)


def refuse(done: subprocess.CompletedProcess[str], text: str) -> None:
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("llmbench: ")
    assert done.stderr.count("\n") == 1
    assert text in done.stderr


@pytest.mark.slow
def test_a_folder_without_a_run_is_told_in_one_line(tmp_path):
    refuse(show(cwd=tmp_path), "no run 'latest' in .llmbench/runs. There are no runs. Name a run folder.")
    refuse(show(tmp_path, cwd=tmp_path), "is not a run folder")
    (tmp_path / "file").write_text("")
    refuse(show(tmp_path / "file", cwd=tmp_path), "is not a results.json that this version can read")


@pytest.mark.slow
def test_a_damaged_run_is_told_in_one_line(tmp_path, stored):
    run, _ = stored
    (run.path / "run.json").write_text('{"run": 3}')
    refuse(show("--write", cwd=tmp_path), "run.json is damaged")
    (run.path / "results.json").unlink()  # as after a kill: the records are read
    refuse(show(cwd=tmp_path), "run.json is damaged")


def test_a_damaged_record_is_told_in_one_line(tmp_path, stored):
    run, _ = stored
    items = run.path / "items.jsonl"
    items.write_text("rubbish\n" + items.read_text())
    refuse(show("--write", cwd=tmp_path), "items.jsonl, line 1 is damaged")
    (run.path / "results.json").unlink()
    refuse(show(cwd=tmp_path), "items.jsonl, line 1 is damaged")
