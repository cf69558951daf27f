"""Text of unknown origin, made fit for terminals, logs, pages and records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.text import bounded, excerpt, one_line, printable, sanitize


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error file=a.py::b", r"\x3a:error file=a.py::b"),
        ("\t::add-mask::secret", r"    \x3a:add-mask::secret"),
        ("fine\n  ::stop-commands::t\nmore", "fine\n  \\x3a:stop-commands::t\nmore"),
        ("and ##[error]so", r"and #\x23[error]so"),
        ("a ::b:: c, std::vec::Vec, ::x", "a ::b:: c, std::vec::Vec, ::x"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("plain: text", "plain: text"),
    ],
)
def test_what_a_terminal_or_a_runner_would_obey(text: str, shown: str) -> None:
    assert sanitize(text) == shown
    assert sanitize(shown) == shown


ANY = st.text(st.characters(exclude_categories=()), max_size=40)


@given(ANY, st.sampled_from(["", "\n", "\n\t"]))
def test_printable_text_has_no_control_characters_but_those_kept(text: str, keep: str) -> None:
    shown = printable(text, keep=keep)
    assert all(character.isprintable() or character in keep for character in shown)
    assert printable(shown, keep=keep) == shown
    assert "".join(c for c in shown if c in keep) == "".join(c for c in text if c in keep)
    if text.isprintable():
        assert shown == text


@given(ANY, st.integers(1, 50))
def test_excerpts_are_short_and_printable(text: str, limit: int) -> None:
    line, several = one_line(text, limit), excerpt(text, limit)
    assert line.isprintable()
    assert several.replace("\n", "").replace("\t", "").isprintable()
    assert max(len(line), len(several)) <= limit


def test_what_is_cut_off_is_counted() -> None:
    assert bounded("abcd", 4) == "abcd"
    assert bounded("abcdef", 4) == "abcd... (2 more characters)"
