"""A run of schema version 1 is read by whatever reads runs: ``version_1.json`` holds the files of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_llmbench.cli.main import main
from pytest_llmbench.runs.load import read_results
from pytest_llmbench.runs.results import load_results
from pytest_llmbench.schema.results import SCHEMA_VERSION, Results
from pytest_llmbench.store.run_dir import RunDir

KEPT = json.loads(Path(__file__).with_name("version_1.json").read_text(encoding="utf-8"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run folder, as it was written."""
    folder = tmp_path / ".llmbench/runs" / KEPT["id"]
    for name, text in KEPT["files"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return folder


def of_version_2(results: dict[str, Any]) -> dict[str, Any]:
    """The results with what this version calls otherwise."""
    results["run"]["options"]["solver"] = "auto"
    for attempt in results["attempts"]:
        if attempt["error"] and attempt["error"]["kind"] == "harness":
            attempt["error"]["kind"] = "grader"
    for row in results["incomplete"]:
        row["reasons"] = [reason.replace("harness", "grader") for reason in row["reasons"]]
    return results | {"schema_version": SCHEMA_VERSION}


def without_causes(results: Results) -> dict[str, Any]:
    """What groups errors is new: only the records, and not the old results, can give it."""
    found = results.model_dump(mode="json")
    for attempt in found["attempts"]:
        if attempt["error"]:
            del attempt["error"]["cause"]
    return found


def test_results_of_its_records_are_what_they_were(run: Path) -> None:
    before = json.loads(KEPT["files"]["results.json"])
    assert before["schema_version"] == 1
    assert {each["error"]["kind"] for each in before["attempts"] if each["error"]} >= {"harness", "truncated"}
    expected = of_version_2(before)
    assert without_causes(load_results(RunDir(run))) == without_causes(read_results(run)) == expected


def test_every_command_reads_it(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str, status: int = 0) -> str:
        assert main([*words]) == status, capsys.readouterr()
        return capsys.readouterr().out

    assert "grader: right: adds: FileNotFoundError" in said("report", str(run))
    assert json.loads(said("report", str(run), "--json"))["schema_version"] == SCHEMA_VERSION
    assert "scored, 4 of 4 points" in said("show", "add/right", str(run))
    assert "right" in said("leaderboard", str(run.parent))
    assert "grader" in said("query", "SELECT DISTINCT error FROM attempts", "--runs", str(run.parent))
    assert "right: cannot tell" in said("compare", str(run), str(run), "--allow=coverage", status=2)
