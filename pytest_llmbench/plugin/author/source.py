"""Structural search in submitted files: by pattern with ast-grep, or over Python's own syntax tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.extraction.trees import TooLargeError, parsed, parsed_python
from pytest_llmbench.plugin.runtest.cpu_budget import OverBudget
from pytest_llmbench.schema.languages import BY_ENDING

if TYPE_CHECKING:
    import ast

    from ast_grep_py import SgNode

_LANGUAGES = {f".{ending}": language.name for ending, language in BY_ENDING.items() if language.searchable}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One submitted file.

    A file that does not parse, or that is too large or nested too deeply to be looked into (``extraction.trees``), is
    the model's fault: looking into it is a missed point.
    """

    name: str
    text: str

    @property
    def python(self) -> ast.Module:
        """Python's syntax tree; a missed point when the text is no Python."""
        try:
            return parsed_python(self.text)
        except TooLargeError as error:
            raise OverBudget(f"{self.name} {error}") from None
        except (SyntaxError, ValueError) as error:
            pytest.fail(f"{self.name} is not valid Python: {error}", pytrace=False)

    @property
    def root(self) -> SgNode:
        """ast-grep's root node; the language goes by the file's ending."""
        try:
            return _root(self.text, self.language)
        except TooLargeError as error:
            raise OverBudget(f"{self.name} {error}") from None

    @property
    def language(self) -> str:
        """ast-grep's name of the language; raises ``HarnessError`` for an ending it does not know."""
        suffix = PurePosixPath(self.name).suffix
        if suffix not in _LANGUAGES:
            raise HarnessError(f"source({self.name!r}): no parser for {suffix!r}; known: {', '.join(_LANGUAGES)}.")
        return _LANGUAGES[suffix]

    def find_all(self, pattern: str | None = None, **rule: Any) -> list[SgNode]:
        """Every node that matches an ast-grep pattern (``"sorted($$$ARGS)"``) or rule (``kind="import_statement"``)."""
        if pattern is not None:
            rule["pattern"] = pattern
        return self.root.find_all(**rule)


@lru_cache(maxsize=4)
def _root(text: str, language: str) -> SgNode:
    """Kept, because a grader looks into one file many times."""
    return parsed(text, language)


class SourceFinder:
    """The submitted files by name."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def __call__(self, name: str) -> SourceFile:
        """One file; a missed point when it was not handed in."""
        if name not in self._files:
            pytest.fail(f"{name} was not handed in", pytrace=False)
        return SourceFile(name, self._files[name])
