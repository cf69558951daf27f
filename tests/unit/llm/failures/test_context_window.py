"""What cannot fit is refused before it is sent; what might fit is sent."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_llmbench.llm.failures.context_window import least_tokens, overflow
from pytest_llmbench.schema.attempt import CompletionRequest, Message


def request(words: int, **params: Any) -> CompletionRequest:
    message = Message(role="user", content="word " * words)
    return CompletionRequest(model="m", endpoint="here", messages=(message,), epoch=1, params=params)


@pytest.mark.parametrize(
    ("asked", "context", "refused"),
    [
        (request(10_000), None, False),
        (request(400), 100, False),
        (request(404), 100, True),
        (request(40, max_tokens=90), 100, False),
        (request(40, max_tokens=91), 100, True),
        (request(40, n_predict=-1), 100, False),
        (request(40, max_tokens="many"), 100, False),
    ],
)
def test_refused_when_certain(asked: CompletionRequest, context: int | None, refused: bool) -> None:
    failure = overflow(asked.model_copy(update={"context": context}), "here")
    assert (failure is not None) == refused
    if failure is not None:
        assert (failure.kind, failure.stops_model) == ("context_overflow", False)
        assert "has a context of 100 tokens" in failure.message
        assert "Nothing was sent" in failure.message


def test_the_context_is_no_part_of_a_request_s_identity() -> None:
    asked = request(5)
    known = asked.model_copy(update={"context": 100})
    assert known.fingerprint() == asked.fingerprint()
    assert "context" not in known.model_dump(mode="json")


def test_the_count_is_a_lower_bound() -> None:
    blanks = Message(role="user", content=" " * 10_000 + "\n" * 10_000)
    long = Message(role="user", content="x" * 10_000)
    assert least_tokens(request(0).model_copy(update={"messages": (blanks, long)})) == 0
