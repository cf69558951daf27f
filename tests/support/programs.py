"""Small right programs in many languages, with a wrong draft and an example of use for each: ``programs.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """What a task asks for, and what a model may write beside it."""

    language: str
    files: dict[str, str]
    labels: dict[str, list[str]]
    """Of each file, the labels that its block may have."""
    draft: str
    usage: str = ""
    comment: str = ""
    """How a comment begins; empty: names do not stand in comments."""
    parsed: bool = True
    """Whether a parser decides about its code."""
    escapes: bool = True
    """Whether its code does not parse with HTML escapes in it."""
    label_line: bool = False
    """Whether the language's name may stand on a line of its own above the code."""


PROGRAMS = tuple(
    Program(**each)
    for each in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["programs"]
)
