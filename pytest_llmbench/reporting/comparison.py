"""A comparison of two models as lines and tables. Computes no figure."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_llmbench.reporting import markdown
from pytest_llmbench.reporting.tables import table
from pytest_llmbench.reporting.terminal import number
from pytest_llmbench.schema.comparison import Compared, Comparison
from pytest_llmbench.text import printable

HEADS = ("task", "a", "b", "difference", "epochs", "p", "verdict")


def as_text(compared: Compared, *, width: int | None, colour: bool) -> str:
    """For a terminal."""
    lines = [printable(line) for line in _lines(compared)]
    if compared.comparison is not None:
        lines.insert(1, table(HEADS, _rows(compared.comparison), width=width, colour=colour))
    return "\n".join(lines)


def as_markdown(compared: Compared) -> str:
    """For a pull request's comment."""
    head, *lines = (markdown.escape(line) for line in _lines(compared))
    parts = [f"### {head}"]
    if compared.comparison is not None:
        parts.append("\n".join(markdown.table(HEADS, _rows(compared.comparison))))
    return "\n\n".join([*parts, "\n".join(f"- {line}" for line in lines)])


def _lines(compared: Compared) -> Iterator[str]:
    """The verdict in words; the first line is the headline."""
    a, b = compared.a, compared.b
    name = b if a == b else f"{b} against {a}"
    comparison = compared.comparison
    if comparison is None:
        yield f"{name}: not compared"
    else:
        yield f"{name}: {comparison.verdict}"
        overall, interval = comparison.overall, comparison.interval
        how = "exact" if overall.exact else "100,000 rearrangements drawn"
        yield f"difference: {signed(overall.difference)} points over {len(comparison.tasks)} tasks, " + (
            f"{interval.level:.0%} interval {signed(interval.low)} to {signed(interval.high)}"
            if interval is not None
            else "no interval: a single epoch does not show how scores vary"
        )
        yield f"p = {overall.p_value:.3g} ({how}, two-sided; alpha = {comparison.alpha:g})"
        if comparison.reason:
            yield f"cannot tell: {comparison.reason}"
    for difference in compared.refused:
        yield f"refused: {difference.kind}: {difference.what} (override with --allow={difference.kind})"
    for difference in compared.differences:
        if difference not in compared.refused:
            yield f"allowed to differ: {difference.kind}: {difference.what}"


def signed(value: float) -> str:
    """A difference with its sign, without needless decimals."""
    return f"{'+' if value > 0 else ''}{number(value)}"


def _rows(comparison: Comparison) -> Iterator[list[str]]:
    for task in comparison.tasks:
        epochs = str(task.epochs_a) if task.epochs_a == task.epochs_b else f"{task.epochs_a}/{task.epochs_b}"
        yield [
            task.task,
            number(task.mean_a),
            number(task.mean_b),
            signed(task.mean_b - task.mean_a),
            epochs,
            f"{task.p_value:.3g}",
            task.verdict,
        ]
