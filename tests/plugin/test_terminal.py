"""What the terminal shows of a session: misses in lines of their own, errors once, the answer last."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest
from support.bench import ADD_REPLY, WRONG_REPLY, Bench, Run

MANY = """\
import pytest

pytestmark = pytest.mark.llm_task(id="{id}", points=20, files=["add.py"], prompt_text="Write add(a, b), please.")


@pytest.mark.rubric("right", points=20)
@pytest.mark.parametrize("number", range(8))
def test_right(submission, number):
    assert "+" in submission.files["add.py"], f"number {number} is wrong\\nwith a second line"
"""
"""Eight misses of a wrong reply."""
CLOSING = re.compile(r"(=+ )?\d+ .* in \d+\.\d+s.*")


@pytest.fixture
def replies(bench: Bench) -> Bench:
    """One task; a right reply, and a wrong one."""
    bench.task("add")
    bench.file("right/add.md", ADD_REPLY)
    bench.file("wrong/add.md", WRONG_REPLY)
    return bench


BOTH = ("--llm-model=right=dir:right,wrong=dir:wrong",)


def sections(run: Run) -> list[str]:
    """The titles between pytest's progress and its closing line."""
    return re.findall(r"^={3,} (.*?) ={3,}$", run.out, re.MULTILINE)[1:-1]


def test_a_miss_is_a_line_and_the_answer_comes_last(replies: Bench, workers: tuple[str, ...]) -> None:
    run = replies.run(*BOTH, "--llm-fail-under=10", "--llm-html=report.html", *workers)
    lines = run.out.splitlines()
    assert sections(run) == ["missed points", "llmbench"]
    place = lines.index(next(line for line in lines if "missed points" in line))
    assert lines[place + 1 : place + 5] == [
        "add/wrong: 3 missed",
        "  adds: assert -1 == 3",
        "  commutes[1-2]: assert -1 == 1",
        "  commutes[5-3]: assert 2 == -2",
    ]
    assert re.fullmatch(r"=+ 3 missed, 3 passed in \S+s =+", lines[-1])
    *_, gate, results, report, _ = lines
    assert gate.startswith("--llm-fail-under=10: reached")
    assert results.startswith("results: ")
    assert re.fullmatch(r"report: \S+/report\.html", report)
    assert not re.search("FAILED|FAILURES|short test summary|Error", run.out)


def test_a_miss_is_a_failure_to_everybody_else(replies: Bench, workers: tuple[str, ...]) -> None:
    files = ("--junitxml=junit.xml", "--json-report", "--json-report-file=report.json")
    run = replies.run(*BOTH, *files, *workers)
    assert run.exit == 1
    (suite,) = ET.parse(replies.root / "junit.xml").getroot()
    assert (suite.get("failures"), suite.get("errors"), suite.get("tests")) == ("3", "0", "6")
    report = json.loads((replies.root / "report.json").read_text())
    assert (report["summary"]["failed"], report["summary"]["passed"]) == (3, 3)
    assert "missed" not in report["summary"]
    assert sorted(test["outcome"] for test in report["tests"]) == ["failed"] * 3 + ["passed"] * 3
    assert replies.run(*BOTH, "--lf", *workers).counts() == {"missed": 3}


@pytest.mark.parametrize("option", ["-x", "--maxfail=1"])
def test_a_session_stops_at_a_miss(replies: Bench, option: str) -> None:
    run = replies.run("--llm-model=wrong=dir:wrong", option)
    assert run.counts() == {"missed": 1}
    assert "stopping after 1 failures" in run.out


def test_letters_and_words(replies: Bench) -> None:
    assert re.search(r"^tasks/test_add.py \.\.\.MMM ", replies.run(*BOTH).out, re.MULTILINE)
    run = replies.run(*BOTH, "-v")
    assert len(re.findall(r"^tasks/test_add.py::test_\S+ MISSED ", run.out, re.MULTILINE)) == 3
    assert "FAILED" not in run.out


def test_without_a_summary_there_are_no_missed_points(replies: Bench) -> None:
    run = replies.run("--llm-model=wrong=dir:wrong", "--no-summary")
    assert sections(run) in (["llmbench"], []), "older pytests ask no plugin for its part of the summary then"
    assert run.counts() == {"missed": 3}
    assert run.exit == 1


@pytest.mark.parametrize("options", [["--tb=short"], ["--tb=line"], ["--tb", "auto"], ["-vv"]])
def test_tracebacks_come_when_they_are_asked_for(replies: Bench, options: Sequence[str]) -> None:
    run = replies.run("--llm-model=wrong=dir:wrong", *options)
    assert sections(run) == ["MISSED", "missed points", "llmbench"]
    traced = r"^\S*test_add\.py:\d+: " if "--tb=line" in options else "^(>|E) +assert "
    assert len(re.findall(traced, run.out, re.MULTILINE)) >= 3
    assert run.counts() == {"missed": 3}


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["-v", "--tb=no"], ["missed points", "llmbench"]),
        (["-rN"], ["llmbench"]),
        (["-rf"], ["short test summary info", "llmbench"]),
        (["-rA"], ["short test summary info", "llmbench"]),
    ],
)
def test_the_summary_has_what_was_asked_for(replies: Bench, options: Sequence[str], shown: Sequence[str]) -> None:
    run = replies.run("--llm-model=wrong=dir:wrong", *options)
    assert sections(run) == [*shown]
    assert run.counts() == {"missed": 3}
    listed = re.findall(r"^MISSED tasks/test_add.py::\S+ - .*assert", run.out, re.MULTILINE)
    assert len(listed) == (3 if "short test summary info" in shown else 0)


def test_quiet(replies: Bench) -> None:
    run = replies.run(*BOTH, "-q")
    assert re.fullmatch(r"3 missed, 3 passed in \S+s", run.out.splitlines()[-1])
    assert "  adds: assert -1 == 3" in run.out
    assert "rank" in run.out
    assert "rank" not in replies.run(*BOTH, "-qq").out


def test_ordinary_failures_keep_pytests_sections(replies: Bench, either_way: tuple[str, ...]) -> None:
    replies.file("tests/test_a.py", "def test_fails():\n    assert 0\n")
    run = replies.run("tasks", "tests", *BOTH, *either_way)
    assert sections(run) == ["FAILURES", "missed points", "short test summary info", "llmbench"]
    assert re.findall("^FAILED (.*)$", run.out, re.MULTILINE) == ["tests/test_a.py::test_fails - assert 0"]
    assert re.fullmatch(r"=+ 1 failed, 3 missed, 3 passed in \S+s =+", run.out.splitlines()[-1])
    listed = replies.run("tasks", "tests", *BOTH, "-rf", *either_way)
    assert len(re.findall("^(?:FAILED|MISSED) ", listed.out, re.MULTILINE)) == 4
    assert re.fullmatch(r"=+ 1 failed, 3 missed, 3 passed in \S+s =+", listed.out.splitlines()[-1])


def test_colour_is_that_of_a_failed_session(replies: Bench) -> None:
    closing = replies.run(*BOTH, "--color=yes").out.splitlines()[-1]
    assert "\x1b[31m\x1b[1m3 missed\x1b[0m" in closing
    assert closing.startswith("\x1b[31m=")


@pytest.mark.parametrize("columns", ["40", "80"])
def test_lines_fit(bench: Bench, columns: str, either_way: tuple[str, ...]) -> None:
    bench.task("add", MANY)
    names = [f"a-model-with-a-name-that-is-rather-long-{number}-indeed" for number in range(3)]
    for name in names:
        bench.file(f"{name}/add.md", WRONG_REPLY)
    run = bench.run(*(f"--llm-model={name}=dir:{name}" for name in names), *either_way, COLUMNS=columns)
    lines = run.out.splitlines()
    answer = lines[lines.index(next(line for line in lines if "= missed points" in line)) :]
    long = [line for line in answer if len(line) > int(columns)]
    assert all("llmbench show" in line or line.startswith(("results: ", "too narrow for")) for line in long), long
    assert "number 0 is" in run.out
    assert len({line.split()[1] for line in answer if re.match(r" +1 +a-", line)}) == 3


@pytest.mark.parametrize(("models", "most_lines"), [(2, 100), (35, 150)])
def test_the_whole_fits_on_a_few_screens(bench: Bench, models: int, most_lines: int) -> None:
    for number in range(4 if models == 2 else 1):
        bench.task(f"t{number}", MANY)
        bench.file(f"wrong/t{number}.md", WRONG_REPLY)
    run = bench.run("--llm-model=" + ",".join(f"m{number}=dir:wrong" for number in range(models)), "-n2")
    lines = run.out.splitlines()
    assert len(lines) <= most_lines
    assert sections(run) == ["missed points", "llmbench"]
    if models == 2:
        assert run.counts() == {"missed": 64}
        assert "  7 more: llmbench show t0/m0" in lines
    else:
        assert run.counts() == {"missed": 280}
        assert "216 more in 27 attempts: llmbench show TASK/MODEL" in lines


PARTS = """\
import pytest

pytestmark = pytest.mark.llm_task(id="{id}", points=2, files=["add.py"], prompt_text="Write add(a, b), please.")


@pytest.mark.rubric("parts", points=2)
def test_parts(submission, subtests):
    for number in range(3):
        with subtests.test("part", number=number):
            assert number == 1
"""


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_subtests(bench: Bench, workers: tuple[str, ...]) -> None:
    bench.task("add", PARTS)
    bench.file("right/add.md", ADD_REPLY)
    run = bench.run("--llm-model=right=dir:right", *workers)
    assert sections(run) == ["missed points", "llmbench"]
    assert "add/right: 1 missed" in run.out
    assert "  parts: assert 0 == 1" in run.out
    assert "failed" not in run.counts()
    assert run.counts()["missed"] == 3, "two parts, and the whole"


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_a_subtests_word(bench: Bench) -> None:
    bench.task("add", PARTS)
    bench.file("right/add.md", ADD_REPLY)
    out = bench.run("--llm-model=right=dir:right", "-v").out
    assert len(re.findall(r"^\S+::test_parts.* SUBMISSED\[part\] \(number=.[02].\)", out, re.MULTILINE)) == 2


def test_an_error_is_told_once_for_its_cause(bench: Bench, workers: tuple[str, ...]) -> None:
    bench.task("add")
    bench.file("conftest.py", "import pytest\n\n\n@pytest.fixture\ndef broken():\n    raise OSError('no such disk')\n")
    bench.task("odd", MANY.replace("(submission, number)", "(broken, number)"))
    bench.file("right/odd.md", ADD_REPLY)
    run = bench.run("--llm-model=right=dir:right", "--json-report", *workers)
    assert run.counts() == {"errors": 2, "not reached": 9}
    assert run.out.count("ERROR at setup of") == 2
    assert len(re.findall("^ERROR tasks", run.out, re.MULTILINE)) == 2
    assert sections(run) == ["ERRORS", "short test summary info", "llmbench"]
