"""Pure: many runs -> one ranking for each set of tasks that is the same, letter for letter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pytest_llmbench.analysis.model_scores import ModelScore, from_results
from pytest_llmbench.analysis.ranks import Ranked, ranked
from pytest_llmbench.schema.results import Results

PUBLISHED = "published"
"""In place of a run: somebody else's measurements."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model in one run."""

    place: Ranked
    run: str
    """The run's id, or ``PUBLISHED``."""
    epochs: int


@dataclass(frozen=True, slots=True)
class Board:
    """Figures that may be compared: of the same tasks with the same fingerprints, and as many points asked for."""

    tasks: tuple[str, ...]
    max_total: float
    entries: tuple[Entry, ...]


def boards(runs: Sequence[Results], *, every: bool = False) -> list[Board]:
    """Rank the models of all runs, the board with the most entries first.

    Of a model that is in several runs of a board the newest figure counts, a whole one before a lower bound, unless
    ``every``. Runs of a self-check have no models and are left out.
    """
    groups: dict[tuple[object, ...], list[Results]] = {}
    for results in runs:
        if results.selfcheck is None and (results.leaderboard or results.incomplete):
            groups.setdefault(_comparable(results), []).append(results)
    found = [_board(group, every=every) for group in groups.values()]
    return sorted(found, key=lambda board: (-len(board.entries), board.tasks))


def with_published(board: Board, scores: Iterable[ModelScore]) -> Board:
    """The board with others' figures between its own by total; those have no rank here."""
    theirs = [Entry(Ranked(None, score), PUBLISHED, 1) for score in scores]
    entries = sorted(
        [*board.entries, *theirs], key=lambda entry: (not entry.place.score.complete, -entry.place.score.total)
    )
    return replace(board, entries=tuple(entries))


def _comparable(results: Results) -> tuple[object, ...]:
    """Equal for runs whose totals mean the same."""
    rows = [*results.leaderboard, *results.incomplete]
    asked = set(rows[0].per_task)
    tasks = sorted((task.id, task.fingerprint) for task in results.tasks if task.id in asked)
    return (*tasks, rows[0].max_total, results.run.selection.partial)


def _board(group: Iterable[Results], *, every: bool) -> Board:
    kept: dict[tuple[str, ...], tuple[ModelScore, Results]] = {}
    for results in sorted(group, key=lambda results: (results.run.started, results.run.id)):
        for score in from_results(results):
            key = (score.model, results.run.id) if every else (score.model,)
            if key not in kept or score.complete or not kept[key][0].complete:
                kept[key] = (score, results)
    of = {id(score): results for score, results in kept.values()}
    places = ranked(score for score, _ in kept.values())
    entries = tuple(
        Entry(place, of[id(place.score)].run.id, of[id(place.score)].run.options.epochs) for place in places
    )
    first = entries[0].place.score
    return Board(tuple(first.per_task), first.max_total, entries)
