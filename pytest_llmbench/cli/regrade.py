"""Grade a run's stored replies again under the present rubric: which verdicts and which ranks moved.

No model is asked. Words after -- go to pytest: paths of tasks, -n 4, --llm-sandbox=...
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_llmbench.analysis.moves import Moves, moves
from pytest_llmbench.cli import output
from pytest_llmbench.errors import OptionError, StoreError
from pytest_llmbench.pipeline.results import read_header
from pytest_llmbench.pipeline.stored import open_run, read_results
from pytest_llmbench.schema.results import ModelInfo, RunHeader
from pytest_llmbench.store.run_dir import RunDir, slug

NAME, HELP = "regrade", "grade stored replies again under the present rubric"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    output.add_run(parser)
    output.add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Grade again and compare; returns 0, or 1 when a verdict moved."""
    former = open_run(options.which, options.run_dir)
    before = read_results(former.path)
    if before.selfcheck is not None:
        raise OptionError(f"{former.path} is a self-check: it has no replies of models. Run --llm-selfcheck again.")
    base = options.run_dir.resolve()
    newest = _newest(base)
    status = _pytest(_words(former, read_header(former), options.rest, base), quiet=options.json)
    if _newest(base) == newest:
        raise StoreError(f"nothing was graded: pytest ended with status {status}. Its own lines say why.")
    found = moves(before, read_results(base / "latest"))
    if not found.compared:
        raise StoreError(
            "none of the run's attempts was graded again: name its tasks after --, as in "
            f"llmbench regrade {options.which} -- path/to/tasks."
        )
    if options.json:
        output.print_json(found)
    else:
        _show(found)
    return int(bool(found.verdicts))


def _words(former: RunDir, header: RunHeader, more: Sequence[str], base: Path) -> list[str]:
    """The command line for pytest."""
    words = [f"--llm-model={_model(former, model)}" for model in header.models]
    words += [f"--llm-suite={suite}" for suite in header.run.options.get("suites", ())]
    words += [f"--llm-epochs={header.run.options.get('epochs', 1)}", f"--llm-run-dir={base}"]
    return [*words, "--llm-fail-under=0", "--tb=no", "-rN", "-q", *more]


def _model(former: RunDir, model: ModelInfo) -> str:
    """The model as replies in a folder, under its old label."""
    if model.endpoint == "builtin":
        return model.name if model.name == f"builtin/{model.resolved}" else f"{model.name}=builtin/{model.resolved}"
    if "=" in model.name or "," in model.name:
        raise OptionError(f"the label {model.name!r} cannot be given again: it holds one of '=,'.")
    kind = "files" if model.endpoint.startswith("dir") and _has_files(former, model) else "replies"
    return f"{model.name}=dir:{(former.path / kind / slug(model.name)).resolve()}"


def _has_files(former: RunDir, model: ModelInfo) -> bool:
    """True for a folder model that handed in files: there is no text of a reply then."""
    replies = former.path / "replies" / slug(model.name)
    return not any(replies.glob("*.md"))


def _pytest(words: Sequence[str], *, quiet: bool) -> int:
    """Run pytest; with ``quiet`` its output goes to stderr, so that JSON stays alone.

    A process of its own: pytest has to see this package before anybody imported it. ``-P`` keeps the current folder
    off the path, as with the ``pytest`` command.
    """
    command = [sys.executable, "-P", "-m", "pytest", *words]
    return subprocess.run(command, check=False, stdout=sys.stderr if quiet else None).returncode


def _newest(base: Path) -> Path | None:
    latest = base / "latest"
    return latest.resolve() if latest.exists() else None


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
    counts = f"{len(found.verdicts)} of {found.compared} verdicts moved, {len(found.ranks)} ranks or totals"
    print(f"regraded: {counts}; {found.left_out} attempts without a score on one side")
