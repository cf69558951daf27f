"""What is told of an exception that ended a request on our side."""

from __future__ import annotations

import pytest

from pytest_llmbench.llm.generation.reuse import fault


class SocketBlockedError(RuntimeError):
    """As that of pytest-socket, which is not installed."""


@pytest.mark.parametrize(
    "text", ["A test tried to use socket.socket.", 'A test tried to use socket.socket.connect() with host "127.0.0.1"']
)
def test_a_blocked_socket_is_named_with_the_way_out(text: str) -> None:
    failure = fault("asking m broke", ExceptionGroup("unhandled errors in a TaskGroup", [SocketBlockedError(text)]))
    assert failure.kind == "grader"
    assert "asking m broke: SocketBlockedError: A test tried to use socket" in failure.message
    assert "pytest-socket" in failure.message
    assert "-n 1" in failure.message
    assert "TaskGroup" not in failure.message


def test_another_one_has_no_such_advice() -> None:
    assert fault("it broke", ValueError("no")).message == "it broke: ValueError: no. This says nothing about the model."
