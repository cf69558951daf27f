"""Programming languages by file ending and by the label of a code block. Pure."""

from __future__ import annotations

import re

_EXTENSIONS = {
    "python": "py pyi",
    "javascript": "js mjs cjs jsx",
    "typescript": "ts mts cts",
    "tsx": "tsx",
    "rust": "rs",
    "go": "go",
    "ruby": "rb",
    "java": "java",
    "c": "c h",
    "cpp": "cpp cc hpp",
    "html": "html htm",
    "css": "css",
    "json": "json",
    "yaml": "yaml yml",
    "toml": "toml lock",
    "markdown": "md markdown",
    "shell": "sh bash",
    "sql": "sql",
    "make": "makefile mk",
    "docker": "dockerfile",
    "text": "txt",
    "other": "mod sum cfg ini xml env",
}
_LANGUAGE_OF = {extension: language for language, names in _EXTENSIONS.items() for extension in names.split()}
_ALIASES = {
    **_LANGUAGE_OF,
    **{language: language for language in _EXTENSIONS},
    "python3": "python",
    "py3": "python",
    "node": "javascript",
    "nodejs": "javascript",
    "node.js": "javascript",
    "ecmascript": "javascript",
    "golang": "go",
    "c++": "cpp",
    "cs": "c#",
    "jsonc": "json",
    "mdx": "markdown",
    "zsh": "shell",
    "console": "shell",
    "terminal": "shell",
    "powershell": "shell",
    "shell-session": "shell",
    "patch": "diff",
    "udiff": "diff",
    # Labels that say nothing.
    "txt": "",
    "text": "",
    "plain": "",
    "plaintext": "",
    "code": "",
    "none": "",
}
_TYPESCRIPTS = {"typescript", "tsx"}
_SPLIT_INFO = re.compile(r"""[\s"'`={}(),;:]+""")


def same_language(one: str, other: str) -> bool:
    """Whether a block labelled as one language can be a file of the other."""
    return one == other or {one, other} == _TYPESCRIPTS


def language_of_file(name: str) -> str:
    """Language of a file by its ending; ``""`` when unknown."""
    return _LANGUAGE_OF.get(name.replace("\\", "/").rpartition("/")[2].rpartition(".")[2].lower(), "")


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
        if known in _ALIASES:
            return _ALIASES[known]
    for piece in pieces:
        if looks_like_file(piece):
            return language_of_file(piece)
    return "" if label.isdigit() else label
