"""Languages in which files and code blocks are written: one table. What runs them is in ``toolchains``."""

from __future__ import annotations

from typing import NamedTuple


class Language(NamedTuple):
    """One language."""

    name: str
    """Also that of its grammar in ast-grep."""
    endings: tuple[str, ...]
    """File endings without the dot; each is a label of code blocks too."""
    labels: tuple[str, ...] = ()
    """Further labels of code blocks."""
    identifiers: tuple[str, ...] = ()
    """Kinds of nodes in the grammar that are identifiers; empty: its code is not parsed to judge a reply by it."""
    searchable: bool = False
    """Whether tasks may search its files by its grammar."""


_TYPED = ("identifier", "type_identifier")
LANGUAGES = (
    Language("python", ("py", "pyi"), ("python3", "py3"), ("identifier",), searchable=True),
    Language(
        "javascript",
        ("js", "mjs", "cjs", "jsx"),
        ("node", "nodejs", "node.js", "ecmascript"),
        ("identifier",),
        searchable=True,
    ),
    Language("typescript", ("ts", "mts", "cts"), (), _TYPED, searchable=True),
    Language("tsx", ("tsx",), (), _TYPED, searchable=True),
    Language("rust", ("rs",), (), _TYPED, searchable=True),
    Language("go", ("go",), ("golang",), _TYPED, searchable=True),
    Language("ruby", ("rb",), searchable=True),
    Language("java", ("java",), searchable=True),
    Language("c", ("c", "h"), searchable=True),
    Language("cpp", ("cpp", "cc", "hpp"), ("c++",), searchable=True),
    Language("html", ("html", "htm")),
    Language("css", ("css",)),
    Language("json", ("json",), ("jsonc",)),
    Language("yaml", ("yaml", "yml")),
    Language("toml", ("toml", "lock")),
    Language("markdown", ("md", "markdown"), ("mdx",)),
    Language("shell", ("sh", "bash"), ("zsh", "console", "terminal", "powershell", "shell-session")),
    Language("sql", ("sql",)),
    Language("make", ("makefile", "mk")),
    Language("docker", ("dockerfile",)),
    Language("text", ("txt",)),
    Language("other", ("mod", "sum", "cfg", "ini", "xml", "env")),
)
BY_ENDING = {ending: language for language in LANGUAGES for ending in language.endings}
