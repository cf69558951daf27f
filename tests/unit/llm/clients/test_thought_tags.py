"""Thoughts of every family are told from the answer, and what no family knows is an error, never a score."""

from __future__ import annotations

import pytest

from pytest_llmbench.llm.clients.reasoning import Separated, separate

ANSWER = "```python\nx = 1\n```\n"
FAMILIES = [
    ("<think>", "</think>"),
    ("<Think>", "</Think>"),
    ("<THINKING>", "</THINKING>"),
    ("<thought>", "</thought>"),
    ("< think >", "</ think >"),
    ("<think effort='low'>", "</think >"),
    ("<think>", "< / think>"),
    ("<thoughts>", "</thoughts>"),
    ("<seed:think>", "</seed:think>"),
    ("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    ("[think]", "[/Think]"),
    ("[THINK]", "[/THINK]"),
    ("<|channel>thought", "<channel|>"),
    ("<|channel> thought", "<channel|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<|think|>", "<|/think|>"),
    ("<unused94>thought", "<unused95>"),
    ("<reasoning>", "</reasoning>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<analysis>", "</analysis>"),
    ('<details type="reasoning" done="true">', "</details>"),
]


@pytest.mark.parametrize(("opening", "closing"), FAMILIES)
def test_a_thought_is_moved(opening: str, closing: str) -> None:
    draft = "Maybe:\n\n```python\nx = 2\n```\n\nNo."
    assert separate(f"{opening}\n{draft}\n{closing}\n{ANSWER}") == Separated(ANSWER, draft)
    assert separate(f"  {opening}\n{draft}{closing}{ANSWER}") == Separated(ANSWER, draft)
    assert separate(f"{opening}\n{draft}").leak == opening


@pytest.mark.parametrize(("opening", "closing"), FAMILIES[:-1])
def test_a_closing_tag_alone_ends_a_thought(opening: str, closing: str) -> None:
    if closing.startswith("<unused"):
        assert separate(f"Maybe.\n{closing}\n{ANSWER}").thought == ""
    else:
        assert separate(f"Maybe.\n{closing}\n{ANSWER}") == Separated(ANSWER, "Maybe.")


@pytest.mark.parametrize(
    "token",
    [
        "<|channel>",
        "<|weird|>",
        "<|assistant|>",
        "<|channel|>",
        "<|im_start|>",
        "<tool_call|>",
        "<\uff5cAssistant\uff5c>",
    ],
)
def test_a_token_of_a_template_at_the_start_of_a_line(token: str) -> None:
    assert separate(f"Hm.\n{token}x\n{ANSWER}") == Separated(f"Hm.\n{token}x\n{ANSWER}", leak=token)
    assert separate(f"```\n{token}\n```\n").leak == ""
    assert separate(f"About `{token}`.\n{ANSWER}").leak == ""


@pytest.mark.parametrize(
    "text", ["<|im_end|>", "<|im_end|>\n", "</s>", "<|endoftext|><|im_end|>", " <end_of_turn> ", "<eos>", "[/INST]"]
)
def test_nothing_but_tokens_is_no_answer(text: str) -> None:
    assert separate(text).leak in text
    assert separate(text).leak


@pytest.mark.parametrize(
    "text",
    [
        f"{ANSWER}<|im_end|>",
        f"{ANSWER}<|im_end|>\n<|im_start|>user\nThanks.\n<|im_end|>\n",
        f"Here:\n{ANSWER[:-1]}<|im_end|>\n<|im_start|>user\nThanks.\n",
        "Done.<|eot_id|>\n<|start_header_id|>user\n",
        f"<|START_RESPONSE|>{ANSWER}<|END_RESPONSE|>",
        f"<s>{ANSWER}</s>",
        "Use <s>old</s> new.",
        "a <| b",
        "<answer>\nx\n</answer>",
    ],
)
def test_what_ends_a_turn_or_surrounds_the_answer_is_harmless(text: str) -> None:
    assert separate(text) == Separated(text)
