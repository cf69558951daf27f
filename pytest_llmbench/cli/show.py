"""Show one attempt of a run: points, misses with their reasons, commands, and the model's reply.

ATTEMPT is TASK/MODEL or TASK/MODEL/EPOCH, as in the HTML report.
"""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterator

from pytest_llmbench.cli import output
from pytest_llmbench.errors import OptionError
from pytest_llmbench.reporting.html.details import AttemptEvidence
from pytest_llmbench.reporting.points import messages_once
from pytest_llmbench.reporting.terminal import number
from pytest_llmbench.runs.load import open_run, read_results
from pytest_llmbench.runs.report_data import gather
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.schema.results import AttemptResult, Results
from pytest_llmbench.schema.run_files import PLAN
from pytest_llmbench.store.records import read_record

NAME, HELP = "show", "show one attempt: its points, misses, commands and reply"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("attempt", metavar="ATTEMPT", help="TASK/MODEL or TASK/MODEL/EPOCH")
    output.add_run(parser)
    output.add_json(parser)
    parser.add_argument("--reply", action="store_true", help="print only the model's reply")


def run(options: argparse.Namespace) -> int:
    """Show; returns 0."""
    results = read_results(options.which, options.run_dir)
    attempt = find(results, options.attempt)
    of = open_run(options.which, options.run_dir)
    plan = read_record(of.path / PLAN, Plan) or Plan()
    ((_, evidence),) = gather(of, results.model_copy(update={"attempts": [attempt]}), plan)
    if options.json:
        output.print_json({"attempt": attempt, "evidence": evidence})
    elif options.reply:
        for turn in evidence.turns:
            for line in turn.reply.splitlines():
                output.say(line)
    else:
        for line in lines(attempt, evidence):
            output.say(line)
    return 0


def find(results: Results, name: str) -> AttemptResult:
    """The attempt called ``name``, by default of the first epoch. Raises ``OptionError`` with similar names."""
    known: dict[str, AttemptResult] = {}
    for attempt in results.attempts:
        known.setdefault(f"{attempt.task}/{attempt.model}", attempt)
        known[f"{attempt.task}/{attempt.model}/{attempt.epoch}"] = attempt
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known)[:3]
    raise OptionError(f"the run has no attempt {name!r}. Write TASK/MODEL/EPOCH, such as: {', '.join(near)}.")


def lines(attempt: AttemptResult, evidence: AttemptEvidence) -> Iterator[str]:
    """Everything about one attempt, for people."""
    yield f"{attempt.task}/{attempt.model}/{attempt.epoch}: {attempt.status}, " + (
        f"{number(attempt.points)} of {number(attempt.max_points)} points"
    )
    if attempt.error is not None:
        yield f"error: {attempt.error.kind}: {attempt.error.message}"
    if attempt.reason:
        yield f"reason: {attempt.reason}"
    for name, texts in (("caps", attempt.caps), ("labels", attempt.labels)):
        if texts:
            yield f"{name}: {', '.join(texts)}"
    yield from _figures(attempt)
    told = {item.point: item.evidence for item in evidence.items if item.evidence}
    messages = messages_once(attempt)
    for criterion in attempt.criteria:
        yield f"  {criterion.outcome:12} {number(criterion.points):>5}/{number(criterion.max_points):5} {criterion.id}"
        for text in (messages[criterion.id], told.get(criterion.id, "")):
            for line in text.splitlines():
                yield f"      {line}"
    for name in evidence.files or ():
        yield f"file: {name}"
    for turn, reply in enumerate(evidence.turns, 1):
        yield f"--- reply {turn} ---" if len(evidence.turns) > 1 else "--- reply ---"
        yield from reply.reply.splitlines()
    if evidence.again:
        yield f"grade again, without a model: {evidence.again}"


def _figures(attempt: AttemptResult) -> Iterator[str]:
    figures = {
        "wall": attempt.wall_s,
        "first token": attempt.first_token_s,
        "queue": attempt.queue_s,
        "load": attempt.load_s,
        "grading": attempt.grading_s,
    }
    known = [f"{name} {value:.1f} s" for name, value in figures.items() if value is not None]
    if attempt.tokens_per_s is not None:
        known.append(f"{attempt.tokens_per_s:.1f} tokens/s")
    if attempt.cost_usd is not None:
        known.append(f"{attempt.cost_usd:.4f} USD")
    if known:
        yield ", ".join(known)
