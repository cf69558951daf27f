"""A thousand random answers of servers, seeded: each attempt ends, in bounds, and costs nobody else anything."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from collections import Counter
from pathlib import Path

import pytest
from support.bench import Bench
from support.raw_server import RawServer
from support.server_answers import answer
from support.server_sessions import ask_all, check

from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.clients.openai_client import OpenAIClient
from pytest_llmbench.schema.attempt import CompletionRequest, Message
from pytest_llmbench.schema.outcome import Failed, Replied, failure_of

COUNT, PER_SESSION = 1000, 100
CPU_S, MEMORY_KB = 10.0, 500_000


def peak_kb(who: int) -> int:
    return resource.getrusage(who).ru_maxrss


@pytest.mark.parametrize("first", range(0, COUNT, PER_SESSION))
def test_each_answer_is_read_within_bounds(first: int) -> None:
    kinds = Counter[str]()
    with RawServer(lambda asked: answer(int(asked.model))) as server:
        for seed in range(first, first + PER_SESSION):
            cpu_s, memory_kb = time.thread_time(), peak_kb(resource.RUSAGE_SELF)
            outcome = asyncio.run(ask(server.base_url, seed))
            assert time.thread_time() - cpu_s < CPU_S, f"seed {seed}"
            assert peak_kb(resource.RUSAGE_SELF) - memory_kb < MEMORY_KB, f"seed {seed}"
            assert json.dumps(outcome.model_dump(mode="json"), allow_nan=False), f"seed {seed}"
            failure = failure_of(outcome)
            kinds[failure.kind if failure else "answered"] += 1
    assert kinds["grader"] == 0
    assert kinds["answered"] >= 5, kinds
    assert len(kinds) >= 4, "the answers are of many sorts"


async def ask(base_url: str, seed: int) -> Replied | Failed:
    client = OpenAIClient(base_url)
    message = Message(role="user", content="hi")
    request = CompletionRequest(model=str(seed), endpoint="here", messages=(message,), epoch=1)
    try:
        return Replied(completion=await client.complete(request, timeout_s=20))
    except ModelError as error:
        return Failed(completion=error.completion, failure=error.failure)
    finally:
        await client.aclose()


@pytest.mark.parametrize("first", range(0, COUNT, PER_SESSION))
def test_each_session_ends_with_everything_in_it(first: int, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seeds = range(first, first + PER_SESSION)
    answers = {f"seed-{seed}": lambda seed=seed: answer(seed) for seed in seeds}
    run = ask_all(Bench(tmp_path), answers, "--llm-timeout=20", "-q", timeout_s=600)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    check(run)
    assert after.ru_utime - before.ru_utime < CPU_S * PER_SESSION / 10
    assert after.ru_maxrss < MEMORY_KB
