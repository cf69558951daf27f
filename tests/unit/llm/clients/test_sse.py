"""Server-sent events, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.llm.clients.sse import Event, EventParser


def parse(*chunks: bytes) -> list[tuple[str, str]]:
    parser = EventParser()
    events: list[Event] = [event for chunk in chunks for event in parser.feed(chunk)]
    return [tuple(event) for event in events + parser.close()]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [("data", "a"), ("data", "b")]),
        (b"data:a\r\n\r\ndata:  b\r\n\r\n", [("data", "a"), ("data", " b")]),
        (b"data: a\ndata: b\n\n", [("data", "a\nb")]),
        (b": ping\n\nevent: x\nid: 1\nretry: 5\ndata: a\n\n", [("data", "a")]),
        (b"data: a", [("data", "a")]),
        (b"data: a\n\nproxy error: lost\n", [("data", "a"), ("stray", "proxy error: lost")]),
        (b"<html>\n", [("stray", "<html>")]),
        (b"", []),
        (b"data: \xff\n\n", [("data", "\N{REPLACEMENT CHARACTER}")]),
    ],
)
def test_streams(stream: bytes, events: list[tuple[str, str]]) -> None:
    assert parse(stream) == events


@given(st.lists(st.text("a \u00e9\N{GRINNING FACE}:{}\r", max_size=8), max_size=8), st.data())
def test_where_the_chunks_end_does_not_matter(texts: list[str], data: st.DataObject) -> None:
    stream = "".join(f"data: {text}\n\n" for text in texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert parse(*chunks) == parse(stream)
    assert len(parse(stream)) == len(texts)
