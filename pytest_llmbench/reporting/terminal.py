"""Results as text for the terminal: formatted with rich on a terminal, plain elsewhere. Computes no figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from pytest_llmbench.reporting import epochs, selfcheck
from pytest_llmbench.reporting.names import LEAST_NAME, shortened
from pytest_llmbench.reporting.tables import empty_table, make_console, print_cells, table_width, text_of
from pytest_llmbench.schema.results import AttemptResult, ErrorInfo, IncompleteRow, LeaderboardRow, Results, SelfCheck
from pytest_llmbench.text import printable

_READABLE, _NARROW = 20, 12
_ANY_LOG = 10_000
"""A width that no terminal has: the text is never folded."""
_MOST_TASKS = 100
"""Of a leaderboard in plain text: nobody reads more columns in a log of CI."""
_MOST_REASONS = 3


def render(results: Results, *, width: int | None, colour: bool) -> str:
    """The summary of a run: the maximum score, the ranking, the incomplete models, errors.

    Tables take at most ``width`` columns; None: whatever they need. Sentences are left for the terminal to fold.
    """
    console, out = make_console(width=width, colour=colour)
    for line in heading(results):
        console.print(Text(printable(line)), soft_wrap=True)
    if results.selfcheck is not None:
        _print_selfcheck(console, results.selfcheck, colour=colour)
    elif results.leaderboard:
        _print_table(console, results.leaderboard, colour=colour)
    if results.incomplete and results.selfcheck is None:
        console.print(Text("Incomplete, not ranked (totals of what was scored)", style="bold yellow"))
        _print_table(console, results.incomplete, colour=colour)
    if results.reduced:
        console.print(Text("Epochs: pass = all required points (or at least --llm-pass-at percent)"))
        print_cells(console, epochs.head(results.reduced), epochs.rows(results.reduced), colour=colour)
    for line in raised_lines(results):
        console.print(Text(printable(line), style="yellow"), soft_wrap=True)
    for line in error_lines(results):
        console.print(Text(printable(line), style="red"), soft_wrap=True)
    return text_of(out)


def heading(results: Results) -> Iterator[str]:
    """The maximum score, the points left out, and the states of the attempts."""
    selection = results.run.selection
    asked, of = number(selection.points), number(selection.of_points)
    if selection.partial:
        yield f"partial selection: maximum score: {asked} of {of} points"
    elif selection.left_out:
        yield f"maximum score: {asked} of {of} points"
    else:
        yield f"maximum score: {asked} points"
    for left in selection.left_out:
        yield f"  {left.task}: {number(left.points)} points not graded ({left.reason})"
    if results.run.stopped_by:
        yield f"stopped before the end: {results.run.stopped_by}"
    states = {status: sum(a.status == status for a in results.attempts) for status in _STATUSES}
    counts = [f"{count} {status.replace('_', ' ')}" for status, count in states.items() if count]
    yield f"attempts: {', '.join(counts) or 'none'}"


def error_lines(results: Results) -> Iterator[str]:
    """One line for each cause of attempts without a score."""
    causes: dict[tuple[str, tuple[str, str]], list[tuple[AttemptResult, ErrorInfo]]] = {}
    for attempt in results.attempts:
        if attempt.error:
            causes.setdefault((attempt.model, attempt.error.told_by), []).append((attempt, attempt.error))
    for attempts in causes.values():
        first, error = attempts[0]
        tasks = ", ".join(dict.fromkeys(attempt.task for attempt, _ in attempts))
        yield f"error: {error.kind}: {first.model}: {error.message} [{tasks}]"


def raised_lines(results: Results) -> Iterator[str]:
    """One line for each point that was missed because its test raised; a test that always raises is suspected."""
    verdicts: dict[tuple[str, str], list[str]] = {}
    for attempt in results.attempts:
        for criterion in attempt.criteria:
            if criterion.outcome in ("earned", "missed", "bonus"):
                verdicts.setdefault((attempt.task, criterion.id), []).append(criterion.raised)
    for (task, point), raised in verdicts.items():
        kinds = ", ".join(sorted({kind for kind in raised if kind}))
        count = sum(map(bool, raised))
        if not count:
            continue
        if count < len(raised):
            often = f"in {count} of {len(raised)} attempts"
        elif results.selfcheck is not None:
            often = "in every attempt"
        else:
            often = "in every attempt: probably a fault of the test, run --llm-selfcheck"
        yield f"raised: {task}: {point}: missed because its test raised {kinds} {often}"


def number(value: float | None) -> str:
    """Points without needless decimals; a dash for None."""
    if value is None:
        return "-"
    return f"{value + 0.0:.2f}".rstrip("0").rstrip(".")


_STATUSES = ("scored", "error", "incomplete", "not_run")


class _Column(NamedTuple):
    head: str
    cells: list[str]
    least: int | None = None
    """Of a column of words: columns of the terminal in which it can still be read. Figures are never cut."""

    @property
    def width(self) -> int:
        """Columns of the terminal that it takes uncut."""
        return max(cell_len(printable(text)) for text in (self.head, *self.cells))


class _Layout(NamedTuple):
    columns: list[_Column]
    below: Sequence[str] = ()
    """Lines under the table: what the columns do not tell."""


def _print_table(console: Console, rows: Sequence[LeaderboardRow | IncompleteRow], *, colour: bool) -> None:
    """One row per model, in the first layout that fits."""
    layouts = _layouts(rows)
    if console.width > _ANY_LOG and len(rows[0].per_task) > _MOST_TASKS:
        layouts = layouts[2:]
    columns, below = next((each for each in layouts if _room(each.columns) <= console.width), layouts[-1])
    table = empty_table(colour=colour)
    for place, column in enumerate(columns):
        head, cells = printable(column.head), [printable(cell) for cell in column.cells]
        if place == _NAMES_PLACE:
            others = _room([other for other in columns if other is not column])
            cells = shortened(cells, console.width - others - 2)
        folds = column.least is not None and place != _NAMES_PLACE
        table.add_column(Text(head), justify="right" if column.least is None else "left", no_wrap=not folds)
        columns[place] = column._replace(cells=cells)
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*map(Text, row))
    console.print(table)
    for line in below:
        console.print(Text(printable(line)), soft_wrap=True)


def _print_selfcheck(console: Console, check: SelfCheck, *, colour: bool) -> None:
    if check.tasks:
        print_cells(console, selfcheck.COLUMNS, selfcheck.rows(check), colour=colour)
    for line in selfcheck.lines(check):
        console.print(Text(printable(line), style="green" if check.passed else "red"), soft_wrap=True)


_NAMES_PLACE = 1


def _layouts(rows: Sequence[LeaderboardRow | IncompleteRow]) -> list[_Layout]:
    """From all there is to the least that is an answer: first tasks are numbered, then left out, then other figures."""
    incomplete = [row for row in rows if isinstance(row, IncompleteRow)]
    bound = "+" if incomplete else ""
    rank = _Column("rank", ["-" if row.rank is None else str(row.rank) for row in rows])
    names = [row.model for row in rows]
    total = _Column("total", [f"{number(row.total)}{bound}/{number(row.max_total)}" for row in rows])
    completed = _Column("tasks", [row.completed for row in rows])
    wall = _Column("avg wall", ["-" if row.avg_wall_s is None else f"{row.avg_wall_s:.1f} s" for row in rows])
    why = ["; ".join(row.reasons[:_MOST_REASONS]) for row in incomplete]
    last = [_Column("why", why, _READABLE)] if incomplete else []
    tasks = {task: [number(row.per_task[task]) for row in rows] for task in rows[0].per_task}

    def with_tasks(heads: Iterable[str]) -> list[_Column]:
        points = [_Column(head, cells) for head, cells in zip(heads, tasks.values(), strict=False)]
        return [rank, _Column("model", names, _READABLE), total, completed, wall, *points, *last]

    numbers = [str(place) for place in range(1, len(tasks) + 1)]
    key = ", ".join(f"{place}={task}" for place, task in zip(numbers, tasks, strict=True))
    elsewhere = f"too narrow for the points of {len(tasks)} task{'s' * (len(tasks) != 1)}: see results.json"
    below = [elsewhere, *(f"{row.model}: {reasons}" for row, reasons in zip(incomplete, why, strict=True))]
    return [
        _Layout(with_tasks(tasks)),
        _Layout(with_tasks(numbers), [key]),
        _Layout(with_tasks(()), [elsewhere]),
        _Layout([rank, _Column("model", names, _NARROW), total, completed], below),
        _Layout([rank, _Column("model", names, LEAST_NAME), total], below),
    ]


def _room(columns: Sequence[_Column]) -> int:
    """Least width of a table, in columns of a terminal."""
    return table_width([each.width if each.least is None else min(each.width, each.least) for each in columns])
