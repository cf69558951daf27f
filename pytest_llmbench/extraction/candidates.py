"""A block as one expected file, and which of two such blocks is rather it. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pytest_llmbench.extraction import syntax
from pytest_llmbench.extraction.fences import Block

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_TIMES = 2
"""So often code may have been escaped."""


@dataclass(frozen=True)
class Candidate:
    """A block that could be an expected file."""

    block: Block
    language: str
    """Language of the file, not of the label."""
    named: bool
    """Whether the block names the file."""
    what: str
    """Why it could be the file: where it names it, or what kind of block it is."""

    @cached_property
    def source(self) -> str:
        """The code, freed of HTML escapes where it makes sense only so."""
        return unescaped(self.block.source, self.language)

    @property
    def was_escaped(self) -> bool:
        """Whether HTML escapes were undone in it."""
        return self.source != self.block.source

    @cached_property
    def outline(self) -> syntax.Outline:
        """What the code defines and uses."""
        return syntax.outline(self.source, self.language)

    def leans_on(self, other: Candidate) -> bool:
        """Whether it uses a name that only the other one defines."""
        return bool(self.outline.identifiers & (other.outline.names - self.outline.names))

    def is_use_of(self, other: Candidate) -> bool:
        """Whether it defines nothing, and uses what the other one defines."""
        return not self.outline.names and self.leans_on(other)

    def renews(self, other: Candidate) -> bool:
        """Whether it is the other one written anew: half of its names, a third of its lines of code."""
        ours, theirs = self.outline, other.outline
        return 2 * len(ours.names & theirs.names) >= len(theirs.names) and 3 * ours.lines >= theirs.lines

    def __str__(self) -> str:
        return f"block {self.block.number}"


def unescaped(source: str, language: str) -> str:
    """Code freed of HTML escapes, if it parses only without them; otherwise the code as it is.

    To Rust's macros anything is a token; but a string needs a quote that is none.
    """
    if not _ENTITY.search(source):
        return source
    if syntax.parses(source, language) and (language != "rust" or '"' in source):
        return source
    plain = source
    for _ in range(_TIMES):
        plain = _ENTITY.sub(lambda entity: html.unescape(entity[0]).replace("\xa0", " "), plain)
        if syntax.parses(plain, language):
            return plain
    return source


def best(candidates: Sequence[Candidate]) -> tuple[Candidate, dict[int, str]]:
    """The candidate that is the file, and for every other one (by block number) why it is not.

    The candidates are taken in order, and each is set against the best so far:

    - one that uses what only the other defines is an example, a test or an excerpt: the other one wins;
    - a later one that defines at least half of the other's top-level names again, in at least a third of its
      lines of code, is a new version: it wins;
    - of two that have less in common the longer one wins.

    One that names the file wins against one that does not, unless that is a later new version.
    """
    winner, *others = candidates
    passed: dict[int, str] = {}
    for later in others:
        winner, loser, reason = _duel(winner, later)
        passed[loser.block.number] = reason
    return winner, passed


def _duel(earlier: Candidate, later: Candidate) -> tuple[Candidate, Candidate, str]:
    """Winner, loser, and a sentence on the loser."""
    if later.named and not earlier.named:
        return later, earlier, f"{earlier} does not name the file, {later} does"
    if later.leans_on(earlier) and not earlier.leans_on(later):
        return earlier, later, f"{later} uses what {earlier} defines"
    if earlier.leans_on(later) and not later.leans_on(earlier) and not earlier.named:
        return later, earlier, f"{earlier} uses what {later} defines"
    comparable = bool(earlier.outline.names) or earlier.named == later.named
    if comparable and later.renews(earlier):
        again = "names the same file" if later.named else "is a new version of it"
        return later, earlier, f"{earlier} is a draft, {later} {again}"
    if earlier.named and not later.named:
        return earlier, later, f"{later} does not name the file, {earlier} does"
    shorter, longer = sorted((earlier, later), key=lambda one: one.outline.lines)
    return longer, shorter, f"{shorter} is a part or an aside, {longer} is longer"
