"""Lines at the head of a block that are no code: a label or a name by itself, as copied from a chat page. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_llmbench.extraction import syntax
from pytest_llmbench.extraction.fences import may_hold_fence
from pytest_llmbench.extraction.filenames import Name, Wanted
from pytest_llmbench.extraction.invisible import visible
from pytest_llmbench.extraction.languages import label_of_line, language_of_file, same_language

_BUTTONS = frozenset(
    (
        "copy", "copy code", "edit", "copyedit", "copy edit", "wrap", "run", "download", "collapse",
        "\u590d\u5236", "\u590d\u5236\u4ee3\u7801", "\u8fd0\u884c",
    )
)  # fmt: skip
"""What stands on a code block's buttons."""
_PLAIN = frozenset(("markdown", "text", "csv", "tsv", "other", "yaml"))
"""Files in which a line of one word is nothing special."""
_MOST_LINES = 5


@dataclass(frozen=True, slots=True)
class Headless:
    """Code without the lines at its head that are none."""

    source: str
    lines: int = 0
    """So many were dropped."""
    label: str = ""
    """The language that they state."""
    name: Name | None = None
    """The expected file that they name."""


def headless(source: str, label: str, wanted: Wanted) -> Headless:
    """Drop a first line that is nothing but the language's label or the file's name, and buttons below it.

    A label counts if it is that of the block, or of an expected file where the block has none; a name counts where
    the code below it parses. Plain text keeps all of its lines.
    """
    lines = source.split("\n", _MOST_LINES)
    stated, name, end = "", None, 0
    for number, line in enumerate(lines[:_MOST_LINES], start=1):
        text = visible(line).strip()
        if not text:
            continue
        if may_hold_fence(text):
            break
        if not stated and _is_label(text, label, wanted):
            stated, end = label_of_line(text), number
        elif name is None and (found := _name_in(text, label or stated, wanted)) is not None:
            name, end = found, number
        elif text.lower() in _BUTTONS and (stated or name or " " in text):
            end = number
        else:
            break
    while end and end < len(lines) and not lines[end].strip():
        end += 1
    rest = "\n".join(lines[end:])
    if not end or not rest.strip():
        return Headless(source)
    if name is not None and not syntax.parses(rest, language_of_file(name.wanted or "")):
        return Headless(source)
    return Headless(rest, end, stated, name)


def _is_label(text: str, label: str, wanted: Wanted) -> bool:
    stated = label_of_line(text)
    if not stated or stated in _PLAIN:
        return False
    if label:
        return same_language(stated, label) and label not in _PLAIN
    return any(same_language(stated, language_of_file(name)) for name in wanted.names)


def _name_in(text: str, label: str, wanted: Wanted) -> Name | None:
    name = wanted.alone_in(text)
    if name is None or name.wanted is None:
        return None
    language = language_of_file(name.wanted)
    return name if language in syntax.PARSED and (not label or same_language(label, language)) else None
