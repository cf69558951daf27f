"""What a miss tells on the terminal is kept, so that a report can tell it without pytest and without a model."""

from __future__ import annotations

import json

from support.bench import WRONG_REPLY, Bench
from support.server import ChatServer

from pytest_llmbench.runs.report_data import write_html
from pytest_llmbench.runs.results import load_results
from pytest_llmbench.store.run_dir import RunDir


def test_a_miss_keeps_its_evidence_and_the_report_is_made_of_it(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.task("add")
    with ChatServer({"wrong": WRONG_REPLY}) as server:
        run = bench.run("--llm-model=wrong", f"--llm-base-url={server.base_url}", "--tb=short", *either_way)
    items = [json.loads(line) for line in (run.folder / "items.jsonl").read_text().splitlines()]
    missed = [item for item in items if item["outcome"] == "missed"]
    assert len(missed) == 3
    for item in missed:
        first, *_, last = item["evidence"].splitlines()
        assert first == f"reply: .llmbench/runs/{run.folder.name}/replies/wrong/add.1.md"
        assert last.startswith("again, without a model: pytest 'tasks/test_add.py::test_")
        assert item["evidence"] in run.out
    assert "evidence" not in (run.folder / "results.json").read_text()

    report = bench.root / "report.html"
    stored = RunDir(run.folder)
    write_html(stored, load_results(stored), report)
    assert report.read_text().startswith("<!DOCTYPE html>")


def test_the_plan_keeps_the_starter(bench: Bench) -> None:
    bench.file("tasks/data/starter/add.py", "def add(a, b): ...\n")
    text = bench.task("add").read_text().replace('files=["add.py"]', 'files=["add.py"], data="data"')
    bench.task("add").write_text(text)
    run = bench.run("--llm-model=builtin/starter")
    (card,) = run.plan["tasks"]
    assert card["starter"] == {"add.py": "def add(a, b): ...\n"}, run.out
