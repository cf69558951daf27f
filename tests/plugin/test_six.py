"""The suite `six` as a user runs it, from somewhere else."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
from support.bench import Bench

from pytest_llmbench.runs.report_data import gather
from pytest_llmbench.runs.results import load_results
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.store.run_dir import RunDir


@pytest.fixture
def without_cargo(tmp_path: Path) -> str:
    """A PATH with everything on it but cargo."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*") if Path(place).is_dir() else ():
            link = folder / program.name
            if not program.name.startswith(("cargo", "rust")) and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)


@pytest.mark.slow
def test_without_cargo_the_rest_is_ranked_under_a_heading_that_says_why(bench: Bench, without_cargo: str) -> None:
    run = bench.run("--llm-suite=six", "--llm-model=builtin/reference", "-n2", PATH=without_cargo, timeout_s=300)
    assert run.exit == 0, run.out + run.err
    row = run.row("builtin/reference")
    assert (row["rank"], row["total"], row["max_total"], row["completed"]) == (1, 100.0, 100.0, "5/5")
    assert "maximum score: 100 of 120 points\n" in run.out
    assert "rust-cli: 20 points not graded (" in run.out
    assert "rustup" in run.out


@pytest.mark.slow
def test_the_line_that_grades_again_works_for_errors_of_a_suite_of_the_package(bench: Bench) -> None:
    """As ``llmbench show`` prints it, and the node ids of the summary, from a folder elsewhere."""
    (bench.root / "replies").mkdir()
    first = bench.run("--llm-suite=six", "--llm-model=m=dir:replies", "-k", "test_python_top_k")
    (attempt,) = first.results["attempts"]
    assert attempt["error"]["kind"] == "missing_reply"
    plan = Plan.model_validate(first.plan)
    of = RunDir(first.folder)
    ((_, evidence),) = gather(of, load_results(of), plan)
    node = next(iter(plan.items))
    for words in (shlex.split(evidence.again)[1:], ["--llm-suite=six", node, "--llm-model=m=dir:replies"]):
        again = bench.run(*words)
        assert [each["task"] for each in again.results["attempts"]] == ["python-top-k"], again.out + again.err
        assert again.folder.parent == first.folder.parent
        assert again.folder != first.folder
