"""The tags in which models put their thoughts and the tokens of their templates: one table for all families. Pure.

Tags are read in any case and with spaces inside their brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS = (
    "think", "thinking", "thought", "thoughts", "thought_process", "thinking_process", "reasoning", "reasoning_process",
    "reason", "reflection", "analysis", "scratchpad", "inner_monologue", "antthinking", "internal_thoughts",
    "chain_of_thought", "cot", "rationale", "deliberation",
)  # fmt: skip
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_GAP = r"[ \t]{0,4}"
_BAR = "[|\uff5c]"


@dataclass(frozen=True, slots=True)
class Family:
    """A pair of tags; each pattern matches one whole tag."""

    opening: re.Pattern[str]
    closing: re.Pattern[str]


def _family(opening: str, closing: str) -> Family:
    return Family(re.compile(opening, re.IGNORECASE), re.compile(closing, re.IGNORECASE))


def _element(word: str) -> Family:
    """``<think>``, ``<seed:think>``, ``< Think effort="high" >``."""
    name = rf"(?:[a-z]{{1,12}}[:_])?{word}"
    return _family(rf"<{_GAP}{name}(?:\s[^<>\n]{{0,60}})?>", rf"<{_GAP}/{_GAP}{name}{_GAP}>")


FAMILIES = (
    *map(_element, ("think(?:ing)?", *(word for word in _WORDS if word not in ("think", "thinking")))),
    _family(rf"\[{_GAP}think{_GAP}\]", rf"\[{_GAP}/{_GAP}think{_GAP}\]"),
    _family(rf"\u25c1{_GAP}think{_GAP}\u25b7", rf"\u25c1{_GAP}/{_GAP}think{_GAP}\u25b7"),
    _family(rf"<\|channel>{_GAP}(?:thought|thinking|analysis)\b", rf"<{_GAP}channel\|>"),
    _family(rf"<{_BAR}(?:start|begin)_(?:of_)?(?:{_WORD}){_BAR}>", rf"<{_BAR}end_(?:of_)?(?:{_WORD}){_BAR}>"),
    _family(rf"<{_BAR}{_GAP}(?:{_WORD}){_GAP}{_BAR}>", rf"<{_BAR}{_GAP}/{_GAP}(?:{_WORD}){_GAP}{_BAR}>"),
    _family(r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),
    _family(rf"<unused\d{{1,3}}>{_GAP}thought\b", r"<unused\d{1,3}>"),
    _family(r"<details[^<>\n]{0,40}\btype=\"?reasoning\"?[^<>\n]{0,60}>", r"</details>"),
)
"""Families of models with their pairs, the most frequent first."""
_ANY_OPENING = re.compile("|".join(family.opening.pattern for family in FAMILIES), re.IGNORECASE)
_ANY_CLOSING = re.compile("|".join(family.closing.pattern for family in FAMILIES[:-2]), re.IGNORECASE)
"""Without the last two, whose closing tags have other uses too."""
_OPENERS = "<[\u25c1"
STARTS = frozenset(_OPENERS)
"""Characters that every tag begins with one of."""
_LONGEST_TAG = 120

_MARKER = re.compile(
    rf"<{_BAR}[^\W\d][\w\u2581 :-]{{0,40}}{_BAR}?>|<[a-z_]{{1,30}}\|>|</?s>|</?(?:start|end)_of_turn>|\[/?INST\]"
    r"|<(?:eos|bos|eot)>",
    re.IGNORECASE,
)
"""A token of a chat template."""
_END_OF_TURN = re.compile(
    rf"<{_BAR}(?:im_end|eot_id|eom_id|eot|eos|end|endoftext|end_of_text|end_of_turn|return|turn_end|END_OF_TURN_TOKEN"
    rf"|end[_\u2581]of[_\u2581]sentence){_BAR}>|<turn\|>|</s>|<end_of_turn>|<eos>|<eot>",
    re.IGNORECASE,
)
"""Tokens that end the model's turn."""
_HARMLESS = re.compile(
    rf"{_END_OF_TURN.pattern}|<{_BAR}(?:start|begin|end)_(?:of_)?(?:response|text|answer|solution|box|sentence){_BAR}>"
    rf"|<{_BAR}begin\u2581of\u2581sentence{_BAR}>|\[/?INST\]|<s>|<bos>",
    re.IGNORECASE,
)
"""Tokens that end a turn or surround the answer: what they stand beside is read all the same."""
_ONLY_TOKENS = re.compile(rf"(?:\s*+(?:{_MARKER.pattern}|</?answer>))++\s*+\Z", re.IGNORECASE)
_LONGEST_TOKENS = 2000


def opening_at(text: str, place: int, end: int) -> tuple[Family, int] | None:
    """The family whose opening tag is at a place, and the place behind the tag."""
    end = min(end, place + _LONGEST_TAG)
    if not _ANY_OPENING.match(text, place, end):
        return None
    return next((family, found.end()) for family in FAMILIES if (found := family.opening.match(text, place, end)))


def closing_at(text: str, place: int, end: int) -> re.Match[str] | None:
    """The closing tag of any family at a place."""
    return _ANY_CLOSING.match(text, place, min(end, place + _LONGEST_TAG))


def closing_before(text: str, start: int, end: int) -> re.Match[str] | None:
    """The closing tag of any family that a stretch of text ends with."""
    if end <= start or text[end - 1] not in ">]\u25b7":
        return None
    place = max(text.rfind(opener, max(start, end - _LONGEST_TAG), end) for opener in _OPENERS)
    found = closing_at(text, place, end) if place >= 0 else None
    return found if found and found.end() == end else None


def is_closing(line: str) -> bool:
    """Whether a line is a closing tag and nothing else."""
    bare = line.strip()
    found = closing_at(bare, 0, len(bare))
    return found is not None and found.end() == len(bare)


def foreign_token(text: str, place: int, end: int) -> str:
    """The token of a template at a place that shows an unparsed reply; empty where there is none."""
    found = _MARKER.match(text, place, min(end, place + _LONGEST_TAG))
    return found.group() if found and not _HARMLESS.fullmatch(found.group()) else ""


def harmless_token(text: str, place: int, end: int) -> int:
    """The place behind a token that ends a turn or begins an answer; 0 where there is none."""
    found = _HARMLESS.match(text, place, min(end, place + _LONGEST_TAG))
    return found.end() if found else 0


def ends_turn(text: str, place: int, end: int) -> bool:
    """Whether a token that ends the turn is at a place, or right before the end of that stretch of text."""
    if _END_OF_TURN.match(text, place, min(end, place + _LONGEST_TAG)):
        return True
    opener = text.rfind("<", max(place, end - _LONGEST_TAG), end)
    return opener >= 0 and bool(_END_OF_TURN.fullmatch(text, opener, end))


def only_tokens(text: str) -> str:
    """The first token of a text that holds nothing else; empty for any other."""
    if len(text) > _LONGEST_TOKENS or not _ONLY_TOKENS.match(text):
        return ""
    found = _MARKER.search(text)
    return found.group() if found else text.strip()
