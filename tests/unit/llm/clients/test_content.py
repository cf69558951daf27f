"""Content fields of every shape."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.llm.clients.content import Content, called_tool, read_content

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "x"]), inner),
    max_leaves=9,
)


@pytest.mark.parametrize(
    "content",
    [
        "x",
        [{"type": "text", "text": "x"}],
        [{"type": "output_text", "text": "x"}],
        ["x"],
        ["", "x", None],
        [{"text": "x"}],
        {"type": "text", "text": "x"},
        {"text": {"value": "x", "annotations": []}},
        {"parts": [{"text": "x"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "x"}]},
        [{"type": "text", "text": "x"}, {"type": "reference", "reference_ids": [1]}],
        [{"type": "refusal", "refusal": "x"}],
    ],
)
def test_texts(content: Any) -> None:
    assert (read_content(content).text, read_content(content).thought) == ("x", "")


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "thinking", "thinking": "hm"}],
        [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}],
        [{"type": "reasoning", "text": "hm"}],
        [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}],
        [{"text": "hm", "thought": True}],
    ],
)
def test_thoughts(content: Any) -> None:
    assert (read_content(content).text, read_content(content).thought) == ("", "hm")


@pytest.mark.parametrize(
    ("content", "strange"),
    [
        ([{"type": "blob", "data": "eA=="}], "a part of type 'blob'"),
        ({"answer": "x"}, "a part of type ''"),
        (42, "a int"),
        (True, "a bool"),
        ([[[[[[[[[[["x"]]]]]]]]]]], "parts within parts"),
    ],
)
def test_shapes_that_nobody_knows(content: Any, strange: str) -> None:
    assert read_content(content) == Content(strange=strange)


@pytest.mark.parametrize("content", [None, "", [], {}, [None], [{"type": "text", "text": ""}], [{"text": None}]])
def test_nothing(content: Any) -> None:
    assert read_content(content) == Content()


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ({"tool_calls": [{"id": "1", "function": {"name": "write_file", "arguments": "{}"}}]}, "write_file"),
        ({"function_call": {"name": "write_file"}}, "write_file"),
        ({"tool_calls": [{"name": "write_file"}]}, "write_file"),
        ({"tool_calls": [{"function": {"arguments": "{"}}]}, "?"),
        ({"tool_calls": []}, ""),
        ({"tool_calls": None}, ""),
        ({"tool_calls": "x", "function_call": 3}, ""),
    ],
)
def test_calls(message: dict[str, Any], name: str) -> None:
    assert called_tool(message) == name


def test_a_call_among_the_parts() -> None:
    assert read_content([{"type": "tool_use", "name": "edit", "input": {}}]).call == "edit"


@given(JSON)
def test_any_content(content: Any) -> None:
    assert isinstance(read_content(content), Content)
