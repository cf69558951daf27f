"""Text of unknown origin made fit for a page: what would act is shown, what is long is cut and says so."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.text import printable

_ACTING = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
"""Characters that could end a script element; U+2028 and U+2029 are escapes already, as all that is not ASCII."""


def shown(text: str) -> str:
    """The text with line breaks and tabs as they are, which HTML shows, and anything else printable."""
    return printable(text, keep="\n\t")


def all_shown(value: Any) -> Any:
    """The same for every text in a JSON value, keys included."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {shown(str(key)): all_shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [all_shown(item) for item in value]
    return value


def json_block(value: Any) -> str:
    """A JSON value as ASCII text that cannot end the ``<script type="application/json">`` it stands in."""
    text = _compact(value)
    for character, escape in _ACTING.items():
        text = text.replace(character, escape)
    return text


def packed(value: Any) -> str:
    """A JSON value, gzipped and in base64; the same value gives the same text."""
    return base64.b64encode(gzip.compress(_compact(value).encode("ascii"), mtime=0)).decode("ascii")


def cut(text: str, limit: int) -> tuple[str, str]:
    """The first ``limit`` characters, and what to say about the rest; empty when nothing is missing."""
    if len(text) <= limit:
        return text, ""
    return text[:limit], f"cut here: the first {limit:,} of {len(text):,} characters are shown"


def link(key: AttemptKey) -> str:
    """Where an attempt's page is found: the fragment of an address, with everything odd in it encoded."""
    parts = (quote(part, safe="", errors="surrogatepass") for part in (key.task, key.model))
    return f"#attempt={'/'.join(parts)}/{key.epoch}"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
