"""Tables for a terminal by rich; plain and never folded elsewhere."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_llmbench.reporting.names import shortened
from pytest_llmbench.text import printable

_UNBOUNDED = 1_000_000
_ANY_HEIGHT = 100
_LEAST_WIDTH = 20
_NAMES = "model"
"""Head of the column of names, where it is a table's first."""
_LEAST_NAMES = 12
_LEAST_TEXT = 8
"""Columns in which words are folded and still readable."""
_FIGURE = re.compile(r"[-+]?[\d.,]*(e-?\d+)?( ?(%|s|USD))?|-?[\d.]+\+?/[\d.]+\+?")


def make_console(*, width: int | None, colour: bool) -> tuple[Console, io.StringIO]:
    """A console that writes into a text of ``width`` columns; None: nothing is folded or left out for want of room."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=_UNBOUNDED if width is None else max(width, _LEAST_WIDTH),
        height=_ANY_HEIGHT,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    return console, out


def text_of(out: io.StringIO) -> str:
    """What was written, without blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, width: int | None, colour: bool) -> str:
    """One table as text; columns of words are left-aligned, figures right-aligned."""
    console, out = make_console(width=width, colour=colour)
    print_cells(console, heads, rows, colour=colour)
    return text_of(out)


def print_cells(console: Console, heads: Sequence[str], rows: Iterable[Sequence[str]], *, colour: bool) -> None:
    """Print a table, columns of nothing but figures on the right; every cell is taken for text of unknown origin.

    Words are folded and names of models shortened where there is little room, figures never: the last columns are left
    out where even that does not fit.
    """
    columns = [[printable(cell) for cell in column] for column in zip(heads, *rows, strict=True)]
    widths = [max(map(cell_len, column)) for column in columns]
    fixed = [all(map(_FIGURE.fullmatch, column[1:])) for column in columns]
    least = [width if figures else min(width, _LEAST_TEXT) for width, figures in zip(widths, fixed, strict=True)]
    named = heads[0] == _NAMES
    if named:
        least[0] = min(widths[0], _LEAST_NAMES)
    while len(least) > 1 and table_width(least) > console.width:
        least.pop()
    count = len(least)
    if named and (excess := table_width(widths[:count]) - console.width) > 0:
        columns[0][1:] = shortened(columns[0][1:], max(least[0], widths[0] - excess))
    grid = empty_table(colour=colour)
    for place, column in enumerate(columns[:count]):
        whole = fixed[place] or (named and place == 0)
        grid.add_column(Text(column[0]), justify="right" if fixed[place] else "left", overflow="fold", no_wrap=whole)
    for row in zip(*(column[1:] for column in columns[:count]), strict=True):
        grid.add_row(*map(Text, row))
    console.print(grid)
    if count < len(columns):
        left_out = ", ".join(column[0] for column in columns[count:])
        console.print(Text(f"too narrow for: {left_out}"), overflow="ignore")


def table_width(columns: Sequence[int]) -> int:
    """Columns of the terminal that a table of these takes."""
    return sum(columns) + 2 * len(columns)


def empty_table(*, colour: bool) -> Table:
    """A table without a column yet, in the one style of all reports."""
    if colour:
        return Table(pad_edge=False, box=SIMPLE_HEAD, collapse_padding=True, header_style="bold")
    return Table(pad_edge=False, box=None)
