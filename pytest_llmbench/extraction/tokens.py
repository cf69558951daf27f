"""What a model's template leaves in its reply: tokens such as ``<|im_end|>``, and tags around the answer. Pure."""

from __future__ import annotations

import re

from pytest_llmbench.extraction.invisible import visible

_MARKER = (
    r"<[|\uff5c][^<>|\uff5c\n]{1,40}[|\uff5c]?>|<[A-Za-z_]{1,30}\|>|</?s>|\[/?(?:INST|ASSISTANT|SYS)\]"
    r"|\u25c1/?\w{1,20}\u25b7"
    r"|<(?:start_of_turn|end_of_turn|end_of_text|end_of_utterance|eos|eot|bos|pad|EOS|EOT|EOD|unused\d{1,3})>"
)
"""A token of a template."""
_CLOSING_TAG = r"</[ ]?[A-Za-z][\w:.-]{0,40}[ ]?>"
_REMAINS = re.compile(rf"(?:{_MARKER}|{_CLOSING_TAG}|[\s*_)\]}}.,;:!?>\"'\u3002\u2019\u201d])*+\Z")
_TOKENS = re.compile(rf"(?:\s*+(?:{_MARKER}|{_CLOSING_TAG}))++\s*+\Z")
_END_OF_TURN = re.compile(
    r"<[|\uff5c](?:im_end|eot_id|eom_id|eot|eos|end|endoftext|end_of_text|end_of_turn|return|turn_end|END_OF_TURN_TOKEN"
    r"|end[_\u2581]of[_\u2581]sentence)[|\uff5c]>|<turn\|>|</s>|<end_of_turn>|<end_of_utterance>|<eos>|<EOT>|<EOD>",
    re.IGNORECASE,
)
_TAIL = re.compile(rf"(?:\s*+(?:{_MARKER}|{_CLOSING_TAG}))++\s*+")
_LONGEST = 400
"""Longer lines hold more than tokens."""


def only_remains(text: str) -> bool:
    """Whether text behind a closing fence is nothing but tokens, closing tags and punctuation."""
    return len(text) <= _LONGEST and bool(_REMAINS.match(visible(text)))


def only_tokens(line: str) -> bool:
    """Whether a line holds tokens or closing tags, and nothing else."""
    return len(line) <= _LONGEST and bool(_TOKENS.match(visible(line)))


def without_tokens(line: str) -> str:
    """A line without the tokens and closing tags at its end, where there are any."""
    place = len(line)
    for found in _TAIL.finditer(line, max(0, len(line) - _LONGEST)):
        place = found.start() if found.end() == len(line) else len(line)
    return line[:place]


def begins_with_end(text: str) -> bool:
    """Whether text begins with a token that ends the model's turn."""
    return bool(_END_OF_TURN.match(text))


def ends_turn(line: str) -> bool:
    """Whether a line begins or ends with a token that ends the model's turn, a fence before it aside."""
    if "<" not in line or "<s>" in line:  # struck out
        return False
    start, end = visible(line[:_LONGEST]).lstrip(" \t`~"), visible(line[-_LONGEST:]).rstrip()
    return begins_with_end(start) or any(found.end() == len(end) for found in _END_OF_TURN.finditer(end))
