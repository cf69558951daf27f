"""Programming languages by file ending and by the label of a code block. Pure."""

from __future__ import annotations

import re

from pytest_llmbench.schema.languages import BY_ENDING, LANGUAGES

_LABELS = {
    **{
        label: language.name for language in LANGUAGES for label in (*language.endings, language.name, *language.labels)
    },
    "cs": "c#",
    "patch": "diff",
    "udiff": "diff",
    # Labels that say nothing.
    **dict.fromkeys(("txt", "text", "plain", "plaintext", "code", "none"), ""),
}
_TYPESCRIPTS = {"typescript", "tsx"}
_SPLIT_INFO = re.compile(r"""[\s"'`={}(),;:]+""")


def same_language(one: str, other: str) -> bool:
    """Whether a block labelled as one language can be a file of the other."""
    return one == other or {one, other} == _TYPESCRIPTS


def language_of_file(name: str) -> str:
    """Language of a file by its ending; ``""`` when unknown."""
    language = BY_ENDING.get(name.replace("\\", "/").rpartition("/")[2].rpartition(".")[2].lower())
    return language.name if language else ""


def looks_like_file(token: str) -> bool:
    """Whether a word is a file name with an ending that is known."""
    stem, dot, _ = token.rpartition(".")
    return bool(dot) and stem not in ("", ".", "..") and stem[-1] not in "/\\" and bool(language_of_file(token))


def info_pieces(info: str) -> list[str]:
    """The words of an info string: ``js:queue.js`` has two, ``python title="top_k.py"`` three."""
    return [piece for piece in _SPLIT_INFO.split(info) if piece]


def language_of_block(info: str) -> str:
    """Language that an info string states; ``""`` when it states none."""
    pieces = info_pieces(info)
    if not pieces:
        return ""
    label = pieces[0].lower().removeprefix(".").removeprefix("language-").removeprefix("lang-")
    for known in (label, label.rstrip("0123456789.")):
        if known in _LABELS:
            return _LABELS[known]
    for piece in pieces:
        if looks_like_file(piece):
            return language_of_file(piece)
    return "" if label.isdigit() else label
