"""Large wrong answers cost little, however much pytest is asked to say about them."""

from __future__ import annotations

import resource

import pytest
from support.bench import ADD_REPLY, Bench, Run

TASK = """
import json
from dataclasses import dataclass

import pytest

pytestmark = pytest.mark.llm_task(id="{id}", points=%d, files=["add.py"], prompt_text="Write add.")


@dataclass
class Answer:
    value: object


N = 100_000
NUMBERS = [i * 7919 %% 1000003 for i in range(N)]
LINE = "ab" * (5 * N)
LINES = "".join(f"{{i * 7919 %% 1000003}}\\n" for i in range(N))
DEEP = json.loads("[" * 900 + "]" * 900)
SHAPES = {{
    "numbers": lambda: (NUMBERS, [n + 1 for n in NUMBERS]),
    "one list longer": lambda: (NUMBERS, NUMBERS[:-1]),
    "the end of a list": lambda: (NUMBERS + [1], NUMBERS + [2]),
    "lists in a dict": lambda: ({{"a": [NUMBERS]}}, {{"a": [NUMBERS + [1]]}}),
    "one line": lambda: (LINE, LINE[1:]),
    "many lines": lambda: (LINES, LINES[5:]),
    "sets": lambda: (set(NUMBERS), {{n + 1 for n in NUMBERS}}),
    "dicts": lambda: (dict.fromkeys(NUMBERS), {{n + 1: n for n in NUMBERS}}),
    "texts": lambda: ([LINES[i * 5:] for i in range(3)], [LINES[i * 5 + 1:] for i in range(3)]),
    "dataclasses": lambda: (Answer(LINES), Answer(LINES[1:])),
    "bytes": lambda: (LINES.encode(), LINES[5:].encode()),
    "deep": lambda: ([DEEP, NUMBERS], [DEEP, 1]),
    "types": lambda: (NUMBERS, tuple(NUMBERS)),
}}


@pytest.mark.rubric("equal", points=1)
@pytest.mark.parametrize("shape", SHAPES)
def test_equal(submission, shape):
    left, right = SHAPES[shape]()
    assert left == right


@pytest.mark.rubric("other", points=1)
def test_other(submission, subtests):
    with subtests.test():
        assert "c" in LINES
    with subtests.test():
        assert LINE[:10] not in LINE
    with subtests.test():
        assert len(LINES.splitlines()) == 1 and LINES.splitlines() == []
    with subtests.test():
        assert sorted(NUMBERS, reverse=True) <= NUMBERS[:5]


@pytest.mark.rubric("message", points=1)
def test_message(submission):
    answer = LINES * 3
    assert not answer, answer


@pytest.mark.rubric("fail", points=1)
def test_fail(submission):
    pytest.fail(LINES * 3)


@pytest.mark.rubric("raises", points=1)
def test_raises(submission):
    raise ValueError(NUMBERS, LINES)
"""
POINTS = 5
LOUD = ("-vvv", "--showlocals", "--full-trace", "-rA", "-o", "enable_assertion_pass_hook=true")


def run(bench: Bench, *args: str, **env: str) -> tuple[Run, float]:
    """The run, and the seconds of CPU that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    made = bench.run("tasks", "--llm-model=mine=dir:replies", *args, **env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return made, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.slow
@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_loud_and_in_ci_it_costs_hardly_more(bench: Bench) -> None:
    bench.task("large", TASK % POINTS)
    bench.file("replies/large.md", ADD_REPLY)
    quiet, least = run(bench, "--tb=no")
    loud, most = run(bench, *LOUD, CI="1")
    for made in (quiet, loud):
        attempt = made.attempt("large", "mine")
        assert (attempt["status"], attempt["points"]) == ("scored", 0.0), made.out[-5000:]
    assert "first difference at [100000]: 1 != 2" in loud.out
    assert len(loud.out) < 3_000_000
    assert most < 3 * least + 3, f"{most:.1f} s, quietly {least:.1f} s"


def test_ordinary_tests_and_small_values_are_explained_by_pytest(bench: Bench) -> None:
    ordinary = "def test_ordinary():\n    assert list(range(3000)) == list(range(3001))\n"
    bench.file("tests/test_ordinary.py", ordinary)
    bench.file(
        "conftest.py",
        "def pytest_assertrepr_compare(left):\n    return [f'by a plugin: {left:.9}'] if left == 'small' else None\n",
    )
    task = TASK.partition("@dataclass")[0] + (
        '@pytest.mark.rubric("a", points=1)\ndef test_a(submission):\n    assert "small" == "other"\n'
    )
    bench.task("small", task % 1)
    bench.file("replies/small.md", ADD_REPLY)
    made, _ = run(bench, "tests", "-vv")
    assert "Right contains one more item: 3000" in made.out
    assert "by a plugin: small" in made.out
    assert "told in short" not in made.out
