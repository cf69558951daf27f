"""Whether a reply is nothing but tokens of a chat template: of a model that was asked without the right one. Pure."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"<[|\uff5c][^|\uff5c<>\n]{1,40}[|\uff5c]?>|</?s>|</?(?:bos|eos|pad|unk|eot|eop|sop)>|<(?:start|end)_of_(?:turn|text|image)>"
    r"|<(?:end|start)_of_\w{1,20}>|<[a-z]{2,5}_(?:start|end)>|\[/?(?:INST|SYSTEM_PROMPT|EOS|BOS)\]|<</?SYS>>|<unused[0-9]{1,4}>",
    re.IGNORECASE,
)
_ROLE = re.compile(r"(?:user|assistant|system|model|human|bot|tool)(?![^\W_])", re.IGNORECASE)
_BLANK = re.compile(r"[\s:]+")


def only_tokens(text: str) -> str:
    """The first template token of a text that holds nothing else but names of roles; empty: it holds more, or none."""
    first = ""
    at = 0
    while at < len(text):
        if token := _TOKEN.match(text, at):
            first = first or token.group()
        elif not (token := _BLANK.match(text, at) or (_ROLE.match(text, at) if first else None)):
            return ""
        at = token.end()
    return first
