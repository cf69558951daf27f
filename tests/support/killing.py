"""A session that is killed and gone on with, and what its results must have in common with an undisturbed one."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Sequence
from typing import Any

from support.bench import ADD_REPLY, WRONG_REPLY, Bench, Run
from support.server import ChatServer, Reply

TASKS, EPOCHS, IN_FLIGHT = ("one", "two", "three"), 2, 2
ATTEMPTS = len(TASKS) * EPOCHS
TURNS_UP = {"one": ADD_REPLY, "two": WRONG_REPLY, "three": Reply(text=ADD_REPLY, finish_reason="length")}
"""A right reply, a wrong one, and one that was cut off."""


def answer(body: dict[str, Any]) -> Reply:
    """The same question always gets the same answer, after a moment."""
    prompt = body["messages"][-1]["content"]
    name = next(name for name in TURNS_UP if f"Task {name}" in prompt)
    found = TURNS_UP[name]
    reply = found if isinstance(found, Reply) else Reply(text=found)
    return Reply(text=reply.text, finish_reason=reply.finish_reason, latency_s=0.15)


def options(server: ChatServer, *more: str) -> tuple[str, ...]:
    return (
        "--llm-model=test-model", f"--llm-base-url={server.base_url}", f"--llm-epochs={EPOCHS}",
        f"--llm-concurrency={IN_FLIGHT}", *more,
    )  # fmt: skip


def essence(results: dict[str, Any]) -> list[dict[str, Any]]:
    """All that two runs with the same replies must have in common."""
    times = {"wall_s", "timings", "grading_s", "queue_s", "first_token_s", "tokens_per_s"}
    found = [{name: value for name, value in each.items() if name not in times} for each in results["attempts"]]
    return json.loads(re.sub(r"127\.0\.0\.1:\d+", "SERVER", json.dumps(found)))


def killed_again_and_again(
    bench: Bench, server: ChatServer, pauses_s: Sequence[float], *workers: str
) -> tuple[Run, int]:
    """Kill one run with -9, each time so long after its session's first request; then let it end by itself.

    Tells how often it was killed, too. A session that has nothing more to ask is not killed. At least one kill falls
    into generation.
    """
    resume: tuple[str, ...] = ()
    kills = 0
    for pause_s in pauses_s:
        before = server.chat_count
        with bench.start(*options(server, *workers, *resume)) as process:
            while server.chat_count == before and process.poll() is None:
                time.sleep(0.005)
            deadline = time.monotonic() + pause_s
            while time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.005)
            asking = process.poll() is None
            process.kill()
            process.communicate()
        resume = ("--llm-resume",)
        server.wait_for(lambda s: s.in_flight == 0)
        if not asking:
            break
        kills += 1
    assert kills, "no kill fell into generation"
    run = bench.run(*options(server, *workers, *resume))
    assert run.exit == 1, run.out + run.err
    assert server.chat_count <= ATTEMPTS + kills * IN_FLIGHT
    return run, kills


def undisturbed(suite: Bench) -> dict[str, Any]:
    with ChatServer(answer) as server:
        found = suite.run(*options(server)).results
    shutil.rmtree(suite.root / ".llmbench")
    return found
