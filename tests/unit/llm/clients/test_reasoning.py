"""Thought and answer in one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.doubling import assert_linear

from pytest_llmbench.llm.clients.reasoning import LONGEST, Separated, separate

CODE = "```python\nTAG = '<think>'\nEND = '</think>'\n<|channel|>\n```\n"


@pytest.mark.parametrize(
    ("text", "answer", "thought"),
    [
        ("plain", "plain", ""),
        ("<think>a</think>b", "b", "a"),
        ("<think>\n\n</think>\n\nb", "b", ""),
        ("<think>\na\n```\nx\n```\n</think>\n" + CODE, CODE, "a\n```\nx\n```"),
        ("<thinking>a</thinking>b", "b", "a"),
        ("[THINK]a[/THINK]b", "b", "a"),
        ("so the sum is 4\n</think>\nb", "b", "so the sum is 4"),
        ("so the sum is 4</think>\n```\nb\n```", "```\nb\n```", "so the sum is 4"),
        ("Sure.\n<think>a</think>\nb", "Sure.\n\nb", "a"),
        ("```py\ndef draft(\n</think>\n\n```py\nb\n```\n", "```py\nb\n```\n", "```py\ndef draft("),
        ("```py\n</think>\n```\n\n```py\nb\n```\n", None, ""),
        ("```py\nx = '</think>'\n```py\nb\n```\n", None, ""),
        ("<think>a</think><think>b</think>c", "c", "ab"),
        (CODE, CODE, ""),
        ("I drop the `<think>` tag and `</think>` too, and `<|channel|>`.", None, ""),
    ],
)
def test_thoughts_are_moved(text: str, answer: str | None, thought: str) -> None:
    assert separate(text) == Separated(text if answer is None else answer, thought)


@pytest.mark.parametrize(
    ("text", "leak"),
    [
        ("<think>never ends", "<think>"),
        ("[THINK]never ends", "[THINK]"),
        ("<|channel|>analysis<|message|>hm", "<|channel|>"),
        ("hm<|start|>assistant<|channel|>final<|message|>```\nx\n```", "<|start|>"),
    ],
)
def test_unparsed_reply_is_left_whole(text: str, leak: str) -> None:
    assert separate(text) == Separated(text, leak=leak)


PIECES = ["<think>", "</think>", "[THINK]", "[/THINK]", "<|channel|>", "```", "~~~", "\n", " ", "a", "`", "\r", "\x0b"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_nothing_is_made_up(text: str) -> None:
    parted = separate(text)
    if parted.leak:
        assert parted.answer == text
    assert len(parted.answer) + len(parted.thought) <= len(text)
    assert parted.answer.count("a") + parted.thought.count("a") == text.count("a")


@pytest.mark.parametrize(
    "unit",
    [
        "<think></think>", "<think>a</think> ", "<thinking></think></thinking>", "[THINK][/THINK]", "</think>x",
        "</think>", "</think>\n", "x</think>\r\n", " </think>", "<think>", "a<think>", "<\n", "<", "```\n", "``` ", "`",
        "`<|channel|>`", " ", "\n", "\r", "\u2028<", "\ud800", "\0",
    ],
)  # fmt: skip
def test_the_work_grows_with_the_length(unit: str) -> None:
    assert_linear(separate, unit, length=150_000, around=("<think>a</think>", "b"))


def test_one_line_of_tags_up_to_the_longest_text_is_taken_apart() -> None:
    tags = "<think>a</think>" * (LONGEST // 16 - 1)
    assert separate(tags + "x") == Separated("x", "a" * (LONGEST // 16 - 1))


def test_a_text_beyond_the_longest_is_left_whole() -> None:
    text = "<think>a</think>" + "x" * LONGEST
    assert separate(text) == Separated(text)
