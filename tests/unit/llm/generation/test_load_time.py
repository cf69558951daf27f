"""Loading inside a request, told apart."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pytest_llmbench.llm.generation.load_time import Loads, load_apart
from pytest_llmbench.llm.targets import ServedTarget
from pytest_llmbench.schema.attempt import Completion, Retry
from pytest_llmbench.schema.outcome import Replied

TIMINGS = {"prompt_ms": 200.0, "predicted_ms": 1800.0}


def outcome(timings: dict[str, Any] | None, **more: Any) -> Replied:
    return Replied(completion=Completion(text="x", wall_s=5.0, first_token_s=3.2, timings=timings), **more)


def test_what_the_server_does_not_explain_is_loading() -> None:
    apart = load_apart(outcome(TIMINGS))
    assert apart.load_s == pytest.approx(3.0)
    assert apart.completion is not None
    assert apart.completion.wall_s == pytest.approx(2.0)
    assert apart.completion.first_token_s == pytest.approx(0.2)


@pytest.mark.parametrize(
    "timings", [None, {}, {"prompt_ms": 200.0}, {**TIMINGS, "prompt_ms": "x"}, {**TIMINGS, "prompt_ms": -1}]
)
def test_without_the_servers_figures_nothing_is_said(timings: dict[str, Any] | None) -> None:
    assert load_apart(outcome(timings)) == outcome(timings)


def test_nor_where_it_was_sent_again() -> None:
    again = outcome(TIMINGS, retries=(Retry(kind="connection", message="", waited_s=1.0),))
    assert load_apart(again) == again


def test_never_less_than_nothing() -> None:
    assert load_apart(outcome({"prompt_ms": 9e9, "predicted_ms": 1.0})).load_s == 0


def test_the_server_is_asked_once_at_each_change_of_the_model() -> None:
    asked: list[str] = []
    held_back: list[int] = []

    async def is_loaded(model: str) -> bool | None:
        asked.append(model)
        await asyncio.sleep(0)
        return {"a": False, "b": True, "c": None}[model]

    async def work() -> list[Any]:
        loads, found = Loads(), []
        for name in ("a", "b", "c", "a"):
            target = ServedTarget(name, "openai", name, "http://x", queue="http://x")
            waiting = [asyncio.ensure_future(loads.expected(target, is_loaded)) for _ in range(3)]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for _ in range(5):
                await asyncio.sleep(0)
            held_back.append(sum(not each.done() for each in waiting))
            loads.answered(target)
            found.append(await asyncio.gather(*waiting))
            found.append(await loads.expected(target, is_loaded))
        return found

    found = asyncio.run(work())
    once = [True, False, False]
    assert found == [once, False, [False] * 3, False, [False] * 3, False, once, False]
    assert held_back == [2, 0, 0, 2], "a load is one request's"
    assert asked == ["a", "b", "c", "a"]
