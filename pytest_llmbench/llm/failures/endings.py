"""What a ``finish_reason`` says of an answer: it ended well, was cut off, or broke. One table for all servers. Pure.

Good ends are known word for word. Cuts and breaks are known by stems, for each server words them in its own way. Any
other word says nothing, and then only a reply that is whole by itself can be graded.
"""

from __future__ import annotations

import re
from typing import Literal

Ending = Literal["unsaid", "good", "filtered", "cut", "broken", "unknown"]
"""``unsaid``: no reason was given. ``filtered``: cut off by a filter. ``unknown``: a word that is in no table."""

_UNSAID = frozenset({"", "null", "none", "nil", "undefined", "unspecified", "in_progress"})
_GOOD_TEXT = """
    stop stopped stop_sequence stop_token stop_word stop_string stop_str eos eos_token eos_token_id eot end ended
    end_turn end_of_turn end_of_text endoftext end_of_sequence complete completed done finish finished success
    successful succeeded normal tool_call tool_calls tool_use function_call function_calls
"""
_GOOD = frozenset(_GOOD_TEXT.split())
_FIRST_TEXT = "resource rate_limit memory oom quota capacity"
"""Stems of breaks above those of cuts: a limit on these is the server's trouble and may pass."""
_FILTERED_TEXT = """
    filter safety sensitiv recit block prohibit spii guardrail moderat policy refus toxic language copyright harm
"""
_CUT_TEXT = """
    length max limit context window trunc incomplete unfinished not_ pause partial cut time deadline budget full out_of
"""
_BROKEN_TEXT = """
    error fail insufficient abort cancel interrupt network unavailable overload internal crash exception disconnect
    malformed unexpected kill evict preempt shutdown busy lost drop broken
"""
_STEMS: tuple[tuple[Ending, tuple[str, ...]], ...] = (
    ("broken", tuple(_FIRST_TEXT.split())),
    ("filtered", tuple(_FILTERED_TEXT.split())),
    ("cut", tuple(_CUT_TEXT.split())),
    ("broken", tuple(_BROKEN_TEXT.split())),
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAMED = re.compile(r"^(?:finish|stop)_?reason_+")
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([^\n]*)$", re.MULTILINE)


def ending_of(reason: str | None) -> Ending:
    """What the word says, however it is spelt: ``MAX_TOKENS``, ``maxTokens``, ``FinishReason.MAX_TOKENS`` are one."""
    word = _HUMP.sub("_", (reason or "").strip()).casefold().rpartition(".")[2]
    word = _NAMED.sub("", re.sub(r"[\W_]+", "_", word).strip("_"))
    if word in _UNSAID:
        return "unsaid"
    if word in _GOOD:
        return "good"
    return next((ending for ending, stems in _STEMS if any(stem in word for stem in stems)), "unknown")


def is_whole(text: str) -> bool:
    """True for a reply with a block of code whose last block is closed: nothing that counts is missing at its end."""
    opened = ""
    blocks = 0
    for fence in _FENCE.finditer(text):
        if not opened:
            opened = fence[1]
        elif fence[1].startswith(opened) and not re.match(r"\w", fence[2]):
            opened, blocks = "", blocks + 1
    return blocks > 0 and not opened
