"""From a model's reply to the files that a task asked for. Pure; never raises, whatever the text.

Reasoning is dropped (``reasoning``). A reply that is source code as a whole is taken whole. Otherwise files are
fenced blocks (``fences``); which block is which file, ``selection`` tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_llmbench.extraction import syntax
from pytest_llmbench.extraction.extraction import Extraction, Taken
from pytest_llmbench.extraction.fences import Block
from pytest_llmbench.extraction.filenames import Wanted
from pytest_llmbench.extraction.judging import ParserJudge
from pytest_llmbench.extraction.languages import language_of_block, language_of_file
from pytest_llmbench.extraction.readings import is_diff, names
from pytest_llmbench.extraction.scanning import scan
from pytest_llmbench.extraction.selection import Selection
from pytest_llmbench.extraction.whole import whole_reply

LONGEST_REPLY = 1_000_000
"""Characters, thoughts included; a longer reply is not read: models write half of that at most."""
MOST_BLOCKS = 200
"""So many blocks of a reply are looked at."""
MOST_TEXT = 400_000
"""Characters of a reply that parsers are given: hostile ones cost them seconds per 100 000."""
MOST_NOTES = 20
LONGEST_NOTE = 200
"""Characters; the names and labels that notes quote are the model's."""


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
    whole = whole_reply(text, wanted)
    if whole is not None:
        return whole
    judge = ParserJudge(wanted)
    blocks = scan(text, judge)
    looked_at, room = _within(blocks, wanted, MOST_TEXT)
    first = [block for block in looked_at if not block.made_up]
    found = _search(first, wanted, room, judge)
    if len(first) < len(looked_at):
        everything = found if len(found.files) == len(wanted.names) else _search(looked_at, wanted, room, judge)
        if len(everything.files) > len(found.files):
            found = everything
        else:
            notes = (*notes, f"the reply ends before block {looked_at[len(first)].number}: a token says so")
    if len(looked_at) < len(blocks):
        notes = (*notes, f"only {len(looked_at)} of {len(blocks)} blocks were looked at")
    if not blocks and is_diff(text, wanted):
        notes = (*notes, "the reply is a diff, not a file")
    return Extraction(found.files, found.took, _shortened((*notes, *found.notes)))


def _within(blocks: list[Block], wanted: Wanted, room: int) -> tuple[list[Block], int]:
    """As many blocks as can be looked at, in order, and the room that they leave for more text.

    Those that name an expected file come before the others, and the last before the first.
    """
    if len(blocks) <= MOST_BLOCKS and sum(map(_cost, blocks)) <= room:
        return blocks, room - sum(map(_cost, blocks))
    chosen: dict[int, Block] = {}
    for block in sorted(blocks, key=lambda block: (names(block, wanted) is None, -block.number)):
        if len(chosen) < MOST_BLOCKS and _cost(block) <= room:
            chosen[block.number] = block
            room -= _cost(block)
    return [chosen[number] for number in sorted(chosen)], room


def _cost(block: Block) -> int:
    """Characters that parsers will be given of it."""
    return len(block.source) if len(block.source) <= syntax.LONGEST else 0


def _search(blocks: list[Block], wanted: Wanted, room: int, judge: ParserJudge) -> Extraction:
    """Look into the blocks; and into the blocks inside a Markdown or unlabelled one, if that finds nothing."""
    found = _from_blocks(blocks, wanted)
    if found.files or any(language_of_file(name) == "markdown" for name in wanted.names):
        return found
    for block in reversed(blocks):
        if language_of_block(block.info) in ("", "markdown"):
            number = blocks[-1].number + 1
            inner = scan(block.source, judge, first_line=block.first_line + 1, first_number=number)
            looked_at, room = _within(inner, wanted, room)
            inside = _from_blocks(looked_at, wanted)
            if inside.files:
                note = f"block {block.number} is a wrapper: looked at the blocks inside it"
                return Extraction(inside.files, inside.took, (note, *inside.notes))
    return found


def _from_blocks(blocks: list[Block], wanted: Wanted) -> Extraction:
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
        if block.note:
            notes.append(f"block {block.number}: {block.note}")
        if pick.candidate.was_escaped:
            notes.append(f"HTML entities unescaped in block {block.number}")
    return Extraction(files, tuple(took), (*notes, *selection.notes))


def _shortened(notes: tuple[str, ...]) -> tuple[str, ...]:
    """The first of the notes, each of bounded length, and the number of the others."""
    short = [note if len(note) <= LONGEST_NOTE else f"{note[:LONGEST_NOTE]}..." for note in notes[:MOST_NOTES]]
    return (*short, f"and {len(notes) - MOST_NOTES} more") if len(notes) > MOST_NOTES else tuple(short)
