"""llama-swap's banner is no reasoning, however it is cut; everything else is."""

from __future__ import annotations

import pytest

from pytest_llmbench.llm.clients.chat_response import Answer
from pytest_llmbench.llm.clients.loading_banner import LoadingBanner

BANNER = "━━━━━\nllama-swap loading model: cold\nWarming up the GPU ....\n\nDone! (2.31s)\n━━━━━\n \n"


def left_of(text: str, size: int) -> str:
    banner = LoadingBanner()
    return "".join(banner.without(text[at : at + size]) for at in range(0, len(text), size)) + banner.rest


@pytest.mark.parametrize("size", [1, 3, 20, 1000])
@pytest.mark.parametrize("thought", ["", "Two numbers, so add them.", " \nx"])
def test_the_banner_alone_is_taken_out(thought: str, size: int) -> None:
    assert left_of(BANNER + thought, size) == thought


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("thought", ["", "━━━", "━━━━━\nA table", "First. " + BANNER, " \nx"])
def test_reasoning_stays(thought: str, size: int) -> None:
    assert left_of(thought, size) == thought


def test_a_banner_without_end_is_bounded() -> None:
    banner = LoadingBanner()
    assert "".join(banner.without(part) for part in [BANNER[:40], *["." * 1000] * 1000]) == ""
    assert len(banner.held) < 1000
    assert banner.rest == ""


def test_it_is_no_first_token_and_no_reasoning_of_an_answer() -> None:
    answer = Answer()
    parts = [{"reasoning_content": f"{line}\n"} for line in BANNER.removesuffix("\n").split("\n")]
    assert not any(answer.feed({"choices": [{"delta": delta}]}) for delta in parts)
    assert answer.feed({"choices": [{"delta": {"content": "x"}}]})
    assert (answer.reasoning, answer.text) == ("", "x")
