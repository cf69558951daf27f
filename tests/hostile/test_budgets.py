"""Replies that keep the test process busy: points of theirs are missed, soon and with a reason, and nothing else is."""

from __future__ import annotations

import os

import pytest
from support.bench import Bench

TASK = '''\
import time

import pytest

pytestmark = pytest.mark.llm_task(
    id="budget", points=7, files=["add.py", "look.js"], prompt_text="Write add.", budget_s=0.5
)


def burn(submission, where):
    """Quadratic work, as a grader may do without knowing it."""
    while where in submission.files["add.py"]:
        pass


@pytest.fixture(scope="module")
def looked(submission):
    burn(submission, "in a fixture")
    return 1


@pytest.fixture(scope="module")
def on_top(looked):
    return looked


@pytest.fixture(scope="module")
def sums(source):
    return [node.text() for node in source("look.js").find_all("$A + $B")]


@pytest.mark.rubric("fixture", points=1)
def test_fixture(looked):
    assert looked


@pytest.mark.rubric("fixture-again", points=1)
def test_fixture_again(on_top):
    assert on_top


@pytest.mark.rubric("body", points=1)
def test_body(submission):
    burn(submission, "in a body")


@pytest.mark.rubric("swallowed", points=1)
def test_swallowed(submission):
    try:
        burn(submission, "in a body")
    except Exception:
        pass


@pytest.mark.rubric("subtests", points=1)
def test_subtests(submission, subtests):
    for _ in range(3):
        with subtests.test():
            burn(submission, "in a body")


@pytest.mark.rubric("structure", points=1)
def test_structure(sums):
    assert len(sums) < 1000


@pytest.mark.rubric("waits", points=1)
def test_waits():
    time.sleep(0.8)
'''


def reply(where: str, script: str) -> str:
    return f"```python add.py\nimport os  # {where}\n```\n```js look.js\n{script}\n```\n"


def outcomes(attempt: dict[str, object]) -> dict[str, str]:
    return {point["id"]: point["outcome"] for point in attempt["criteria"]}  # type: ignore[attr-defined, index]


def messages(attempt: dict[str, object]) -> dict[str, str]:
    return {point["id"]: point["message"] for point in attempt["criteria"]}  # type: ignore[attr-defined, index]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
def test_each_attempt_ends_in_one_state(bench: Bench, workers: tuple[str, ...]) -> None:
    bench.file("tasks/test_budget.py", TASK)
    replies = {
        "honest": reply("", "const x = a + b;"),
        "fixture": reply("in a fixture", "const x = a + b;"),
        "body": reply("in a body", "const x = a + b;"),
        "deep": reply("", "x = a" + " + a" * 20_000 + ";"),
        "long": "x" * 1_000_001,
    }
    for name, text in replies.items():
        bench.file(f"replies/{name}/budget.md", text)
    before = os.times()
    models = [f"--llm-model={name}=dir:replies/{name}" for name in replies]
    run = bench.run(*models, *workers, "--timeout=60", "-p", "no:cacheprovider")
    after = os.times()
    attempts = {name: run.attempt("budget", name) for name in replies}
    assert {attempt["status"] for attempt in attempts.values()} == {"scored"}, run.out
    assert outcomes(attempts["honest"]) == dict.fromkeys(
        ("fixture", "fixture-again", "body", "swallowed", "subtests", "structure", "waits"), "earned"
    )
    missed = {name: {p for p, o in outcomes(attempt).items() if o == "missed"} for name, attempt in attempts.items()}
    assert missed["fixture"] == {"fixture", "fixture-again"}
    assert missed["body"] == {"body", "swallowed", "subtests"}
    assert missed["deep"] == {"structure"}
    assert len(missed["long"]) == 7
    used = "over budget: looking at the reply took this test process more than 0.5 s of CPU"
    assert used in messages(attempts["fixture"])["fixture"]
    assert used in messages(attempts["fixture"])["fixture-again"]
    assert used in messages(attempts["body"])["body"]
    assert "over budget: look.js is nested more than 200 levels deep" in messages(attempts["deep"])["structure"]
    assert "a reply of more than 1,000,000 characters is not read" in messages(attempts["long"])["body"]
    assert after.children_user - before.children_user < 60, "about 8 s on a quick machine"
