"""Words for the end of an answer, whoever wrote them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.llm.failures.endings import ending_of, is_whole

CODE = "Here:\n\n```python\nx = 1\n```\n"


@pytest.mark.parametrize(
    "reason",
    [
        "stop",
        "STOP",
        "eos",
        "eos_token",
        "end_turn",
        "endTurn",
        "EndTurn",
        "stop_sequence",
        "COMPLETE",
        "tool_calls",
        "function_call",
        "FinishReason.STOP",
        "FINISH_REASON_STOP",
        " stop ",
        "finish_reason.stop",
        "Stop-Sequence",
    ],
)
def test_good_ends(reason: str) -> None:
    assert ending_of(reason) == "good"


@pytest.mark.parametrize("reason", [None, "", "null", "None", "FINISH_REASON_UNSPECIFIED", "in_progress"])
def test_reasons_that_say_nothing(reason: str | None) -> None:
    assert ending_of(reason) == "unsaid"


@pytest.mark.parametrize(
    "reason",
    [
        "length",
        "max_tokens",
        "MAX_TOKENS",
        "maxTokens",
        "FinishReason.MAX_TOKENS",
        "model_length",
        "incomplete",
        "model_context_window_exceeded",
        "max_output_tokens",
        "token_limit",
        "not_finished",
        "time_limit",
        "timeout",
        "ERROR_LIMIT",
        "pause_turn",
        "context_length_exceeded",
        "truncated",
        "MAXTOKENS",
        "stop_max_tokens",
    ],
)
def test_cuts(reason: str) -> None:
    assert ending_of(reason) == "cut"


@pytest.mark.parametrize(
    "reason",
    [
        "content_filter",
        "contentFilter",
        "safety",
        "SAFETY",
        "RECITATION",
        "PROHIBITED_CONTENT",
        "SPII",
        "BLOCKLIST",
        "guardrail_intervened",
        "content_filtered",
        "sensitive",
        "refusal",
        "ERROR_TOXIC",
        "IMAGE_SAFETY",
        "LANGUAGE",
    ],
)
def test_cuts_by_a_filter(reason: str) -> None:
    assert ending_of(reason) == "filtered"


@pytest.mark.parametrize(
    "reason",
    [
        "error",
        "ERROR",
        "insufficient_system_resource",
        "abort",
        "aborted",
        "cancelled",
        "USER_CANCEL",
        "network_error",
        "server_error",
        "internal_server_error",
        "out_of_memory",
        "resource_limit",
        "engine_overloaded",
        "failed",
        "MALFORMED_FUNCTION_CALL",
        "service_unavailable",
        "preempted",
        "rate_limit",
    ],
)
def test_breaks(reason: str) -> None:
    assert ending_of(reason) == "broken"


@pytest.mark.parametrize("reason", ["OTHER", "zap", "x" * 500, "42", "好"])
def test_words_that_nobody_knows(reason: str) -> None:
    assert ending_of(reason) == "unknown"


@given(st.text())
def test_any_word(reason: str) -> None:
    assert ending_of(reason) in ("unsaid", "good", "filtered", "cut", "broken", "unknown")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (CODE, True),
        (CODE + "That is all.", True),
        (CODE.rstrip("\n"), True),
        (CODE.replace("```\n", "```<|im_end|>"), True),
        ("~~~\nx\n~~~", True),
        ("````md\n```py\nx\n```\n````", True),
        ("````md\n```py\nx\n```\n", False),
        (CODE + "```js\nlet x", False),
        ("Here:\n\n```python\nx = 1", False),
        ("Here it is:", False),
        ("", False),
    ],
)
def test_a_reply_that_is_whole_by_itself(text: str, whole: bool) -> None:
    assert is_whole(text) is whole
