"""Rank the models of many runs: each model's newest score, among runs of exactly the same tasks.

RUN is a run folder, a results.json, a run id, or a directory with runs below it; default: all runs of --run-dir.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_llmbench.analysis.efficiency import efficiency
from pytest_llmbench.analysis.multi_run import PUBLISHED, Board, boards, with_published
from pytest_llmbench.cli import output
from pytest_llmbench.errors import StoreError
from pytest_llmbench.published.tables import SHIPPED, read
from pytest_llmbench.reporting.terminal import number
from pytest_llmbench.runs.load import read_results
from pytest_llmbench.runs.published_scores import TASKS, six_tasks
from pytest_llmbench.schema.results import Results
from pytest_llmbench.schema.run_files import HEADER
from pytest_llmbench.store.search import runs_below

NAME, HELP = "leaderboard", "rank the models of many runs"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("runs", metavar="RUN", nargs="*", help="runs to rank (default: all of --run-dir)")
    output.add_base(parser)
    output.add_json(parser)
    parser.add_argument("--every", action="store_true", help="show every run of a model, not only the newest")
    parser.add_argument(
        "--with-published",
        nargs="?",
        type=Path,
        const=SHIPPED,
        metavar="FOLDER",
        help="also show the published scores of the six-task suite: third-party, not ranked with yours",
    )
    parser.add_argument("--efficiency", action="store_true", help="add points per minute of wall time and per GB")


def run(options: argparse.Namespace) -> int:
    """Rank and show; returns 0."""
    found = boards(list(_read(options.runs, options.run_dir)), every=options.every)
    if not found:
        raise StoreError("no run with scores was found. Name a run, or a directory with runs below it.")
    if options.with_published is not None:
        scores = six_tasks(read(options.with_published))
        found = [with_published(board, scores) if set(board.tasks) == set(TASKS.values()) else board for board in found]
    if options.json:
        output.print_json(found)
        return 0
    for place, board in enumerate(found):
        if place:
            print()
        output.say(f"{number(board.max_total)} points: {', '.join(board.tasks)}")
        if any(entry.run == PUBLISHED for entry in board.entries):
            print(f"{PUBLISHED}: third-party measurements, with other prompts and graders; not ranked with yours")
        output.print_table(heads(board, efficient=options.efficiency), rows(board, efficient=options.efficiency))
    return 0


def heads(board: Board, *, efficient: bool) -> list[str]:
    """The table's columns."""
    more = ["points/min", "points/GB"] if efficient else []
    return ["rank", "model", "total", "tasks", "avg wall", *more, *board.tasks, "epochs", "run"]


def rows(board: Board, *, efficient: bool) -> Iterator[list[str]]:
    """One row a model, as texts."""
    for entry in board.entries:
        score = entry.place.score
        more: list[str] = []
        if efficient:
            (figures,) = efficiency([score])
            more = ["-" if f is None else f"{float(f):.1f}" for f in (figures.per_minute, figures.per_gb)]
        yield [
            "-" if entry.place.rank is None else str(entry.place.rank),
            score.model,
            f"{score.written}/{number(score.max_total)}",
            f"{score.completed}/{score.tasks}",
            "-" if score.avg_wall_s is None else f"{score.avg_wall_s:.1f} s",
            *more,
            *(number(score.per_task.get(task)) for task in board.tasks),
            str(entry.epochs),
            entry.run,
        ]


def _read(names: Iterable[str], base: Path) -> Iterator[Results]:
    """The runs that the user named; a directory that is not a run means the runs below it."""
    for name in names or [str(base)]:
        path = Path(name)
        below = [] if (path / HEADER).is_file() or not path.is_dir() else runs_below([path])
        if below:
            yield from (read_results(each, slim=True) for each in below)
        else:
            yield read_results(name, base, slim=True)
