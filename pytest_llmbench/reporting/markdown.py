"""Results as Markdown, for a pull request's comment or a job's summary. Computes no figure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pytest_llmbench.reporting import epochs
from pytest_llmbench.reporting.terminal import error_lines, heading, number, raised_lines
from pytest_llmbench.schema.results import IncompleteRow, LeaderboardRow, Results
from pytest_llmbench.text import printable

_SPECIAL = "\\`*_[]<>|~&$"
_LINKING = re.compile(r"[@#](?=\w)|:(?=//)|\bwww(?=\.)")
"""What GitHub makes links of without any brackets: mentions, numbers of issues, bare addresses."""
_MOST_CHARS = 60_000
"""GitHub takes 65,536 characters in a comment."""
_MOST_ERRORS = 20


def render(results: Results, *, title: str = "llmbench") -> str:
    """The leaderboard, incomplete models, epochs, tests that raised and errors; the same figures as on a terminal."""
    parts = [f"## {escape(title)}", "\n".join(f"{escape(line.strip())}  " for line in heading(results)).rstrip()]
    if results.leaderboard and results.selfcheck is None:
        parts.append("\n".join(_board(results.leaderboard)))
    if results.incomplete and results.selfcheck is None:
        parts += ["**Incomplete, not ranked** (totals of what was scored)", "\n".join(_board(results.incomplete))]
    if results.reduced:
        parts.append("\n".join(table(epochs.head(results.reduced), epochs.rows(results.reduced))))
    errors = [*raised_lines(results), *error_lines(results)]
    if errors:
        lines = [f"- {escape(line)}" for line in errors[:_MOST_ERRORS]]
        left = len(errors) - _MOST_ERRORS
        lines += [f"- {left} more: see results.json"] if left > 0 else []
        parts.append("\n".join(lines))
    return _within("\n\n".join(parts))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines of a table; every cell is treated as untrusted text."""
    words = ("model", "task", "why", "verdict")
    yield "| " + " | ".join(map(escape, heads)) + " |"
    yield "| " + " | ".join("---" if head in words else "---:" for head in heads) + " |"
    for cells in rows:
        yield "| " + " | ".join(map(escape, cells)) + " |"


def escape(text: str) -> str:
    """Untrusted text, escaped so that Markdown shows it literally, in one line: no link, no mention, no HTML."""
    shown = "".join(f"\\{sign}" if sign in _SPECIAL else sign for sign in printable(text))
    return _LINKING.sub(lambda match: f"{match[0]}\N{ZERO WIDTH SPACE}", shown)


def _board(rows: Sequence[LeaderboardRow | IncompleteRow]) -> Iterator[str]:
    bound = "+" if isinstance(rows[0], IncompleteRow) else ""
    tasks = list(rows[0].per_task)
    heads = ["rank", "model", "total", "tasks", "avg wall", *tasks, *(["why"] if bound else [])]
    cells = [
        [
            "-" if row.rank is None else str(row.rank),
            row.model,
            f"{number(row.total)}{bound}/{number(row.max_total)}",
            row.completed,
            "-" if row.avg_wall_s is None else f"{row.avg_wall_s:.1f} s",
            *(number(row.per_task[task]) for task in tasks),
            *(["; ".join(row.reasons)] if isinstance(row, IncompleteRow) else []),
        ]
        for row in rows
    ]
    return table(heads, cells)


def _within(text: str) -> str:
    """Truncate at a line if the text is too long for a comment, and say so."""
    if len(text) <= _MOST_CHARS:
        return text + "\n"
    kept = text[:_MOST_CHARS].rpartition("\n")[0]
    return f"{kept}\n\n(truncated: {len(text) - len(kept)} more characters; see results.json)\n"
