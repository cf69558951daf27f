"""Programming languages by file ending and by the label of a code block. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from pytest_llmbench.extraction.invisible import visible
from pytest_llmbench.schema.languages import BY_ENDING, LANGUAGES

NO_FILE = frozenset(("diff", "output", "mermaid"))
"""Labels of blocks that are no file of any task."""
_LABELS = {
    **{
        label: language.name for language in LANGUAGES for label in (*language.endings, language.name, *language.labels)
    },
    **dict.fromkeys(("patch", "udiff", "diff"), "diff"),
    **dict.fromkeys(("output", "stdout", "stderr", "traceback", "log"), "output"),
    **dict.fromkeys(("mermaid", "plantuml"), "mermaid"),
    # Labels that say nothing.
    **dict.fromkeys(("txt", "text", "plain", "plaintext", "code", "none", "other"), ""),
}
_HEADERS = frozenset(("h", "hh", "hpp", "hxx", "cxx"))
"""Endings that C and C++ share, whatever the table says."""
_TYPESCRIPTS = frozenset(("typescript", "tsx"))
_KINDRED = (
    frozenset(("c", "cpp", "objective-c", "cuda")),
    frozenset(("javascript", "typescript", "tsx")),
    frozenset(("json", "jsonl", "javascript", "yaml")),
    frozenset(("html", "svelte", "vue")),
    frozenset(("javascript", "svelte", "vue")),
    frozenset(("typescript", "svelte", "vue")),
    frozenset(("css", "scss")),
    frozenset(("groovy", "kotlin", "java", "scala")),
    frozenset(("csv", "tsv")),
    frozenset(("lisp", "scheme", "racket", "clojure")),
    frozenset(("make", "cmake", "shell")),
    frozenset(("shell", "batch", "powershell")),
)
"""Languages whose labels are used for each other; a name at the block then decides."""
_ANY_LABEL = frozenset(("", "other", "text", "csv", "tsv"))
"""Files of these languages are labelled as anything: ``go.mod`` as Go, a table as Python."""
_SPLIT_INFO = re.compile(r"""[\s"'`={}(),;:|]+|#(?=L\d)""")
_SPLIT_LABEL = re.compile(r"[-_/.]+")
_LONGEST_INFO = 200
_LONGEST_LABEL = 20


def same_language(one: str, other: str) -> bool:
    """Whether a block labelled as one language can be a file of the other."""
    return one == other or {one, other} == _TYPESCRIPTS


def suits(label: str, file: str) -> bool:
    """Whether a block labelled as that language may be that file: no other language that is known."""
    if not label:
        return True
    if ending_of(file) in _HEADERS and label in ("c", "cpp"):
        return True
    return same_language(label, language_of_file(file))


def suits_named(label: str, file: str) -> bool:
    """Whether a block with this label may be that file if it says so itself: a kindred label does not outweigh that."""
    language = language_of_file(file)
    if suits(label, file) or any(label in kin and language in kin for kin in _KINDRED):
        return True
    return language in _ANY_LABEL and label not in NO_FILE and (label != "shell" or ending_of(file) == "env")


def ending_of(name: str) -> str:
    """What stands behind the last dot of a file's name, in lower case; the whole name where it has none."""
    return name.replace("\\", "/").rpartition("/")[2].rpartition(".")[2].lower()


def language_of_file(name: str) -> str:
    """Language of a file by its name or ending; ``""`` when unknown."""
    language = BY_ENDING.get(name.replace("\\", "/").rpartition("/")[2].lower()) or BY_ENDING.get(ending_of(name))
    return language.name if language else ""


def looks_like_file(token: str) -> bool:
    """Whether a word is a file name with an ending that is known."""
    stem, dot, _ = token.rpartition(".")
    return bool(dot) and stem not in ("", ".", "..") and stem[-1] not in "/\\" and bool(language_of_file(token))


def info_pieces(info: str) -> list[str]:
    """The words of an info string: ``js:queue.js`` has two, ``python title="top_k.py"`` three."""
    plain = unicodedata.normalize("NFKC", visible(info[:_LONGEST_INFO]))
    return [piece for piece in _SPLIT_INFO.split(plain) if piece]


def language_of_block(info: str) -> str:
    """Language that an info string states; ``""`` when it states none that is known.

    The first word counts, as it is or without versions and suffixes (``python_3``, ``rust-lang``). If that says
    nothing, a file name or a later word does: ``lang=python``, ``{code-cell} ipython3``.
    """
    pieces = info_pieces(info)
    if not pieces:
        return ""
    first = _known(pieces[0])
    if first is not None:
        return first
    for piece in pieces:
        if looks_like_file(piece):
            return language_of_file(piece)
    return next((found for piece in pieces[1:] if len(piece) > 1 and (found := _known(piece))), "")


def label_of_line(line: str) -> str:
    """Language that a line of nothing but a label states, as copied from a chat page; ``""`` when it is no label."""
    word = visible(line).strip()
    if not word or len(word) > _LONGEST_LABEL or any(character.isspace() for character in word):
        return ""
    return _LABELS.get(word.lower()) or _LABELS.get(word.lower().rstrip("0123456789."), "")


def _known(word: str) -> str | None:
    """The language of one word; ``""`` of a word that says that it is none, None of one that is not known."""
    return next((_LABELS[form] for form in _forms(word.lower()) if form in _LABELS), None)


def _forms(word: str) -> Iterator[str]:
    """A label as written, then without what surrounds the language in it."""
    word = word.strip(".-_/\\<>[]*!").removeprefix("language-").removeprefix("lang-")
    yield word
    yield word.rstrip("0123456789.")
    yield word.rstrip("0123456789.-_+")
    yield word.replace("_", "-")
    parts = [part.rstrip("0123456789") for part in _SPLIT_LABEL.split(word)]
    yield from (part for part in parts if _LABELS.get(part) not in (None, "", "output"))
