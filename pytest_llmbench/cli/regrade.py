"""Re-grade stored replies with the current rubric and report changed verdicts and ranks.

No model is asked, and errors stay errors. Arguments after -- go to pytest: paths of tasks, -n 4, --llm-sandbox=...
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_llmbench.analysis.regrade_diff import Moves, moves
from pytest_llmbench.cli import output
from pytest_llmbench.errors import OptionError, StoreError
from pytest_llmbench.runs.load import open_run, read_results
from pytest_llmbench.schema.results import Results
from pytest_llmbench.schema.run_files import RUNS
from pytest_llmbench.store.inspection import checked
from pytest_llmbench.store.run_dir import RunDir, new_run_id

_RAN = (0, 1, 5)
"""pytest's exit statuses of a session that came to its end; 5: no test was left."""
NAME, HELP = "regrade", "re-grade stored replies with the current rubric"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    output.add_run(parser)
    output.add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Re-grade and compare; returns 0, or 1 if a verdict changed."""
    named = open_run(options.which, options.run_dir)
    former = RunDir(named.path.resolve())
    notes = checked(former)
    before = read_results(former.path)
    for note in notes:
        output.warn(note)
    if before.selfcheck is not None:
        raise OptionError(
            f"cannot re-grade {former.path}: it is a self-check without replies of models. Run --llm-selfcheck again."
        )
    if Path.cwd().resolve().is_relative_to(former.path):
        raise OptionError(
            f"cannot re-grade inside {former.path}: pytest would use files there. Change to your project's folder."
        )
    output.warn(f"running the replies in {former.path} in the sandbox")
    base = options.run_dir.resolve()
    run_id = new_run_id()
    status = _pytest(_words(former, options.rest, base, run_id), quiet=options.json)
    graded = (base / RUNS / run_id).is_dir()
    if not graded and status not in _RAN:
        raise StoreError(f"nothing was graded: pytest exited with status {status}. Its output above says why.")
    after = read_results(base / RUNS / run_id) if graded else None
    if after is None or not _attempts(before) & _attempts(after):
        raise StoreError(
            "none of the run's attempts was re-graded. Name its tasks after --, as in: "
            f"llmbench regrade {options.which} -- path/to/tasks"
        )
    found = moves(before, after)
    if options.json:
        output.print_json(found)
    else:
        _show(found)
    return int(bool(found.verdicts))


def _attempts(results: Results) -> set[tuple[str, str, int]]:
    return {(attempt.task, attempt.model, attempt.epoch) for attempt in results.attempts}


def _words(former: RunDir, more: Sequence[str], base: Path, run_id: str) -> list[str]:
    """The command line for pytest; contains nothing that was read from the run."""
    from pytest_llmbench.plugin.options import replay  # loads pytest

    replayed = f"{replay.FLAG}={replay.order(former.path, base, run_id)}"
    return [replayed, f"--ignore={former.path}", "--tb=no", "-rN", "-q", *more]


def _pytest(words: Sequence[str], *, quiet: bool) -> int:
    """Run pytest in a new process; with ``quiet`` its output goes to stderr, so that stdout has only JSON.

    A new process, because pytest must see this package before it was imported. ``-P`` keeps the current folder off the
    path, as with the ``pytest`` command.
    """
    command = [sys.executable, "-P", "-m", "pytest", *words]
    return subprocess.run(command, check=False, stdout=sys.stderr if quiet else None).returncode


def _show(found: Moves) -> None:
    if found.verdicts:
        output.print_table(
            ("task", "model", "epoch", "point", "was", "is", "what"),
            [
                (v.task, v.model, str(v.epoch), v.point, v.was, v.now, v.message.partition("\n")[0][:100])
                for v in found.verdicts
            ],
        )
    for rank in found.ranks:
        output.say(
            f"{rank.model}: rank {rank.was or '-'} ({rank.was_total:g}) is now {rank.now or '-'} ({rank.now_total:g})"
        )
    counts = f"{len(found.verdicts)} of {found.compared} verdicts changed, {len(found.ranks)} ranks or totals"
    print(f"re-graded: {counts}; {found.left_out} attempts without a score on one side")
