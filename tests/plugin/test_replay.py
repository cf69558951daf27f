"""A whole run again from stored replies, with no server there."""

from __future__ import annotations

from typing import Any

from support.bench import ADD_REPLY, WRONG_REPLY, Bench
from support.server import ChatServer

TIMES = ("queue_s", "grading_s")


def figures(results: dict[str, Any]) -> dict[str, Any]:
    """All of it but which run it was, and what the grading took."""
    attempts = [{k: v for k, v in each.items() if k not in TIMES} for each in results["attempts"]]
    run = {k: v for k, v in results["run"].items() if k not in ("id", "started", "ended")}
    return {**results, "attempts": attempts, "run": run}


def test_replayed_without_a_server(bench: Bench, workers: tuple[str, ...]) -> None:
    for name in ("one", "two"):
        bench.task(name)
    with ChatServer({"right-q8": ADD_REPLY, "wrong": WRONG_REPLY}) as server:
        options = ("--llm-model=right,wrong", "--llm-epochs=2", *workers)
        asked = bench.run(*options, LLMBENCH_PROBE_PORTS=str(server.port))
        assert server.chat_count == 8
        where = f"--llm-base-url={server.base_url}"
    first = bench.run(*options, "--llm-cache=only")
    second = bench.run(*options, "--llm-cache=only", where)
    assert [a["points"] for a in first.results["attempts"]] == [a["points"] for a in asked.results["attempts"]]
    assert all(a["cached"] for a in first.results["attempts"])
    assert figures(first.results) == figures(second.results)
    assert "8 replies reused, 0 to ask" in first.out


def test_what_is_not_stored_says_what_differs(bench: Bench) -> None:
    bench.task("one")
    with ChatServer(ADD_REPLY) as server:
        bench.run("--llm-model=test-model", f"--llm-base-url={server.base_url}")
    only = ("--llm-model=test-model", "--llm-cache=only")
    assert "differs in params ({} there, {'seed': 1} here)" in message(bench, *only, "--llm-param=seed=1")
    assert "differs in the system prompt." in message(bench, *only, "--llm-system-prompt=Be kind.")
    assert "differs in epoch (1 there, 2 here)" in message(bench, *only, "--llm-epochs=2", epoch=2)
    bench.task("one", (bench.root / "tasks/test_one.py").read_text().replace("please", "now"))
    assert "differs in the prompt." in message(bench, *only)


def message(bench: Bench, *options: str, epoch: int = 1) -> str:
    """Why an attempt is an error."""
    attempt = bench.run(*options).attempt("one", "test-model", epoch)
    assert attempt["error"]["kind"] == "missing_reply"
    return attempt["error"]["message"]
