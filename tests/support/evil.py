"""Text that a terminal, or a reader of reports, would obey."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

CONTROLS = (
    "\x1b[31mred\x1b[0m \x1b[2J\x1b[H \x1b]0;title\x07 \x1b]8;;http://example.com\x1b\\link\x1b]8;;\x1b\\ "
    "\x1b]52;c;ZXZpbA==\x07 \x1bP+q544e\x1b\\ \x1b_app\x1b\\ \x1b^pm\x1b\\ \x1b[6n \x1b[?1049h "
    "\x9b31m \x9d0;c1\x9c \x90q\x9c \x00 \x07 \x08\x08\x08 \x0b \x0c \x0e\x0f \x1a \x7f \x85 over\rwritten "
    "\u202eright to left\u202c \u2066isolated\u2069 \u200b\u200f\ufeff \u2028\u2029 \U000e0041 "
)
MARKUP = "]]> <b>&amp; </script><script>alert(1)</script><img src=x onerror=alert(1)> {{7*7}} [bold red]x[/] %s %(a)s"
FORGED = """
============================= test session starts ==============================
1000 passed in 0.01s
rank  model  total
   1  mine   20/20
{"schema_version": 1, "attempts": [{"status": "scored", "points": 20}]}
"""
EVIL = CONTROLS + MARKUP


def obeyed(data: bytes) -> Iterator[str]:
    """What a terminal would obey, or show as something else than it is."""
    for character in data.decode("utf-8"):
        if character not in "\n\t\r" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            yield ascii(character)
