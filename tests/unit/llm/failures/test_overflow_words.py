"""Prompts that do not fit, in everybody's words, and errors that are about something else."""

from __future__ import annotations

import pytest

from pytest_llmbench.llm.failures.overflow_words import says_overflow


@pytest.mark.parametrize(
    "told",
    [
        "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        "Please reduce the length of the messages or completion.",
        "The number of tokens to keep from the prompt is greater than the context length (n_keep: 9>= n_ctx: 4).",
        "Trying to keep the first 15857 tokens when context the overflows. However, the model is loaded with context "
        "length of only 4096 tokens, which is not enough.",
        "Invalid request: Your request exceeded model token limit: 262144 (requested: 300000)",
        "invalid params, context window exceeds limit (2013)",
        "Input is too long for requested model.",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        "Prompt contains 33000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        "the request exceeds the available context size, try increasing it",
        "prompt too long; exceeded max context length by 4 tokens",
        "prompt is too long: 213462 tokens > 200000 maximum",
        "Your input exceeds the context window of this model.",
        "Context size has been exceeded.",
        "too many tokens: total number of tokens in the prompt cannot exceed 4081",
        "Request size exceeds model context window",
        "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 20 `max_new_tokens`",
        "Input validation error: `inputs` must have less than 4095 tokens. Given: 5000",
        "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]",
        "prompt token count of 130000 exceeds the limit of 64000",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        "The prompt is 9000 tokens long, the model takes 8k at most",
        "Too many input tokens",
        "conversation is too long, start a new one",
        "context_length_exceeded",
        "ran out of context: the window is full",
        "Requested tokens (5012) exceed context window of 4096",
    ],
)
def test_overflow(told: str) -> None:
    assert says_overflow(told)


@pytest.mark.parametrize(
    "told",
    [
        "max_tokens is too large: 5000. This model supports at most 4096 completion tokens, whereas you provided 5000.",
        "body.max_tokens: Input should be less than or equal to 8192 less_than_equal",
        "max_completion_tokens must be at most 16384",
        "Rate limit reached on tokens per minute (TPM): Limit 6000, Requested 7000 in this request",
        "temperature exceeds the maximum of 2",
        "Requested top_logprobs of 20 exceeds maximum of 5",
        "Invalid 'messages': array too long. Expected an array with maximum length 2048",
        "<html><title>413 Request Entity Too Large</title></html>",
        "Unsupported value: 'temperature' in this context",
        "The model `x` does not exist",
        "Insufficient balance, please recharge",
        "Invalid API key",
        "",
    ],
)
def test_something_else(told: str) -> None:
    assert not says_overflow(told)
