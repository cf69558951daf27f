"""From a model's reply to the files that a task asked for. Pure; never raises, whatever the text.

Reasoning is dropped (``reasoning``). A reply that is source code as a whole is taken whole. Otherwise files are
fenced blocks (``fences``); which block is which file, ``selection`` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_llmbench.extraction import fences, syntax
from pytest_llmbench.extraction.candidates import unescaped
from pytest_llmbench.extraction.filenames import Wanted
from pytest_llmbench.extraction.languages import language_of_block, language_of_file
from pytest_llmbench.extraction.readings import is_diff, names
from pytest_llmbench.extraction.selection import Selection

LONGEST_REPLY = 1_000_000
"""Characters, thoughts included; a longer reply is not read: models write half of that at most."""
MOST_BLOCKS = 200
"""So many blocks of a reply are looked at."""
MOST_TEXT = 400_000
"""Characters of a reply that parsers are given: hostile ones cost them seconds per 100 000."""
MOST_NOTES = 20
LONGEST_NOTE = 200
"""Characters; the names and labels that notes quote are the model's."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Where a file was found. Lines are counted from 1."""

    name: str
    """The expected name."""
    block: int
    """Number of the block, from 1; 0: the whole reply."""
    start_line: int
    """First line of code in the reply."""
    end_line: int
    """Last line of code in the reply."""
    info: str
    """The block's info string."""
    why: str
    """A short sentence."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """The files found in a reply."""

    files: dict[str, str]
    """Expected name to source, which ends in exactly one newline; the missing ones are not in it."""
    took: tuple[Taken, ...] = ()
    notes: tuple[str, ...] = ()
    """What was passed over or changed, and why."""

    @property
    def no_code(self) -> bool:
        """True when the reply holds none of the expected files."""
        return not self.files


def extract(text: str, expected: Sequence[str]) -> Extraction:
    r"""Find the expected files in a reply.

    Nothing is returned that the model did not write, but for line ends (``\n``), and for HTML escapes, which are
    undone where code parses only without them. The work is linear in the length of the text, and bounded: of a reply
    beyond ``LONGEST_REPLY`` nothing is read, and the notes say so.
    """
    if len(text) > LONGEST_REPLY:
        return Extraction({}, notes=(f"over budget: a reply of more than {LONGEST_REPLY:,} characters is not read",))
    try:
        return _extract(text, Wanted(expected))
    finally:
        syntax.forget()


def _extract(text: str, wanted: Wanted) -> Extraction:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    notes: tuple[str, ...] = ()
    whole = _whole(text, wanted)
    if whole is not None:
        return whole
    blocks = fences.scan(text)
    looked_at, room = _within(blocks, wanted, MOST_TEXT)
    found = _search(looked_at, wanted, room)
    if len(looked_at) < len(blocks):
        notes = (*notes, f"only {len(looked_at)} of {len(blocks)} blocks were looked at")
    if not blocks and is_diff(text, wanted):
        notes = (*notes, "the reply is a diff, not a file")
    return Extraction(found.files, found.took, _shortened((*notes, *found.notes)))


def _whole(text: str, wanted: Wanted) -> Extraction | None:
    """The reply as one file without any fence, if it is beyond doubt the source of exactly one expected file."""
    source = text.strip("\n") + "\n"
    if source.lstrip().startswith(("```", "~~~")):
        return None  # three backquotes are a template string to JavaScript
    languages = [language_of_file(name) for name in wanted.names]
    found = [
        (name, code)
        for name, language in zip(wanted.names, languages, strict=True)
        if languages.count(language) == 1 and syntax.is_file(code := unescaped(source, language), language)
    ]
    if len(found) != 1:
        return None
    ((name, code),) = found
    start = len(text) - len(text.lstrip("\n")) + 1
    why = f"whole reply parses as {language_of_file(name)}, no fence"
    taken = Taken(name, 0, start, start + source.count("\n") - 1, "", why)
    return Extraction({name: code}, (taken,), ("HTML entities unescaped",) if code != source else ())


def _within(blocks: list[fences.Block], wanted: Wanted, room: int) -> tuple[list[fences.Block], int]:
    """As many blocks as can be looked at, in order, and the room that they leave for more text.

    Those that name an expected file come before the others, and the last before the first.
    """
    if len(blocks) <= MOST_BLOCKS and sum(map(_cost, blocks)) <= room:
        return blocks, room - sum(map(_cost, blocks))
    chosen: dict[int, fences.Block] = {}
    for block in sorted(blocks, key=lambda block: (names(block, wanted) is None, -block.number)):
        if len(chosen) < MOST_BLOCKS and _cost(block) <= room:
            chosen[block.number] = block
            room -= _cost(block)
    return [chosen[number] for number in sorted(chosen)], room


def _cost(block: fences.Block) -> int:
    """Characters that parsers will be given of it."""
    return len(block.source) if len(block.source) <= syntax.LONGEST else 0


def _search(blocks: list[fences.Block], wanted: Wanted, room: int) -> Extraction:
    """Look into the blocks; and into the blocks inside a Markdown or unlabelled one, if that finds nothing."""
    found = _from_blocks(blocks, wanted)
    if found.files or any(language_of_file(name) == "markdown" for name in wanted.names):
        return found
    for block in reversed(blocks):
        if language_of_block(block.info) in ("", "markdown"):
            inner = fences.scan(block.source, first_line=block.first_line + 1, first_number=blocks[-1].number + 1)
            looked_at, room = _within(inner, wanted, room)
            inside = _from_blocks(looked_at, wanted)
            if inside.files:
                note = f"block {block.number} is a wrapper: looked at the blocks inside it"
                return Extraction(inside.files, inside.took, (note, *inside.notes))
    return found


def _from_blocks(blocks: list[fences.Block], wanted: Wanted) -> Extraction:
    """What a selection among the blocks finds."""
    selection = Selection(blocks, wanted)
    files: dict[str, str] = {}
    took: list[Taken] = []
    notes: list[str] = []
    for name, pick in selection.picks.items():
        block, source = pick.candidate.block, pick.candidate.source
        files[name] = source.rstrip("\n") + "\n"
        took.append(Taken(name, block.number, block.first_line + 1, block.last_line, block.info, pick.why))
        if not block.closed:
            notes.append(f"block {block.number} is not closed")
        if source != block.source:
            notes.append(f"HTML entities unescaped in block {block.number}")
    return Extraction(files, tuple(took), (*notes, *selection.notes))


def _shortened(notes: tuple[str, ...]) -> tuple[str, ...]:
    """The first of the notes, each of bounded length, and the number of the others."""
    short = [note if len(note) <= LONGEST_NOTE else f"{note[:LONGEST_NOTE]}..." for note in notes[:MOST_NOTES]]
    return (*short, f"and {len(notes) - MOST_NOTES} more") if len(notes) > MOST_NOTES else tuple(short)
