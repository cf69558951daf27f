"""What the analyses read: one model's scores, whether a run of ours gave them or a published table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_llmbench.analysis.figures import written
from pytest_llmbench.schema.numbers import exact
from pytest_llmbench.schema.results import LeaderboardRow, Results

_TOTAL = re.compile(r"(?P<figure>\d+(?:\.\d+)?)(?P<bound>\+?)(?P<note> \(.*\))?")


@dataclass(frozen=True, slots=True)
class ModelScore:
    """One model over the tasks of one leaderboard."""

    model: str
    total: float
    """Points; with tasks missing, the sum of the others."""
    max_total: float
    per_task: Mapping[str, float | None] = field(default_factory=dict)
    """Points per task, None without a figure; empty where only the total is known."""
    completed: int = 0
    """Tasks with a figure."""
    tasks: int = 0
    """Tasks asked for."""
    complete: bool = True
    """False: the total is a lower bound, and the model has no rank."""
    avg_wall_s: float | None = None
    """Mean seconds of an attempt."""
    cost_usd: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """``size_gb``, ``quant``, ``base``, ``thinking``, ``labels``, as in the models file; a key may be missing."""
    max_per_task: Mapping[str, float] = field(default_factory=dict)
    """The most points that a task can give."""

    @property
    def size_gb(self) -> float | None:
        """Size of the weights in GB; None for a hosted model."""
        size = self.metadata.get("size_gb")
        return float(size) if isinstance(size, int | float) and not isinstance(size, bool) else None

    @property
    def quant(self) -> str | None:
        """Quantisation of the weights, such as ``q4_k_m``."""
        return _text(self.metadata.get("quant"))

    @property
    def base(self) -> str | None:
        """What the model is a variant of; the same for all variants of one model."""
        return _text(self.metadata.get("base"))

    @property
    def thinking(self) -> bool | None:
        """Whether it thinks before it answers; None: not said."""
        thinks = self.metadata.get("thinking")
        return thinks if isinstance(thinks, bool) else None

    @property
    def distilled(self) -> bool:
        """True for a model trained on another one's answers: a label that names a distillation."""
        labels = self.metadata.get("labels")
        return isinstance(labels, list | tuple) and any("distill" in str(label).lower() for label in labels)

    @property
    def written(self) -> str:
        """The total as it is shown: ``100``, or ``83+`` for a lower bound."""
        return written(self.total, complete=self.complete)


def from_results(results: Results) -> list[ModelScore]:
    """The models of a run: those ranked first, then the incomplete ones, each in the order of ``results.json``."""
    metadata = {model.name: model.metadata for model in results.models}
    most: dict[str, float] = {}
    for attempt in results.attempts:
        most[attempt.task] = max(most.get(attempt.task, 0.0), attempt.max_points)

    def score(row: LeaderboardRow, *, complete: bool) -> ModelScore:
        return ModelScore(
            model=row.model,
            total=row.total,
            max_total=row.max_total,
            per_task=dict(row.per_task),
            completed=sum(points is not None for points in row.per_task.values()),
            tasks=len(row.per_task),
            complete=complete,
            avg_wall_s=row.avg_wall_s,
            cost_usd=row.cost_usd,
            metadata=metadata.get(row.model, {}),
            max_per_task={task: most.get(task, 0.0) for task in row.per_task},
        )

    ranked = [score(row, complete=True) for row in results.leaderboard]
    return ranked + [score(row, complete=False) for row in results.incomplete]


def from_rows(
    rows: Iterable[Mapping[str, str]],
    *,
    tasks: Sequence[str] = (),
    max_points: float,
    metadata: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[ModelScore]:
    """The models of a table of texts, one row each.

    A row has ``model``, a column for each of ``tasks`` or none of them, ``total`` or ``score`` (``83+`` is a lower
    bound), and may have ``completed`` (``5/6``), ``avg_wall_s`` or ``time_min``, ``size_gb``, ``cost_usd``; blank is
    not known. ``max_points``: of one task, or the most there is where no tasks are named. The total is the stated one;
    without one, the sum of the tasks. ``metadata``: further keys per model. Raises ``ValueError`` for a total that is
    no figure.
    """
    return [_from_row(row, tasks, max_points, dict((metadata or {}).get(row["model"], {}))) for row in rows]


def _from_row(row: Mapping[str, str], tasks: Sequence[str], max_points: float, metadata: dict[str, Any]) -> ModelScore:
    per_task = {task: _number(row[task]) for task in tasks if task in row}
    known = [points for points in per_task.values() if points is not None]
    done, _, asked = row.get("completed", "").partition("/")
    completed, of = (int(done), int(asked)) if asked else (len(known) or 1, len(per_task) or 1)
    total, bound = _total(row, known)
    size = _number(row.get("size_gb", ""))
    minutes = _number(row.get("time_min", ""))
    return ModelScore(
        model=row["model"],
        total=total,
        max_total=max_points * of,
        per_task=per_task,
        completed=completed,
        tasks=of,
        complete=completed == of and not bound,
        avg_wall_s=minutes * 60 if minutes is not None else _number(row.get("avg_wall_s", "")),
        cost_usd=_number(row.get("cost_usd", "")),
        metadata=metadata if size is None else {"size_gb": size, **metadata},
        max_per_task=dict.fromkeys(per_task, max_points),
    )


def _total(row: Mapping[str, str], points: Sequence[float]) -> tuple[float, bool]:
    """A row's total in points, and whether it is stated as a lower bound."""
    stated = row.get("total") or row.get("score") or ""
    if not stated and points:
        return float(sum(map(exact, points))), False
    figure = _TOTAL.fullmatch(stated)
    if figure is None:
        raise ValueError(
            f"{row['model']}: the total {stated!r} is no figure. Write it as 83, or 83+ for a lower bound."
        )
    return float(figure["figure"]), bool(figure["bound"] or figure["note"])


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
