"""Parsers as judges of where a block begins and ends, within a budget. Pure."""

from __future__ import annotations

from pytest_llmbench.extraction import syntax
from pytest_llmbench.extraction.candidates import unescaped
from pytest_llmbench.extraction.filenames import Wanted
from pytest_llmbench.extraction.headings import headless
from pytest_llmbench.extraction.languages import language_of_block, language_of_file, suits

MOST_TEXT = 200_000
"""Characters of all readings of a reply together: hostile ones cost seconds per 100 000."""
MOST_READINGS = 200
_TEMPLATES = ("javascript", "typescript", "tsx")


class ParserJudge:
    """The languages of the expected files, and what their parsers say; see ``scanning.Judge``."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._room = MOST_TEXT
        self._readings = MOST_READINGS

    def weighs(self, info: str) -> bool:
        """Whether there is a parser for what a block with that info string may be, and budget left."""
        return self._room > 0 and self._readings > 0 and bool(self._languages(info))

    def quotes_back(self, info: str) -> bool:
        """Whether three backquotes are a string in the language of such a block."""
        return any(language in _TEMPLATES for language in self._languages(info))

    def nests(self, info: str) -> bool:
        """Whether such a block holds fences of its own."""
        return self.label(info) == "markdown"

    def label(self, info: str) -> str:
        """The known language of an info string."""
        return language_of_block(info)

    def accepts(self, info: str, source: str) -> bool:
        """Whether a block parses as what its label says; without a label, and defines or imports something."""
        if not source.strip() or not self._spend(source):
            return False
        code = headless(source, self.label(info), self._wanted).source
        says = syntax.parses if self.label(info) else syntax.is_file
        return any(says(unescaped(code, language), language) for language in self._languages(info))

    def is_file(self, source: str) -> bool:
        """Whether text without a fence is one of the expected files beyond doubt."""
        return self.accepts("", source)

    def _languages(self, info: str) -> list[str]:
        """Those with a parser that a block may be written in."""
        label = self.label(info)
        name = self._wanted.in_info(info)
        names = [name.wanted] if name is not None and name.wanted else self._wanted.names
        files = [language_of_file(each) for each in names if suits(label, each)]
        known = syntax.PARSED if label else syntax.GRAMMARS
        return [each for each in dict.fromkeys([label, *files]) if each in known]

    def _spend(self, source: str) -> bool:
        if self._room <= 0 or self._readings <= 0:
            return False
        self._room -= len(source)
        self._readings -= 1
        return len(source) <= syntax.LONGEST
