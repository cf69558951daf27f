"""The leaderboard and what is beside it: results -> rows of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pytest_llmbench.measures.ranking import pareto_front
from pytest_llmbench.reporting.html.figures import number, seconds, usd
from pytest_llmbench.schema.results import IncompleteRow, LeaderboardRow, ModelInfo, Results


class Cell(NamedTuple):
    """One figure or text of a table."""

    text: str
    sort: float | str | None = None
    """What it is sorted by; None: it comes last."""
    share: float | None = None
    """Length of the bar beside it, from 0 to 1."""


class Column(NamedTuple):
    """A column's heading."""

    name: str
    is_text: bool = False
    """True: left-aligned, and sorted as text."""


class Row(NamedTuple):
    """One model."""

    model: str
    search: str
    """What the text filter looks into."""
    cells: Sequence[Cell]


class Board(NamedTuple):
    """A table of models; columns without a single figure are left out."""

    columns: Sequence[Column]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Axis:
    """Something to hold the score against."""

    name: str
    unit: str
    places: Mapping[str, tuple[float, float]]
    """Model -> (cost, total)."""
    front: frozenset[str]
    left_out: Sequence[str]
    """Ranked models without that figure."""


_Row = LeaderboardRow | IncompleteRow


def board(rows: Sequence[_Row], models: Sequence[ModelInfo]) -> Board:
    """Ranked or incomplete models; the total of an incomplete one is a lower bound."""
    infos = {model.name: model for model in models}
    columns: list[tuple[Column, Callable[[_Row], Cell]]] = [
        (Column("rank"), lambda row: Cell(number(row.rank), row.rank)),
        (Column("model", is_text=True), lambda row: Cell(row.model, row.model)),
        (Column("total"), _total),
        (Column("tasks"), lambda row: Cell(row.completed, int(row.completed.partition("/")[0]))),
        (Column("average wall"), lambda row: Cell(seconds(row.avg_wall_s), row.avg_wall_s)),
        (Column("size"), lambda row: _size(infos.get(row.model))),
        (Column("quant", is_text=True), lambda row: _said(infos.get(row.model), "quant")),
        (Column("thinking", is_text=True), lambda row: _said(infos.get(row.model), "thinking")),
        (Column("cost"), lambda row: Cell(usd(row.cost_usd), row.cost_usd)),
        (Column("cost per point"), lambda row: Cell(usd(row.usd_per_point), row.usd_per_point)),
        (Column("why", is_text=True), _why),
    ]
    made = [(column, [cell(row) for row in rows]) for column, cell in columns]
    kept = [(column, cells) for column, cells in made if any(cell.sort is not None for cell in cells)]
    return Board(
        [column for column, _ in kept],
        [Row(row.model, _search(row.model, infos), [cells[n] for _, cells in kept]) for n, row in enumerate(rows)],
    )


def axes(results: Results) -> list[Axis]:
    """Score against time, size and money, for what is known of at least one ranked model."""
    sizes = {model.name: _size(model).sort for model in results.models}
    known: list[tuple[str, str, dict[str, float | None]]] = [
        ("average wall time", "s", {row.model: row.avg_wall_s for row in results.leaderboard}),
        ("size", "GB", {row.model: _float(sizes.get(row.model)) for row in results.leaderboard}),
        ("cost", "$", {row.model: row.cost_usd for row in results.leaderboard}),
    ]
    return [axis for name, unit, costs in known if (axis := _axis(results, name, unit, costs)).places]


def _axis(results: Results, name: str, unit: str, costs: Mapping[str, float | None]) -> Axis:
    places = {row.model: (cost, row.total) for row in results.leaderboard if (cost := costs.get(row.model)) is not None}
    left_out = [row.model for row in results.leaderboard if row.model not in places]
    front = pareto_front({model: (cost, -total) for model, (cost, total) in places.items()})
    return Axis(name, unit, places, front, left_out)


def provenance(results: Results) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Where the figures come from: captions, each with names and values."""
    run = results.run
    yield (
        "Run",
        [
            ("id", run.id),
            ("started", run.started),
            ("ended", run.ended or "-"),
            ("finished", "yes" if run.finished else f"no: {run.stopped_by or 'stopped'}"),
        ],
    )
    yield "Versions", _pairs(run.versions)
    yield "Options", _pairs(run.options.model_dump(mode="json"))
    yield "Machine", _pairs(run.machine)
    yield "Sandbox", _pairs(run.sandbox)


def said(value: Any) -> str:
    """A JSON value in words."""
    if value is None or value in ([], {}, ""):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "; ".join(said(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={said(item)}" for name, item in sorted(value.items()))
    return str(value)


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, said(value)) for name, value in values.items()]


def _total(row: _Row) -> Cell:
    bound = "+" if isinstance(row, IncompleteRow) else ""
    share = row.total / row.max_total if row.max_total > 0 else 0.0
    return Cell(f"{number(row.total)}{bound} / {number(row.max_total)}", row.total, max(0.0, min(1.0, share)))


def _size(model: ModelInfo | None) -> Cell:
    size = _float(model.metadata.get("size_gb")) if model else None
    return Cell("-" if size is None else f"{number(size)} GB", size)


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _said(model: ModelInfo | None, name: str) -> Cell:
    text = said(model.metadata.get(name)) if model else "-"
    return Cell(text, None if text == "-" else text)


def _why(row: _Row) -> Cell:
    text = "; ".join(row.reasons) if isinstance(row, IncompleteRow) else ""
    return Cell(text, text or None)


def _search(name: str, infos: Mapping[str, ModelInfo]) -> str:
    info = infos.get(name)
    parts = [name, info.resolved, *(said(value) for value in info.metadata.values())] if info else [name]
    return " ".join(parts).lower()
