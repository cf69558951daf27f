"""Tables for a terminal by rich; plain and never folded elsewhere."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_llmbench.text import printable

_PLAIN_WIDTH = 1_000_000
_ANY_HEIGHT = 100
_LEAST_WIDTH = 80
_FIGURE = re.compile(r"[-+]?[\d.,]*(e-?\d+)?( ?(%|s|USD))?|-?[\d.]+\+?/[\d.]+\+?")


def make_console(*, width: int, colour: bool) -> tuple[Console, io.StringIO]:
    """A console that writes into a text; ``width`` in columns counts on a terminal only (``colour``)."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, _LEAST_WIDTH) if colour else _PLAIN_WIDTH,
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


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, width: int, colour: bool) -> str:
    """One table as text; columns of words are left-aligned, figures right-aligned."""
    console, out = make_console(width=width, colour=colour)
    print_cells(console, heads, rows, colour=colour)
    return text_of(out)


def print_cells(console: Console, heads: Sequence[str], rows: Iterable[Sequence[str]], *, colour: bool) -> None:
    """Print a table, columns of nothing but figures on the right; every cell is taken for text of unknown origin."""
    grid = empty_table(colour=colour)
    cells = [list(row) for row in rows]
    for place, head in enumerate(heads):
        figures = all(_FIGURE.fullmatch(row[place]) for row in cells)
        grid.add_column(Text(printable(head)), justify="right" if figures else "left", overflow="fold")
    for row in cells:
        grid.add_row(*(Text(printable(cell)) for cell in row))
    console.print(grid)


def empty_table(*, colour: bool) -> Table:
    """A table without a column yet, in the one style of all reports."""
    if colour:
        return Table(pad_edge=False, box=SIMPLE_HEAD, collapse_padding=True, header_style="bold")
    return Table(pad_edge=False, box=None)
