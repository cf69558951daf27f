"""Whether an error says, in whatever words, that the prompt does not fit the model's context. Pure.

A rule over nouns, words of excess and figures: what a context is called, or what was sent, and that it is too much.
"""

from __future__ import annotations

import re

_CODES = re.compile(
    r"exceed_context_size|context_length_exceeded|context_?window_?exceeded|max_prompt_tokens_exceeded"
    r"|string_above_max_length|model_context_window_exceeded|request_too_large",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"\bmax_(?!\w*(?:context|model|seq|prompt|input|position))\w+", re.IGNORECASE)
"""Limits of the answer by their names: that one of them is too large is not about the prompt."""
_ELSE = re.compile(
    r"per[ -](?:second|minute|min|hour|day|month)\b|\b[rt]p[smhd]\b|rate.?limit|quota"
    r"|\barray\b|\belements\b|\bentity\b|\b(?:request|message) body\b|\bpayload\b",
    re.IGNORECASE,
)
"""Limits of another sort: on a time, on the number of messages, on bytes."""
_CONTEXT = re.compile(
    r"\bcontext\w*|\bn_ctx\b|\bmax_(?:model|seq|position)\w*|\bsequence length|\bmodel length", re.IGNORECASE
)
_SENT = re.compile(
    r"\b(?:prompt|inputs?|messages?|requests?|conversation|query|question|history|text|content|chat)\b|\w*_prompt\w*",
    re.IGNORECASE,
)
_SIZE = re.compile(r"token|length|\bsize|\bcharacters?\b|\blong\b", re.IGNORECASE)
_EXCESS = re.compile(
    r"exceed|overflow|\b(?:too|so) (?:long|large|big|many)|\b(?:long|larg|great|bigg|few|high)er than"
    r"|\b(?:more|less) than|\bnot enough|\bover (?:the|its)|\b(?:do|does|did|can|will)(?: not|n.t|not) fit"
    r"|\bmax(?:imum)?\b|\blimit|\bat most|\breduce|\bshort(?:er|en)|\btruncat|\bonly\b|\bcannot\b|\bno more"
    r"|\bout of range|\brange of|\ballowed|[<>]=?|\bfull\b|\bsurpass|\bbeyond|\bran out",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"(?:prompt|inputs?|messages?|request|conversation|query|history|text|context)\b[^.;]{0,40}?"
    r"\btoo (?:long|large|big)|too (?:long|large|big|many) (?:an? )?(?:prompt|input|message|tokens|request|context)"
    r"|(?:too many|exceeds? \w* ?)(?:input |prompt )?tokens|(?:reduce|shorten|shorter)\b.{0,40}?"
    r"(?:prompt|input|messages?|conversation|history|context)",
    re.IGNORECASE | re.DOTALL,
)
_FIGURE = re.compile(r"[0-9]{3,}|[0-9]+[kK]\b")


def says_overflow(told: str) -> bool:
    """True for an error's text and codes that mean a prompt too long for the model."""
    if _CODES.search(told):
        return True
    text = _PARAMETER.sub(" ", told)
    if _ELSE.search(text) or not _EXCESS.search(text):
        return False
    if _CONTEXT.search(text) and (_SIZE.search(text) or "window" in text.lower()):
        return True
    if _TOO_LONG.search(text):
        return True
    return bool(_SENT.search(text) and _SIZE.search(text) and _FIGURE.search(text))
