"""Bodies told by their first byte, however they are cut."""

from __future__ import annotations

import pytest

from pytest_llmbench.llm.clients.body import BodyParser

MARK = b"\xef\xbb\xbf"


def parse(*chunks: bytes) -> list[tuple[str, str]]:
    parser = BodyParser()
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return [tuple(event) for event in events + parser.close()]


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (b'{"a": 1}', [("whole", '{"a": 1}')]),
        (b'\n\n  {"a": 1}\n', [("whole", '{"a": 1}\n')]),
        (MARK + b"[1]", [("whole", "[1]")]),
        (MARK + b"data: a\n\n", [("data", "a")]),
        (b"\r\n\r\ndata: a\n\n", [("data", "a")]),
        (b": hi\n\ndata: {}\n\n", [("data", "{}")]),
        (b"event: error\ndata: x\n\n", [("error", "x")]),
        (b"event: response.failed\ndata: x\n\ndata: y\n\n", [("error", "x"), ("data", "y")]),
        (b"<html>\n", [("stray", "<html>")]),
        (b"", []),
        (MARK, []),
    ],
)
def test_bodies(body: bytes, events: list[tuple[str, str]]) -> None:
    assert parse(body) == events
    assert parse(*(body[at : at + 1] for at in range(len(body)))) == events


@pytest.mark.parametrize(
    ("chunks", "within"),
    [
        ([b": ping\n\n"], False),
        ([b": pi"], False),
        ([b"data: {"], True),
        ([b"data: {}\n"], True),
        ([b"data: {}\n\n"], False),
        ([b"data:\n"], False),
        ([b"event: ping\n", b"\n"], False),
        ([b"  \n"], False),
        ([b"{", b"  \n"], False),
        ([b"{", b'"a"'], True),
    ],
)
def test_keep_alives_are_no_part_of_an_answer(chunks: list[bytes], within: bool) -> None:
    parser = BodyParser()
    for chunk in chunks:
        parser.feed(chunk)
    assert parser.within is within
