"""``llmbench compare`` and ``report`` over files, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.boards import results_of

from pytest_llmbench.cli.main import main
from pytest_llmbench.runs.results import to_json
from pytest_llmbench.schema.results import Results

TASKS = ("a", "b", "c", "d", "e", "f")


@pytest.fixture
def low(tmp_path: Path) -> Path:
    return kept(tmp_path / "low.json", results_of({"m": {task: [10.0, 11.0, 9.0] for task in TASKS}}))


@pytest.fixture
def high(tmp_path: Path) -> Path:
    return kept(tmp_path / "high.json", results_of({"m": {task: [15.0, 16.0, 14.0] for task in TASKS}}))


def kept(path: Path, results: Results) -> Path:
    path.write_text(to_json(results), encoding="utf-8")
    return path


def test_exit_status_follows_the_verdict(low: Path, high: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(low), str(high)]) == 0
    assert capsys.readouterr().out.startswith("m: better\n")
    assert main(["compare", str(high), str(low)]) == 1
    assert "m: worse" in capsys.readouterr().out
    assert main(["compare", str(low), str(low)]) == 0
    assert main(["compare", str(low), str(low), "--require=better"]) == 1


def test_json_and_markdown_have_the_same_figures(low: Path, high: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["compare", str(low), str(high), "--json"])
    (found,) = json.loads(capsys.readouterr().out)
    assert found["comparison"]["verdict"] == "better"
    assert found["comparison"]["overall"]["difference"] == 30
    main(["compare", str(low), str(high), "--markdown"])
    out = capsys.readouterr().out
    assert out.startswith("### m: better\n\n| task | a | b | difference | epochs | p | verdict |")
    assert f"{found['comparison']['overall']['p_value']:.3g}" in out


def test_different_sampling_is_refused(low: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = {"m": {task: [15.0, 16.0, 14.0] for task in TASKS}}
    other = kept(tmp_path / "other.json", results_of(scores, params={"temperature": 1}))
    assert main(["compare", str(low), str(other)]) == 2
    out = capsys.readouterr().out
    assert "refused: sampling: parameters sent: temperature: 'not set' and 1 (override with --allow=sampling)" in out
    assert main(["compare", str(low), str(other), "--allow=sampling"]) == 0
    assert "allowed to differ: sampling" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["compare", "{low}", "nowhere"], "no run 'nowhere' in .llmbench/runs"),
        (["compare", "{low}", "{low}", "--alpha=2"], "--alpha: 2 is not between 0 and 1"),
        (["compare", "{low}", "{low}", "--allow=luck"], "--allow: 'luck' is not a kind of difference"),
        (["compare", "{low}", "{low}", "--model=x"], "--model: 'x' is not in that run. Choose from: m"),
        (["report", "{low}x"], "no run"),
        (["query", "select 1", "--runs", "{dir}"], "no run with a results.json in"),
        (["merge", "{dir}"], "is not a run folder"),
        (["regrade", "{dir}"], "is not a run folder"),
    ],
)
def test_wrong_input_is_told_in_one_line(
    words: list[str], told: str, low: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(low.parent)
    assert main([word.format(low=low, dir=low.parent) for word in words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("text", ["", "[]", '{"schema_version": 1}', '{"run": 3}', "\x00"])
def test_a_file_that_is_none_is_told(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    assert main(["report", str(path)]) == 2
    assert f"{path} is not a results.json that this version can read" in capsys.readouterr().err


def test_another_schema_version_is_told(low: Path, capsys: pytest.CaptureFixture[str]) -> None:
    low.write_text(low.read_text().replace('"schema_version": 2', '"schema_version": 9'))
    assert main(["report", str(low)]) == 2
    assert "has schema version 9, but this version reads 1 and 2" in capsys.readouterr().err


def test_markdown_shows_a_hostile_name_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "[x](http://evil) <img src=x> @team #12 `a|b` \x1b[31m www.evil.com"
    kept(tmp_path / "results.json", results_of({name: {"a": [1.0]}}))
    assert main(["report", str(tmp_path), "--markdown"]) == 0
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if "evil" in line)
    assert row.count(" | ") == 5, "the name breaks out of its cell"
    for part in (
        "\\[x\\](http:\u200b//evil)",
        r"\<img src=x\>",
        "@\u200bteam",
        "#\u200b12",
        r"\`a\|b\`",
        r"\\x1b\[31m",
        "www\u200b.evil",
    ):
        assert part in row


def test_lone_surrogates_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model's text may hold them; JSON keeps them as escapes."""
    path = kept(tmp_path / "results.json", results_of({"m\ud83d": {"a": [1.0], "b": [None]}}))
    for words in (["--json"], [], ["--analysis"], ["--markdown"]):
        assert main(["report", str(path), *words]) == 0
    capsys.readouterr()


def test_analysis_says_what_one_epoch_cannot(low: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(low), "--analysis"]) == 0
    # Six tasks, each of variance 1 over 3 epochs: 60 +- t(12; 0.975) * sqrt(6 / 3) = 60 +- 2.17881 * 1.41421.
    assert "m      60.00  56.92  63.08" in capsys.readouterr().out
    one = kept(tmp_path / "one.json", results_of({"m": {"a": [1.0], "b": [3.0]}}))
    assert main(["report", str(one), "--analysis"]) == 0
    assert "one epoch: cannot tell" in capsys.readouterr().out
    assert main(["report", str(one), "--analysis", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["title"] == "Totals over epochs, 95 % intervals"


def test_names_out_of_a_file_are_harmless_on_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\x07evil"
    path = kept(tmp_path / "results.json", results_of({evil: {evil: [1.0]}}))
    assert main(["leaderboard", str(path)]) == 0
    assert main(["compare", str(path), str(path), "--model=other"]) == 2
    out, err = capsys.readouterr()
    assert "evil" in out
    assert "evil" in err
    assert all(sign.isprintable() or sign == "\n" for sign in out + err)
