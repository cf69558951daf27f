"""From a model's reply to the files that a task asked for. Pure; never raises, whatever the text.

A reply that is source code as a whole is taken whole. Otherwise files are fenced blocks (``fences``), each read for
its language and its name (``readings``). For each expected file the blocks that could be it are looked for in three
rounds, and the first round that finds one decides, closed blocks before an unclosed one:

1. blocks that name the file and have no other language's label, blocks labelled with the file's language, and
   unlabelled blocks that parse as it and define or import something;
2. unlabelled blocks that do not parse and yet define something: a broken answer is an answer;
3. the only block labelled with the language, although it names a file that nobody asked for.

Of several in one round, ``candidates.best`` tells which: the last whole one, in short. Where one language has
several expected files, a block has to name its file, unless all the others are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pytest_llmbench.llm import fences, readings, syntax
from pytest_llmbench.llm.candidates import Candidate, best, unescaped
from pytest_llmbench.llm.filenames import Wanted
from pytest_llmbench.llm.languages import language_of_block, language_of_file, same_language
from pytest_llmbench.llm.readings import Reading
from pytest_llmbench.llm.reasoning import drop_reasoning

MOST_BLOCKS = 200
"""So many of the last blocks of a reply are looked at."""
MOST_NOTES = 20


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
    undone where code parses only without them.
    """
    wanted = Wanted(expected)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text, notes = drop_reasoning(text)
    whole = _whole(text, wanted)
    if whole is not None:
        return Extraction(whole.files, whole.took, notes + whole.notes)
    found = _search(fences.scan(text), wanted)
    if not found.files and not found.notes and readings.is_diff(text, wanted):
        return Extraction({}, (), (*notes, "the reply is a diff, not a file"))
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


def _search(blocks: list[fences.Block], wanted: Wanted) -> Extraction:
    """Look into the blocks; and into the blocks inside a Markdown or unlabelled one, if that finds nothing."""
    found = _Search(blocks[-MOST_BLOCKS:], wanted).run()
    if found.files or any(language_of_file(name) == "markdown" for name in wanted.names):
        return found
    for block in reversed(blocks[-MOST_BLOCKS:]):
        if language_of_block(block.info) in ("", "markdown"):
            inner = fences.scan(block.source, first_line=block.first_line + 1, first_number=len(blocks) + 1)
            inside = _Search(inner[-MOST_BLOCKS:], wanted).run()
            if inside.files:
                note = f"block {block.number} is a wrapper: looked at the blocks inside it"
                return Extraction(inside.files, inside.took, (note, *inside.notes))
    return found


class _Search:
    """One search for all expected files in some blocks."""

    def __init__(self, blocks: list[fences.Block], wanted: Wanted) -> None:
        self._wanted = wanted
        read = readings.read(blocks, wanted)
        self._readings = [reading for reading in read if not reading.no_file]
        self._passed = {
            reading.block.number: f"{_block(reading)} {reading.no_file}" for reading in read if reading.no_file
        }
        self._taken: dict[str, tuple[Candidate, str]] = {}

    def run(self) -> Extraction:
        """Search, round by round."""
        for round_ in (self._handed_in, self._broken, self._misnamed):
            for file in self._wanted.names:
                if file not in self._taken:
                    self._choose(file, round_)
        return self._result()

    def _choose(self, file: str, round_: Callable[[str], Iterator[Candidate]]) -> None:
        used = {candidate.block.number for candidate, _ in self._taken.values()}
        found = [candidate for candidate in round_(file) if candidate.block.number not in used]
        closed = [candidate for candidate in found if candidate.block.closed]
        if not found:
            return
        candidates = closed or found
        winner, passed = best(candidates)
        self._passed.update(passed)
        if winner.named:
            why = winner.what
        elif len(candidates) == 1:
            why = f"only {winner.what}"
        else:
            why = f"last {winner.what}" if winner is candidates[-1] else f"last whole {winner.what}"
        self._taken[file] = winner, why

    def _handed_in(self, file: str) -> Iterator[Candidate]:
        language = language_of_file(file)
        for reading in self._readings:
            if reading.name is not None:
                if reading.means(file):
                    yield Candidate(reading.block, language, named=True, what=reading.where)
            elif reading.label:
                if language and reading.suits(file) and self._free(reading, file):
                    yield Candidate(reading.block, language, named=False, what=f"{reading.label} block")
            elif self._free(reading, file):
                candidate = Candidate(
                    reading.block, language, named=False, what=f"unlabelled block that parses as {language}"
                )
                if syntax.is_file(candidate.source, language):
                    yield candidate

    def _broken(self, file: str) -> Iterator[Candidate]:
        language = language_of_file(file)
        for reading in self._readings:
            if not reading.label and reading.name is None and self._free(reading, file):
                candidate = Candidate(reading.block, language, named=False, what="unlabelled block that could be it")
                if candidate.outline.defines or language not in syntax.GRAMMARS:
                    yield candidate

    def _misnamed(self, file: str) -> Iterator[Candidate]:
        language = language_of_file(file)
        same = [reading for reading in self._readings if language and same_language(reading.label, language)]
        if len(same) == 1 and self._free(same[0], file):
            name = same[0].name
            if name is not None and name.wanted is None:
                what = f"{language} block, though it names {name.text}"
                yield Candidate(same[0].block, language, named=False, what=what)

    def _free(self, reading: Reading, file: str) -> bool:
        """Whether a block that names no expected file can be no other of them than this one."""
        return all(
            other == file or not reading.suits(other) or any(named.means(other) for named in self._readings)
            for other in self._wanted.names
        )

    def _result(self) -> Extraction:
        files: dict[str, str] = {}
        took: list[Taken] = []
        notes: list[str] = []
        used = {candidate.block.number for candidate, _ in self._taken.values()}
        for name in self._wanted.names:
            if name not in self._taken:
                continue
            candidate, why = self._taken[name]
            block = candidate.block
            files[name] = candidate.source.rstrip("\n") + "\n"
            took.append(Taken(name, block.number, block.first_line + 1, block.last_line, block.info, why))
            if not block.closed:
                notes.append(f"block {block.number} is not closed")
            if candidate.source != block.source:
                notes.append(f"HTML entities unescaped in block {block.number}")
        for reading in self._readings:
            if reading.block.number not in used:
                self._passed.setdefault(reading.block.number, self._stranger(reading))
        notes += (text for number, text in sorted(self._passed.items()) if number not in used)
        if files:
            notes += (f"no block for {name}" for name in self._wanted.names if name not in files)
        return Extraction(files, tuple(took), tuple(notes))

    def _stranger(self, reading: Reading) -> str:
        """Why a block that nobody weighed is none of the files."""
        languages = sorted({language_of_file(name) or name for name in self._wanted.names})
        asked = " or ".join(languages)
        if reading.label and not any(reading.suits(name) for name in self._wanted.names):
            return f"{_block(reading)} is {reading.label}, not {asked}"
        if reading.name is not None and reading.name.wanted is None:
            return f"{_block(reading)} names {reading.name.text}, which is not asked for"
        if not reading.block.closed:
            return f"{_block(reading)} is not closed"
        if sum(reading.suits(name) for name in self._wanted.names) > 1:
            return f"{_block(reading)} does not say which file it is"
        return f"{_block(reading)} is not recognised as {asked}"


def _block(reading: Reading) -> str:
    return f"block {reading.block.number}"


def _shortened(notes: tuple[str, ...]) -> tuple[str, ...]:
    if len(notes) <= MOST_NOTES:
        return notes
    return (*notes[:MOST_NOTES], f"and {len(notes) - MOST_NOTES} more")
