"""Results as text for the terminal: formatted with rich on a terminal, plain elsewhere. Computes no figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from pytest_llmbench.reporting import epochs, selfcheck
from pytest_llmbench.reporting.tables import empty_table, make_console, print_cells, text_of
from pytest_llmbench.schema.results import AttemptResult, IncompleteRow, LeaderboardRow, Results, SelfCheck
from pytest_llmbench.text import printable

_READABLE = 20
_MOST_TASKS = 100
"""Of a leaderboard in plain text: nobody reads more columns in a log of CI."""
_MOST_REASONS = 3


def render(results: Results, *, width: int, colour: bool) -> str:
    """The summary of a run: the maximum score, the ranking, the incomplete models, errors.

    ``width`` in columns applies to a terminal only (``colour``); plain text is never folded.
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
    causes: dict[tuple[str, str, str], list[AttemptResult]] = {}
    for attempt in results.attempts:
        if attempt.error:
            causes.setdefault((attempt.model, attempt.error.kind, attempt.error.message), []).append(attempt)
    for (model, kind, message), attempts in causes.items():
        tasks = ", ".join(dict.fromkeys(attempt.task for attempt in attempts))
        yield f"error: {kind}: {model}: {message} [{tasks}]"


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
    is_text: bool = False
    """True: left-aligned, and folded where there is little room; figures are never cut."""


def _print_table(console: Console, rows: Sequence[LeaderboardRow | IncompleteRow], *, colour: bool) -> None:
    """One row per model. If the tasks' names do not fit, they are numbered, or left out altogether."""
    tasks = list(rows[0].per_task)
    numbers = [str(place) for place in range(1, len(tasks) + 1)]
    choices: list[tuple[Sequence[str], str]] = [
        (tasks, ""),
        (numbers, ", ".join(f"{place}={task}" for place, task in zip(numbers, tasks, strict=True))),
        ((), f"too narrow for the points of {len(tasks)} tasks: see results.json"),
    ]
    if not colour and len(tasks) > _MOST_TASKS:
        choices = choices[-1:]
    columns, note = next(
        (columns, note)
        for heads, note in choices
        if _room(columns := _columns(rows, heads)) <= console.width or not heads
    )
    table = empty_table(colour=colour)
    for column in columns:
        head = Text(printable(column.head))
        if column.is_text:
            table.add_column(head, overflow="fold")
        else:
            table.add_column(head, justify="right", no_wrap=True)
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console.print(table)
    if note:
        console.print(Text(printable(note)))


def _print_selfcheck(console: Console, check: SelfCheck, *, colour: bool) -> None:
    if check.tasks:
        print_cells(console, selfcheck.COLUMNS, selfcheck.rows(check), colour=colour)
    for line in selfcheck.lines(check):
        console.print(Text(printable(line), style="green" if check.passed else "red"), soft_wrap=True)


def _columns(rows: Sequence[LeaderboardRow | IncompleteRow], heads: Sequence[str]) -> list[_Column]:
    """The table's columns; ``heads`` are those of the tasks, none to leave the tasks out."""
    incomplete = [row for row in rows if isinstance(row, IncompleteRow)]
    bound = "+" if incomplete else ""
    return [
        _Column("rank", ["-" if row.rank is None else str(row.rank) for row in rows]),
        _Column("model", [row.model for row in rows], is_text=True),
        _Column("total", [f"{number(row.total)}{bound}/{number(row.max_total)}" for row in rows]),
        _Column("tasks", [row.completed for row in rows]),
        _Column("avg wall", ["-" if row.avg_wall_s is None else f"{row.avg_wall_s:.1f} s" for row in rows]),
        *(
            _Column(head, [number(row.per_task[task]) for row in rows])
            for head, task in zip(heads, rows[0].per_task, strict=False)
        ),
        *(
            [_Column("why", ["; ".join(row.reasons[:_MOST_REASONS]) for row in incomplete], is_text=True)]
            if incomplete
            else []
        ),
    ]


def _room(columns: Sequence[_Column]) -> int:
    """Width of a table, in columns of a terminal, in which text is folded but still readable."""
    widths = [(max(cell_len(printable(text)) for text in (column.head, *column.cells)), column) for column in columns]
    return sum(min(width, _READABLE) if column.is_text else width for width, column in widths) + 2 * (len(columns) + 1)
