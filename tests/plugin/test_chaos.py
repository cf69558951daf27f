"""A server that fails at random: every attempt ends in exactly one state, and all reports agree."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from support.bench import ADD_REPLY, Bench
from support.server import ChatServer, Reply

TASKS, EPOCHS, ITEMS = 4, 10, 3
FAILURES = (
    Reply(ending="drop"),
    Reply.error(500, "boom"),
    Reply.plain(429, "slow down", Retry_After="0"),
    Reply.plain(429, "slow down", Retry_After="0.2"),
    Reply(body="{nope"),
    Reply(ending="hang"),
    Reply(ADD_REPLY, ending="cut"),
    Reply(ADD_REPLY, ending="stall"),
    Reply(ADD_REPLY, ending="broken"),
)
KINDS = {"connection", "server_error", "rate_limited", "invalid_response", "timeout"}


def chaotic(seed: int) -> Any:
    """A script that fails 30 % of the requests."""
    dice = random.Random(seed)
    return lambda _: dice.choice(FAILURES) if dice.random() < 0.3 else Reply(ADD_REPLY)


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_every_attempt_ends_in_exactly_one_state(bench: Bench, workers: str) -> None:
    for number in range(TASKS):
        bench.task(f"t{number}")
    with ChatServer(chaotic(7), models=["m"]) as server:
        run = bench.run(
            "--llm-model=m",
            f"--llm-base-url={server.base_url}",
            f"--llm-epochs={EPOCHS}",
            "--llm-concurrency=8",
            "--llm-first-byte-timeout=1",
            "--llm-silence-timeout=1",
            "--junitxml=junit.xml",
            workers,
        )
        sent = server.chat_count
        server.wait_for(lambda s: s.in_flight == 0, 1)

    attempts = run.results["attempts"]
    planned = [(f"t{task}", epoch) for task in range(TASKS) for epoch in range(1, EPOCHS + 1)]
    assert [(each["task"], each["epoch"]) for each in attempts] == planned, run.out + run.err
    scored = [each for each in attempts if each["status"] == "scored"]
    failed = [each for each in attempts if each["status"] == "error"]
    assert len(scored) + len(failed) == len(planned)
    assert scored
    assert failed, "the seed must bring some failures that no further sending mends"
    assert {each["points"] for each in scored} == {4}
    assert {each["error"]["kind"] for each in failed} <= KINDS
    assert sent == sum(1 + len(each["retries"]) for each in attempts)
    assert any(each["retries"] for each in scored)

    # pytest's own counts and JUnit: each item once, those of an attempt all alike
    counts = run.counts()
    assert counts.pop("passed") == ITEMS * len(scored)
    assert sum(counts.values()) == ITEMS * len(failed)
    cases = list(ET.parse(bench.root / "junit.xml").iter("testcase"))
    names = Counter((case.get("classname"), case.get("name")) for case in cases)
    assert len(names) == len(cases) == ITEMS * len(planned)
    assert sum(len(case.findall("*[@message]")) == 0 for case in cases) == ITEMS * len(scored)
    assert run.exit == 1
