"""Random replies: hostile ones are read within bounds, and in those that hold known code, that is what is found."""

from __future__ import annotations

import pytest
from support.bench import Bench
from support.found import misses
from support.fuzzing import check, looked_at
from support.grammar import LONGEST, random_reply

from pytest_llmbench.llm.clients.reasoning import separate

BATCH = 100
WRITTEN = 8000
LEAST_RIGHT = 0.995
KNOWN_MISSES = {
    7269: "a fence behind text that is never closed, in a language that nobody knows: as likely a sentence on fences",
}
"""Seeds of replies that are not read rightly, with the reason."""


@pytest.mark.parametrize("first", range(0, 1000, BATCH))
def test_every_reply_is_read_and_looked_into_within_bounds(first: int) -> None:
    check(looked_at(first, BATCH, LONGEST, timeout_s=1800), first, BATCH)


@pytest.mark.slow
def test_the_code_that_was_written_is_the_code_that_is_found() -> None:
    missed = misses(range(WRITTEN))
    told = "\n".join(map(str, missed))
    assert len(missed) <= (1 - LEAST_RIGHT) * WRITTEN, told
    assert not [miss for miss in missed if miss.wrong], told
    assert {miss.seed for miss in missed} == KNOWN_MISSES.keys(), told


TASK = """\
import ast

import pytest

pytestmark = pytest.mark.llm_task(
    id="fuzz", points=3, files=["{file}"], prompt_text="Write it.", budget_s=2
)


@pytest.fixture(scope="module", autouse=True)
def looked(source, label):
    file = source("{file}")
    label("nodes", str(len([node.text() for node in file.find_all(kind="{kind}")]) // 1000))


@pytest.mark.rubric("short", points=1)
def test_short(source):
    assert source("{file}").text == "short"


@pytest.mark.rubric("calls", points=1)
def test_calls(source):
    assert not [node.text() for node in source("{file}").find_all("$A($$$)")]


@pytest.mark.rubric("siblings", points=1)
def test_siblings(source):
    for node in source("{file}").find_all(kind="{kind}"):
        assert len(list(node.prev_all())) < 10**9, node.text()
"""
"""A grader without care: it takes the text of everything, compares whole files and is quadratic."""


def expected_state(text: str) -> str:
    """What becomes of a reply in a folder: the same as of one that a server sent."""
    parted = separate(text)
    if parted.leak:
        return "unparsed_format"
    if not parted.answer.strip():
        return "reasoning_only" if parted.thought else "empty_content"
    return "scored"


@pytest.mark.parametrize(
    ("task", "file", "kind"),
    [
        ("python-top-k", "top_k.py", "identifier"),
        ("js-sse", "server_sent_events.js", "binary_expression"),
        ("rust-cli", "src/main.rs", "enum_item"),
        ("go-middleware", "main.go", "call_expression"),
    ],
)
def test_a_session_over_many_of_them_ends_with_every_attempt_in_one_state(
    bench: Bench, task: str, file: str, kind: str
) -> None:
    bench.file("tasks/test_fuzz.py", TASK.replace("{file}", file).replace("{kind}", kind))
    seeds = [seed for seed in range(5000, 9000) if random_reply(seed, 2000).task == task][:50]
    texts = {f"m{seed}": random_reply(seed).text.encode("utf-8", "replace") for seed in seeds}
    for model, text in texts.items():
        bench.file(f"replies/{model}/fuzz.md", "").write_bytes(text)
    run = bench.run(*(f"--llm-model={model}=dir:replies/{model}" for model in texts), "-q", "-n2", timeout_s=1800)
    attempts = {attempt["model"]: attempt for attempt in run.results["attempts"]}
    assert attempts.keys() == texts.keys()
    for model, attempt in attempts.items():
        state = attempt["status"] if attempt["error"] is None else attempt["error"]["kind"]
        assert state == expected_state(texts[model].decode()), (model, attempt["error"])
