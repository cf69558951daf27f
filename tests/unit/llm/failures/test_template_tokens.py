"""Replies of a model that was asked without its chat template."""

from __future__ import annotations

import pytest

from pytest_llmbench.llm.failures.template_tokens import only_tokens


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("<|im_end|>", "<|im_end|>"),
        ("\n<|im_start|>user\n<|im_end|>\n<|im_start|>assistant\n", "<|im_start|>"),
        ("</s>", "</s>"),
        ("<end_of_turn>\n<start_of_turn>model", "<end_of_turn>"),
        ("[INST] [/INST]", "[INST]"),
        ("<\uff5cend\u2581of\u2581sentence\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>"),
        ("<|eot_id|><|start_header_id|>assistant<|end_header_id|>", "<|eot_id|>"),
        ("<eos>" * 50_000, "<eos>"),
        ("<|im_end|> I cannot", ""),
        ("<html>", ""),
        ("assistant", ""),
        ("x <|im_end|>", ""),
        ("<|a|> usernames", ""),
        (" ", ""),
        ("", ""),
    ],
)
def test_only_tokens(text: str, first: str) -> None:
    assert only_tokens(text) == first
