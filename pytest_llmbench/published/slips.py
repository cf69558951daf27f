"""A published figure that does not follow from others, and the small arithmetic of finding them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from pytest_llmbench.measures.ranking import rank
from pytest_llmbench.schema.numbers import half_up

Row = Mapping[str, str]
"""Column -> text, as it stands in the file."""
Tables = Mapping[str, Sequence[Row]]
"""``six-tasks/leaderboard`` -> rows; a table that is not there is absent."""
Check = Callable[[Tables], Iterator["Discrepancy"]]

_STATED = re.compile(r"(?P<figure>\d+(?:\.\d+)?)(?P<bound>\+?)(?: \(ERR (?P<errors>[^)]*)\))?")


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One inconsistency. The figure stays as it is stated; nothing is repaired."""

    file: str
    """Path below the folder that was read."""
    row: str
    """What the row is of: a model, a bug; ``all`` for the table as a whole."""
    field: str
    """The column."""
    stated: str
    found: str
    """What the other figures make of it."""
    why: str


class Stated(NamedTuple):
    """A score as it is written: ``100``, ``83+``, ``76 (ERR Go)``."""

    figure: Fraction
    bound: bool
    """True: tasks are missing, so it is a lower bound."""
    errors: tuple[str, ...] = ()
    """Tasks that are said to have failed, in lower case."""


def stated(text: str) -> Stated | None:
    """Read a score; None where there is no figure."""
    found = _STATED.fullmatch(text)
    if found is None:
        return None
    errors = tuple(name.strip().lower() for name in (found["errors"] or "").split(",") if name.strip())
    return Stated(Fraction(found["figure"]), bool(found["bound"] or errors), errors)


def number(text: str | None) -> Fraction | None:
    """A figure, sign allowed; None for a blank or anything else."""
    return Fraction(text) if text and re.fullmatch(r"[+-]?\d+(\.\d+)?", text) else None


def places(text: str) -> int:
    """Digits after the point."""
    return len(text.partition(".")[2])


def rounded(value: Fraction, digits: int = 0) -> str:
    """With so many digits, a half away from zero: the way in which the figures were published."""
    return f"{half_up(value, digits):.{digits}f}"


def plain(value: Fraction) -> str:
    """A score as it is written."""
    return f"{float(value):.10g}"


def same_ranks(file: str, rows: Sequence[Row], column: str) -> Iterator[Discrepancy]:
    """Ranks must follow from ``column``."""
    totals = {row["model"]: total for row in rows if (total := number(row[column])) is not None}
    for row in rows:
        total = totals.get(row["model"])
        if total is not None and row["rank"] != (found := str(rank(total, totals.values()))):
            yield Discrepancy(
                file, row["model"], "rank", row["rank"], found, f"models with a higher {column}, plus one"
            )


def once(file: str, rows: Sequence[Row]) -> Iterator[Discrepancy]:
    """No model may be there twice."""
    models = [row["model"] for row in rows]
    for model in dict.fromkeys(models):
        if models.count(model) > 1:
            yield Discrepancy(file, model, "model", f"{models.count(model)} rows", "1 row", "a model has one row")
