"""Every other subcommand over a synthetic run, as a user types it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from support.boards import results_of
from support.server import ChatServer
from support.synthetic import synthetic_run

from pytest_llmbench.cli.main import COMMANDS, main
from pytest_llmbench.published.tables import SHIPPED
from pytest_llmbench.reporting.terminal import render
from pytest_llmbench.runs.published_scores import TASKS
from pytest_llmbench.runs.results import to_json
from pytest_llmbench.schema.results import Results
from pytest_llmbench.store.run_dir import RunDir


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunDir, Results]:
    return synthetic_run(tmp_path_factory.mktemp("project") / ".llmbench", models=3, tasks=2, epochs=2)


@pytest.fixture
def run(made: tuple[RunDir, Results], monkeypatch: pytest.MonkeyPatch) -> RunDir:
    monkeypatch.chdir(made[0].path.parents[2])
    return made[0]


@pytest.fixture
def results(made: tuple[RunDir, Results]) -> Results:
    return made[1]


@pytest.mark.parametrize("name", [command.NAME for command in COMMANDS])
def test_help_says_what_exit_statuses_mean(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert "exit status:" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["report"], ["leaderboard"], ["import"], ["query", "select 1 as one"]])
def test_json_is_all_that_is_printed(command: list[str], run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    where = [str(run.path)] if command in (["report"], ["leaderboard"]) else []
    more = ["--runs", str(run.path)] if command[0] == "query" else []
    assert main([*command, *where, *more, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


def test_a_terminal_never_gets_what_a_model_wrote_raw(
    run: RunDir, results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    for attempt in results.attempts:
        assert main(["show", f"{attempt.task}/{attempt.model}/{attempt.epoch}", str(run.path)]) == 0
    assert main(["report", str(run.path), "--analysis"]) == 0
    assert main(["leaderboard", str(run.path)]) == 0
    out = capsys.readouterr().out
    assert "hacked" in out, "the synthetic run has attacks in it"
    assert all(sign.isprintable() or sign == "\n" for sign in out)


def test_show_tells_points_and_why(run: RunDir, results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    attempt = next(a for a in results.attempts if any(c.outcome == "missed" for c in a.criteria))
    assert main(["show", f"{attempt.task}/{attempt.model}/{attempt.epoch}", str(run.path)]) == 0
    out = capsys.readouterr().out
    assert f"{attempt.points:g} of {attempt.max_points:g} points" in out
    for criterion in attempt.criteria:
        assert criterion.id in out
    assert main(["show", f"{attempt.task}/nobody", str(run.path)]) == 2
    assert "the run has no attempt" in capsys.readouterr().err


def test_query_sees_what_the_run_has(run: RunDir, results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    (run.path / "results.json").write_text(to_json(results), encoding="utf-8")
    count = "select count(*) as n, sum(points) as points from attempts where status = 'scored'"
    assert main(["query", count, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    scored = [attempt for attempt in results.attempts if attempt.status == "scored"]
    assert (row["n"], row["points"]) == (len(scored), sum(attempt.points for attempt in scored))
    points = "select count(*) as n from criteria where outcome = 'missed'"
    assert main(["query", points, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["n"] == sum(c.outcome == "missed" for a in results.attempts for c in a.criteria)
    assert main(["query", "select nothing from nowhere"]) == 2
    assert capsys.readouterr().err.startswith("llmbench: the query failed: Catalog Error")


def test_slim_reading_has_every_total(run: RunDir, results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is streamed without its rubric points."""
    (run.path / "results.json").write_text(to_json(results), encoding="utf-8")
    assert main(["report", str(run.path)]) == 0
    assert capsys.readouterr().out == render(results, width=None, colour=False) + "\n"


def test_a_lone_surrogate_is_spelt_out_in_the_file() -> None:
    text = to_json(results_of({"m\ud83d \N{GRINNING FACE}": {"a": [1.0]}}))
    assert r"m\\ud83d \ud83d\ude00" in text
    assert json.loads(text.encode())["models"][0]["name"] == "m\\ud83d \N{GRINNING FACE}"


def test_published_figures_stand_beside_and_are_not_ranked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = results_of({"mine": {task: [15.0] for task in TASKS.values()}})
    path = tmp_path / "results.json"
    path.write_text(to_json(ours))
    assert main(["leaderboard", str(path), "--with-published"]) == 0
    out = capsys.readouterr().out
    assert "published: third-party measurements, with other prompts and graders; not ranked with yours" in out
    rows = {line.split()[1]: line.split() for line in out.splitlines() if "/120" in line}
    assert rows["mine"][0] == "1"
    assert rows["claude-haiku-4-5"][:3] == ["-", "claude-haiku-4-5", "103/120"]
    assert rows["nemotron-cascade-2-30b-a3b-q8"][2] == "83+/120"
    assert len(rows) == 1 + 26 + 9


def test_an_import_flags_the_wrong_sum_and_keeps_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(SHIPPED), "--into", str(tmp_path / "kept")]) == 0
    out = capsys.readouterr().out
    (line,) = [
        line for line in out.splitlines() if "qwen35-27b-claude-distill-q8-nonthink" in line and " total " in line
    ]
    assert line.split()[3:5] == ["82", "77"]
    kept = (tmp_path / "kept/six-tasks/leaderboard.csv").read_bytes()
    assert kept == (SHIPPED / "six-tasks/leaderboard.csv").read_bytes()
    assert main(["import", str(tmp_path)]) == 0
    assert main(["import", str(tmp_path / "nothing")]) == 2


def test_doctor_looks_at_everything(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMBENCH_PROBE_PORTS", "1")
    status = main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)
    assert {"python", "sandbox", "node", "go", "cargo", "models"} <= {finding["what"] for finding in findings}
    missing = [finding for finding in findings if finding["state"] == "missing"]
    assert status == int(bool(missing))
    assert all(finding["remedy"] for finding in missing)


ADDS = """
from pytest_llmbench.errors import SandboxError
from pytest_llmbench.llm.protocols import ModelProvider
from pytest_llmbench.sandbox.unsandboxed import Local

class Plain(Local):
    name = "plain"

class Absent(Local):
    name = "absent"
    @classmethod
    def describe(cls):
        raise SandboxError("not installed")

class Family:
    name = "family"
    def backend(self, image): ...

def pytest_llmbench_sandboxes():
    return [Plain, Absent, Family()]

def pytest_llmbench_clients():
    return [ModelProvider("echo", print)]
"""


def with_plugin(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text)
    (folder / "pytest.ini").write_text(f"[pytest]\naddopts = -p {name}\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LLMBENCH_PROBE_PORTS", "")


def test_doctor_shows_what_plugins_add(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_plugin(tmp_path, monkeypatch, "adds_for_doctor", ADDS)
    main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)
    states = {each["detail"]: each["state"] for each in findings}
    of = "of plugin adds_for_doctor"
    tried = "(self-test passed)"
    assert states[f"none (no isolation) (--llm-sandbox=plain {of}) {tried}"] == "ok"
    assert states[f"--llm-sandbox=absent {of} does not work here"] == "none"
    assert states[f"--llm-sandbox=family:IMAGE {of}, tried when it is chosen"] == "ok"
    assert states["models of plugin adds_for_doctor: echo:NAME"] == "ok"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def pytest_llmbench_clients():\n    return [42]\n", "plugin wrong_for_doctor: 42 is not a model provider"),
        ("1 / 0\n", "pytest does not start in this folder"),
    ],
)
def test_doctor_shows_a_plugin_that_is_wrong(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_plugin(tmp_path, monkeypatch, "wrong_for_doctor", text)
    monkeypatch.delitem(sys.modules, "wrong_for_doctor", raising=False)
    assert main(["doctor", "--json"]) == 1
    (wrong,) = [each for each in json.loads(capsys.readouterr().out) if each["what"] == "plugins"]
    assert wrong["state"] == "missing"
    assert said in wrong["remedy"]
    monkeypatch.delitem(sys.modules, "wrong_for_doctor", raising=False)


def test_doctor_tells_a_server_that_is_not_there_from_a_model_that_is_called_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMBENCH_PROBE_PORTS", "")
    assert main(["doctor", "--json", "--base-url=http://127.0.0.1:9/v1"]) == 1
    (server,) = [each for each in json.loads(capsys.readouterr().out) if "127.0.0.1:9" in each["detail"]]
    assert (server["state"], server["remedy"]) == ("missing", "Start it, or name another server.")
    with ChatServer("", models=["none: or nonesuch"]) as there:
        main(["doctor", "--json", f"--base-url={there.base_url}"])
    found = json.loads(capsys.readouterr().out)
    states = {each["detail"].strip(): each["state"] for each in found if each["what"] == "models"}
    assert states["none: or nonesuch"] == states[f"server {there.base_url}:"] == "ok"


def test_html_needs_the_run_folder(run: RunDir, results: Results, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text(to_json(results), encoding="utf-8")
    assert main(["report", str(file), "--html", str(tmp_path / "x.html")]) == 2
    assert main(["report", str(run.path), "--html", str(tmp_path / "x.html")]) == 0
    first = (tmp_path / "x.html").read_bytes()
    assert main(["report", str(run.path), "--html", str(tmp_path / "y.html")]) == 0
    assert first == (tmp_path / "y.html").read_bytes()
    assert main(["report", str(run.path), "--html", "/proc/nowhere/x.html"]) == 2
