"""Results as lines for a terminal; rich on one, plain elsewhere. Computes no figure."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_llmbench.schema.results import AttemptResult, IncompleteRow, LeaderboardRow, Results

_PLAIN_WIDTH = 400
_MOST_REASONS = 3


def render(results: Results, *, width: int, colour: bool) -> str:
    """The summary of a run: what was asked for, the ranking, the incomplete models, errors.

    ``width`` in columns counts on a terminal only (``colour``); plain text is never folded.
    """
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, 80) if colour else _PLAIN_WIDTH,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for line in heading(results):
        console.print(Text(line), soft_wrap=True)
    if results.leaderboard:
        console.print(_table(results.leaderboard, colour=colour))
    if results.incomplete:
        console.print(Text("Incomplete, not ranked (totals are lower bounds)", style="bold yellow"))
        console.print(_table(results.incomplete, colour=colour))
    for line in error_lines(results):
        console.print(Text(line, style="red"), soft_wrap=True)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def heading(results: Results) -> Iterator[str]:
    """What the figures are out of."""
    selection = results.run.selection
    asked, of = number(selection.points), number(selection.of_points)
    if selection.partial:
        yield f"partial selection: {asked} of {of} points of the tasks selected were asked for"
    elif selection.left_out:
        yield f"{asked} of {of} points:"
    else:
        yield f"{asked} points asked for"
    for left in selection.left_out:
        yield f"  {left.task}: {number(left.points)} points not graded ({left.reason})"
    if results.run.stopped_by:
        yield f"stopped before the end: {results.run.stopped_by}"
    states = {status: sum(a.status == status for a in results.attempts) for status in _STATUSES}
    yield "attempts: " + ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in states.items() if count)


def error_lines(results: Results) -> Iterator[str]:
    """One line for each cause of attempts without a score."""
    causes: dict[tuple[str, str, str], list[AttemptResult]] = {}
    for attempt in results.attempts:
        if attempt.error:
            causes.setdefault((attempt.model, attempt.error.kind, attempt.error.message), []).append(attempt)
    for (model, kind, message), attempts in causes.items():
        tasks = ", ".join(dict.fromkeys(attempt.task for attempt in attempts))
        yield f"error: {kind}: {model}: {message} [{tasks}]"


def number(value: float | None) -> str:
    """Points without needless decimals; a dash where there is no figure."""
    if value is None:
        return "-"
    return f"{value:.2f}".rstrip("0").rstrip(".")


_STATUSES = ("scored", "error", "incomplete", "not_run")


def _table(rows: Sequence[LeaderboardRow | IncompleteRow], *, colour: bool) -> Table:
    table = Table(box=SIMPLE_HEAD if colour else None, pad_edge=False, header_style="bold" if colour else "")
    tasks = list(rows[0].per_task)
    open_end = isinstance(rows[0], IncompleteRow)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold")
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("tasks", justify="right", no_wrap=True)
    table.add_column("avg wall", justify="right", no_wrap=True)
    for task in tasks:
        table.add_column(Text(task), justify="right")
    if open_end:
        table.add_column("why", overflow="fold")
    for row in rows:
        cells = [
            "-" if row.rank is None else str(row.rank),
            row.model,
            f"{number(row.total)}{'+' if open_end else ''}/{number(row.max_total)}",
            row.completed,
            "-" if row.avg_wall_s is None else f"{row.avg_wall_s:.1f} s",
            *(number(row.per_task[task]) for task in tasks),
        ]
        if isinstance(row, IncompleteRow):
            cells.append("; ".join(row.reasons[:_MOST_REASONS]))
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table


def printable(text: str) -> str:
    """Text of unknown origin made harmless for a terminal: control characters are shown, not obeyed."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
