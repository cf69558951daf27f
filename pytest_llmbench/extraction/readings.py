"""What each block of a reply is: a file of some language, with or without a name, or no file at all. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pytest_llmbench.extraction import syntax
from pytest_llmbench.extraction.fences import Block
from pytest_llmbench.extraction.filenames import Name, Wanted
from pytest_llmbench.extraction.headings import Headless, headless
from pytest_llmbench.extraction.languages import (
    ending_of,
    info_pieces,
    language_of_block,
    language_of_file,
    suits,
    suits_named,
)

_DIFF = re.compile(r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@|^--- \S.*\n\+\+\+ \S|^<{5,9} SEARCH$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reading:
    """A block with its label and its name."""

    block: Block
    label: str
    """Language that its info string states; empty when it states none."""
    name: Name | None = None
    """The file it says it is."""
    where: str = ""
    """How it says so."""
    no_file: str = ""
    """Set when it is no file, with the reason."""

    def suits(self, file: str) -> bool:
        """Whether nothing in the label speaks against it being that file."""
        return suits(self.label, file)

    def means(self, file: str) -> bool:
        """Whether it names that expected file and is not labelled as something else altogether."""
        return self.name is not None and self.name.wanted == file and suits_named(self.label, file)

    def states(self, file: str) -> bool:
        """Whether its label is that of the file, be it the bare ending of a language that is not known."""
        if self.label:
            return self.suits(file)
        words = info_pieces(self.block.info)
        return bool(words) and words[0].lower() == ending_of(file)


def is_diff(text: str, wanted: Wanted) -> bool:
    """Whether text is a patch, and not a program that deals with patches."""
    return bool(_DIFF.search(text)) and not any(syntax.parses(text, language_of_file(name)) for name in wanted.names)


def names(block: Block, wanted: Wanted) -> str | None:
    """The expected file that a block says it is; found without a parser."""
    name, _ = _name(block, language_of_block(block.info), wanted)
    return name.wanted if name is not None else None


def read(blocks: Iterable[Block], wanted: Wanted) -> list[Reading]:
    """Read every block."""
    return [_read(block, wanted) for block in blocks]


def _read(block: Block, wanted: Wanted) -> Reading:
    label = language_of_block(block.info)
    if not block.source.strip():
        return Reading(block, label, no_file="is empty")
    if label == "diff" or is_diff(block.source, wanted):
        return Reading(block, label, no_file="is a diff, not a file")
    if wanted.several_in(block.source):
        return Reading(block, label, no_file="holds several files: each needs its own block")
    head = headless(block.source, label, wanted)
    block, label = _without_head(block, head), label or head.label
    name, where = _name(block, label, wanted, head.name)
    return Reading(block, label, name, where)


def _without_head(block: Block, head: Headless) -> Block:
    if not head.lines:
        return block
    note = "; ".join(filter(None, (block.note, "a label at the head of the code is left out")))
    return replace(block, first_line=block.first_line + head.lines, source=head.source, note=note)


def _name(block: Block, label: str, wanted: Wanted, head: Name | None = None) -> tuple[Name | None, str]:
    """The file that a block says it is, and where it says so.

    A file named above that does not go with the label is another matter: ``top_k.py`` above a shell block.
    """
    above = wanted.above(block.above)
    if above is not None and not suits_named(label, above.wanted or above.text):
        above = None
    for name, where in (
        (wanted.in_info(block.info), "named in the info string"),
        (head, "named in the first line of its block"),
        (above, "named in the line above"),
        (wanted.in_comment(block.source), "named in the first line of code"),
    ):
        if name is not None:
            return name, where
    mentioned = wanted.mentioned(block.above)
    rivals = sum(suits(label, file) for file in wanted.names)
    if mentioned and rivals > 1 and suits(label, mentioned):
        return Name(mentioned, mentioned), "mentioned in the line above"
    return None, ""
