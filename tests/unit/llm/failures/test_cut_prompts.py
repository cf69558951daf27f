"""A prompt that was cut in silence is found by its count of tokens, and no other is taken for one."""

from __future__ import annotations

import pytest

from pytest_llmbench.llm.failures.cut_prompts import PromptCounts, filled_context, too_few_tokens
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Message, Usage


def asked(text: str, epoch: int = 1) -> CompletionRequest:
    return CompletionRequest(model="m", endpoint="e", messages=(Message(role="user", content=text),), epoch=epoch)


def reply(prompt: int | None, cached: int | None = None, **timings: int) -> Completion:
    return Completion(text="x", usage=Usage(prompt_tokens=prompt, cached_tokens=cached), timings=timings or None)


PROSE = "Write a parser for these lines, please. " * 60


@pytest.mark.parametrize(
    ("text", "completion", "cut"),
    [
        (PROSE, reply(3, 0), True),
        (PROSE, reply(3, cache_n=2), True),
        (PROSE, reply(600, 0), False),
        (PROSE, reply(3), False),  # it may count only what was not cached
        (PROSE, reply(1, 599), False),
        (PROSE, reply(1, cache_n=599), False),
        (PROSE, reply(None, 0), False),
        (PROSE, reply(0, 0), False),
        ("Fizz buzz, please.", reply(3, 0), False),
        ("請寫一個解析器。" * 400, reply(900, 0), False),
        ("x" * 100_000, reply(400, 0), False),
        (" " * 100_000 + "\n" * 50_000, reply(60, 0), False),
        ("=" * 200_000, reply(800, 0), False),
    ],
)
def test_far_too_few_tokens(text: str, completion: Completion, cut: bool) -> None:
    failure = too_few_tokens(asked(text), completion, "e")
    assert (failure is not None) == cut
    if failure is not None:
        assert failure.kind == "context_overflow"
        assert "did not get the whole prompt: it counted 3 tokens of a prompt of 2400 characters" in failure.message


@pytest.mark.parametrize(
    ("told", "context", "cut"),
    [(4096, 4096, True), (4095, 4096, False), (4096, None, False), (4096, 8192, False), (None, 4096, False)],
)
def test_a_context_that_the_prompt_filled(told: int | None, context: int | None, cut: bool) -> None:
    failure = filled_context(asked(PROSE), reply(told), context, "e")
    assert (failure is not None and failure.kind == "context_overflow") == cut


def counted(*prompts: tuple[str, int | None]) -> list[bool]:
    counts = PromptCounts()
    return [counts.cut(asked(text), reply(told), "e") is not None for text, told in prompts]


def test_one_count_for_different_prompts() -> None:
    one, two, three = "a " * 5000, "b " * 6000, "c " * 9000
    assert counted((one, 4096), (two, 4096), (three, 4096)) == [False, True, True]
    assert counted((one, 4096), (one, 4096)) == [False, False], "the same prompt"
    assert counted((one, 4097), (two, 4097)) == [False, False], "no context is such a number"
    assert counted((one, 1), (two, 1), (three, 1)) == [False] * 3, "what was not cached"
    assert counted((three, 9000), (one, 4096), (two, 4096)) == [False] * 3, "more were read of another"
    assert counted((one, 4096), ("a " * 5001, 4096)) == [False, False], "about as long"
    assert counted((one, None), (two, None)) == [False, False]


def test_epochs_are_one_prompt() -> None:
    counts = PromptCounts()
    assert all(counts.cut(asked(PROSE, epoch), reply(512), "e") is None for epoch in (1, 2, 3))
