"""Which block of a reply is which of the expected files. Pure.

For each expected file the blocks that could be it are looked for in three rounds, and the first round that finds one
decides, closed blocks before an unclosed one:

1. blocks that name the file and have no other language's label, blocks labelled with the file's language, and
   unlabelled blocks that parse as it and define or import something;
2. unlabelled blocks that do not parse and yet define something: a broken answer is an answer;
3. the only block labelled with the language, although it names a file that nobody asked for.

Of several in one round, ``candidates.best`` tells which: the last whole one, in short. Where one language has
several expected files, a block has to name its file, unless all the others are found without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_llmbench.extraction import syntax
from pytest_llmbench.extraction.candidates import Candidate, best
from pytest_llmbench.extraction.fences import Block
from pytest_llmbench.extraction.filenames import Wanted
from pytest_llmbench.extraction.languages import ending_of, language_of_file, same_language, suits
from pytest_llmbench.extraction.readings import Reading, read


@dataclass(frozen=True, slots=True)
class Pick:
    """The block taken for a file."""

    candidate: Candidate
    why: str
    """A short sentence."""


class Selection:
    """The blocks that are the expected files, and why the others are not."""

    def __init__(self, blocks: list[Block], wanted: Wanted) -> None:
        self._wanted = wanted
        everything = read(blocks, wanted)
        self._readings = [reading for reading in everything if not reading.no_file]
        self._passed = {
            reading.block.number: f"{_block(reading)} {reading.no_file}" for reading in everything if reading.no_file
        }
        self._picks: dict[str, Pick] = {}
        for round_ in (self._handed_in, self._broken, self._misnamed):
            for file in wanted.names:
                if file not in self._picks:
                    self._choose(file, round_)

    @property
    def picks(self) -> dict[str, Pick]:
        """The files found, in the order they are expected in."""
        return {name: self._picks[name] for name in self._wanted.names if name in self._picks}

    @property
    def notes(self) -> list[str]:
        """A sentence on every block that is none of the files, and on every file without a block."""
        used = self._used()
        strangers = {reading.block.number: self._stranger(reading) for reading in self._readings}
        told = sorted((strangers | self._passed).items())
        notes = [sentence for number, sentence in told if number not in used]
        if self._picks:
            notes += (f"no block for {name}" for name in self._wanted.names if name not in self._picks)
        return notes

    def _used(self) -> set[int]:
        return {pick.candidate.block.number for pick in self._picks.values()}

    def _choose(self, file: str, round_: Callable[[str], Iterator[Candidate]]) -> None:
        used = self._used()
        found = [candidate for candidate in round_(file) if candidate.block.number not in used]
        closed = [candidate for candidate in found if candidate.block.closed]
        if not found:
            return
        candidates = closed or found
        winner, passed = best(candidates)
        if round_ == self._handed_in and self._is_use(file, winner):
            return
        self._passed.update(passed)
        if winner.named:
            why = winner.what
        elif len(candidates) == 1:
            why = f"only {winner.what}"
        else:
            why = f"last {winner.what}" if winner is candidates[-1] else f"last whole {winner.what}"
        self._picks[file] = Pick(winner, why)

    def _handed_in(self, file: str) -> Iterator[Candidate]:
        language = language_of_file(file)
        for reading in self._readings:
            if reading.name is not None:
                if reading.means(file):
                    yield Candidate(reading.block, language, named=True, what=reading.where)
            elif reading.label or reading.states(file):
                if reading.states(file) and self._free(file, reading.label):
                    what = f"{reading.label or ending_of(file)} block"
                    yield Candidate(reading.block, language, named=False, what=what)
            elif self._free(file, language):
                candidate = Candidate(
                    reading.block, language, named=False, what=f"unlabelled block that parses as {language}"
                )
                if syntax.is_file(candidate.source, language):
                    yield candidate

    def _broken(self, file: str) -> Iterator[Candidate]:
        language = language_of_file(file)
        for reading in self._readings:
            if not reading.label and reading.name is None and self._free(file, reading.label):
                candidate = Candidate(reading.block, language, named=False, what="unlabelled block that could be it")
                if candidate.outline.defines or language not in syntax.GRAMMARS:
                    yield candidate

    def _misnamed(self, file: str) -> Iterator[Candidate]:
        language = language_of_file(file)
        same = [reading for reading in self._readings if language and same_language(reading.label, language)]
        strangers = [reading for reading in same if reading.name is not None and reading.name.wanted is None]
        if len(strangers) == 1 and self._free(file, strangers[0].label):
            what = f"{language} block, though it names {strangers[0].name.text if strangers[0].name else ''}"
            candidate = Candidate(strangers[0].block, language, named=False, what=what)
            others = [
                Candidate(each.block, language, named=False, what="") for each in same if each is not strangers[0]
            ]
            if all(other.is_use_of(candidate) for other in others):
                yield candidate

    def _is_use(self, file: str, winner: Candidate) -> bool:
        """Whether that is no file but an example of how to use one, which names another file than the expected."""
        return not winner.named and any(winner.is_use_of(candidate) for candidate in self._misnamed(file))

    def _free(self, file: str, label: str) -> bool:
        """Whether a block with this label that names no expected file can be no other of them than this one."""
        return all(
            other == file
            or other in self._picks
            or not suits(label, other)
            or any(reading.means(other) for reading in self._readings)
            for other in self._wanted.names
        )

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
