"""Compare two runs: exact paired tests per task and overall, the difference with its interval, and a verdict.

RUN is a run folder, a results.json or a run id. B is compared with A. Runs that differ in anything that affects scores
are refused, with the list of differences, unless --allow names their kinds.
"""

from __future__ import annotations

import argparse
import sys

from pytest_llmbench.cli import output
from pytest_llmbench.errors import OptionError
from pytest_llmbench.reporting import comparison
from pytest_llmbench.runs.compare import compare_runs
from pytest_llmbench.runs.load import read_results
from pytest_llmbench.schema.comparison import Compared
from pytest_llmbench.schema.difference import KINDS

NAME, HELP = "compare", "compare a run with another: better, worse or cannot tell"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("a", metavar="A", help="the baseline run")
    parser.add_argument("b", metavar="B", help="the run to compare with it")
    output.add_base(parser)
    output.add_json(parser)
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--model", metavar="NAME", help="model of B (default: those of both runs, or the only one)")
    parser.add_argument("--against", metavar="NAME", help="model of A (default: the same name)")
    parser.add_argument("--alpha", type=float, default=0.05, help="significance level (%(default)s)")
    parser.add_argument(
        "--allow",
        metavar="KIND",
        action="append",
        default=[],
        help=f"differences to accept: {', '.join(KINDS)}, all; may be repeated or comma-separated",
    )
    parser.add_argument(
        "--require", choices=("not-worse", "better"), default="not-worse", help="what exit status 0 means (%(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Compare; returns 0, 1 when the verdict is not good enough, or 2 when the runs cannot be compared."""
    if not 0 < options.alpha < 1:
        raise OptionError(f"--alpha: {options.alpha:g} is not between 0 and 1. Use a number such as 0.05.")
    compared = compare_runs(
        read_results(options.a, options.run_dir, slim=True),
        read_results(options.b, options.run_dir, slim=True),
        model=options.model,
        against=options.against,
        alpha=options.alpha,
        allow=allowed(options.allow),
    )
    if options.json:
        output.print_json(compared)
    elif options.markdown:
        print("\n\n".join(map(comparison.as_markdown, compared)))
    else:
        colour = sys.stdout.isatty()
        for each in compared:
            print(comparison.as_text(each, width=output.width(), colour=colour))
    return status(compared, options.require)


def allowed(texts: list[str]) -> frozenset[str]:
    """The kinds of differences to accept; raises ``OptionError`` for an unknown kind."""
    words = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    for word in words:
        if word not in (*KINDS, "all"):
            raise OptionError(f"--allow: {word!r} is not a kind of difference. Choose from: {', '.join(KINDS)}, all.")
    return frozenset(KINDS) if "all" in words else frozenset(words)


def status(compared: list[Compared], require: str) -> int:
    """The exit status over all models compared."""
    if any(each.refused for each in compared):
        return 2
    good = ("better",) if require == "better" else ("better", "cannot tell")
    return 0 if all(each.comparison is not None and each.comparison.verdict in good for each in compared) else 1
