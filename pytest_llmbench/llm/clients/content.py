"""The content of a message: a text, or parts of many types, as servers send it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_TEXT_KEYS = ("text", "output_text", "content", "value", "parts", "refusal")
_THOUGHT_KEYS = ("thinking", "reasoning", "reasoning_content", "thought", "summary")
_THOUGHT_TYPES = ("think", "reason", "thought")
_CALL_TYPES = ("tool", "function")
_DEEP = 10
_NAME_CHARS = 60


class Content(NamedTuple):
    """What a content field holds."""

    text: str = ""
    thought: str = ""
    strange: str = ""
    """What in it cannot be read."""
    call: str = ""
    """The name of a tool that it calls."""


def read_content(content: Any, deep: int = _DEEP) -> Content:
    """Read a content field, or a part of one."""
    if content is None or isinstance(content, str):
        return Content(content or "")
    if not deep:
        return Content(strange="parts within parts")
    if isinstance(content, Mapping):
        return _part(content, deep - 1) if content else Content()
    if isinstance(content, list):
        found = [read_content(each, deep - 1) for each in content]
        return Content(
            "".join(each.text for each in found),
            "".join(each.thought for each in found),
            next((each.strange for each in found if each.strange), ""),
            next((each.call for each in found if each.call), ""),
        )
    return Content(strange=f"a {type(content).__name__}")


def called_tool(message: Mapping[str, Any]) -> str:
    """The name of the first tool that a message calls, ``?`` without one; empty: it calls none."""
    calls = message.get("tool_calls")
    first = calls[0] if isinstance(calls, list) and calls else message.get("function_call")
    if not isinstance(first, Mapping) or not first:
        return ""
    function = first.get("function")
    return _name(function if isinstance(function, Mapping) else first) or "?"


def _part(part: Mapping[str, Any], deep: int) -> Content:
    kind = part.get("type")
    kind = kind if isinstance(kind, str) else ""
    key = next((key for key in (*_TEXT_KEYS, *_THOUGHT_KEYS) if part.get(key) is not None), None)
    if kind.startswith(_CALL_TYPES):
        return Content(call=_name(part) or "?")
    if key is None:
        known = any(key in part for key in (*_TEXT_KEYS, *_THOUGHT_KEYS))
        return Content() if known else Content(strange=f"a part of type {kind[:_NAME_CHARS]!r}")
    inner = read_content(part[key], deep)
    if key in _THOUGHT_KEYS or part.get("thought") is True or any(word in kind for word in _THOUGHT_TYPES):
        return inner._replace(text="", thought=inner.text + inner.thought)
    return inner


def _name(table: Mapping[str, Any]) -> str:
    name = table.get("name")
    return name[:_NAME_CHARS] if isinstance(name, str) else ""
