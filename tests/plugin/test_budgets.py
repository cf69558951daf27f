"""A session stops before the request that it may not afford, and says so everywhere."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from support.bench import ADD_REPLY, Bench
from support.server import ChatServer, Reply

TASKS = ("one", "two", "three", "four")
USAGE = {"prompt_tokens": 60, "completion_tokens": 40, "total_tokens": 100}


def test_tokens(bench: Bench, either_way: tuple[str, ...]) -> None:
    for name in TASKS:
        bench.task(name)
    with ChatServer(Reply(text=ADD_REPLY, usage=USAGE)) as server:
        run = bench.run(
            *("--llm-model=test-model", f"--llm-base-url={server.base_url}", "--llm-concurrency=1", *either_way),
            *("--llm-max-tokens-total=150", "--llm-fail-under=0", "--junit-xml=junit.xml"),
        )
        assert server.chat_count == 2
        assert run.exit == 1
        reason = "budget: 200 of --llm-max-tokens-total=150 tokens were used"
        ended = [run.attempt(name, "test-model") for name in TASKS]
        assert sorted((a["status"], a["reason"]) for a in ended) == [("not_run", reason)] * 2 + [("scored", "")] * 2
        assert f"not run: {reason} (2 attempts)" in run.out
        assert "attempts: 2 scored, 2 not run" in run.out
        root = ET.parse(bench.root / "junit.xml").getroot()
        assert sum(reason in ET.tostring(case, "unicode") for case in root.iter("testcase")) == 2 * 3

        more = bench.run(*("--llm-model=test-model", f"--llm-base-url={server.base_url}", "--llm-resume"))
        assert (more.exit, server.chat_count) == (0, 4)
        assert more.row("test-model")["total"] == 16


def test_stored_replies_cost_nothing(bench: Bench) -> None:
    bench.task("one")
    bench.task("two")
    with ChatServer(Reply(text=ADD_REPLY, usage=USAGE)) as server:
        options = ("--llm-model=test-model", f"--llm-base-url={server.base_url}", "--llm-max-tokens-total=200")
        assert bench.run(*options).exit == 0
        assert bench.run(*options).exit == 0
        assert server.chat_count == 2


def test_minutes(bench: Bench) -> None:
    for name in TASKS:
        bench.task(name)
    with ChatServer(Reply(text=ADD_REPLY, latency_s=1.0)) as server:
        run = bench.run(
            *("--llm-model=test-model", f"--llm-base-url={server.base_url}", "--llm-concurrency=1"),
            "--llm-max-minutes=0.02",
        )
    states = [run.attempt(name, "test-model")["status"] for name in TASKS]
    assert "not_run" in states
    assert "error" not in states
    assert run.exit == 1


def test_what_cannot_be_counted_is_not_asked_for(bench: Bench) -> None:
    for name in TASKS:
        bench.task(name)
    with ChatServer(Reply(text=ADD_REPLY, usage=None)) as server:
        run = bench.run(
            *("--llm-model=test-model", f"--llm-base-url={server.base_url}", "--llm-concurrency=1"),
            "--llm-max-tokens-total=1000000",
        )
        assert server.chat_count == 1
    assert "did not tell the tokens of its answer, so --llm-max-tokens-total cannot be kept" in run.out


def test_a_request_is_not_sent_again_either(bench: Bench) -> None:
    bench.task("one")
    with ChatServer(Reply.plain(429, "slow down", Retry_After="2")) as server:
        run = bench.run(
            *("--llm-model=test-model", f"--llm-base-url={server.base_url}", "--llm-max-minutes=0.03"),
        )
        assert server.chat_count <= 1
    attempt = run.attempt("one", "test-model")
    assert (attempt["status"], attempt["reason"].partition(":")[0]) == ("not_run", "budget")


@pytest.mark.parametrize("name", ["openai/gpt-of-no-price", "groq/deep/unknown"])
def test_an_unknown_price_is_no_price(bench: Bench, name: str) -> None:
    bench.task("one")
    run = bench.run("tasks", f"--llm-model={name}", "--llm-max-cost=1")
    assert run.exit == 4
    assert f"the price of {name} is unknown" in run.err
