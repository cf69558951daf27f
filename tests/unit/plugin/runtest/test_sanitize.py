"""Text of unknown origin and who else reads the terminal."""

from __future__ import annotations

import pytest

from pytest_llmbench.plugin.runtest.sanitize import visible


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
    assert visible(text) == shown
    assert visible(shown) == shown
