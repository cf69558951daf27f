"""The HTML report's data from a run folder: one attempt at a time, so that memory does not grow with the run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_llmbench.errors import StoreError
from pytest_llmbench.reporting.html.details import AttemptEvidence, Turn
from pytest_llmbench.reporting.html.page import pieces
from pytest_llmbench.schema import builtin
from pytest_llmbench.schema.attempt import Failure, ItemRecord
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.outcome import HandedInFiles, completion_of, failure_of
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.schema.results import AttemptResult, ModelInfo, Results
from pytest_llmbench.schema.run_files import EXCHANGE, ITEMS, PLAN, handed_in_name
from pytest_llmbench.schema.tree import Tree
from pytest_llmbench.store.exchanges import read_exchange
from pytest_llmbench.store.records import RecordLog, read_record
from pytest_llmbench.store.run_dir import RunDir, files_parts, reading, write_atomically
from pytest_llmbench.store.trees import StoredTree
from pytest_llmbench.untrusted import files

LONGEST_FILE = 4_000_000
"""Bytes of one graded file that are read: no file that was handed in is longer."""
_MOST_FILES = 2000
_SHOWN_FILES, _SHOWN_BYTES = 200, LONGEST_FILE
"""Of a tree that was handed in: how much of it a report holds."""
_MODULE = re.compile(r"[\w.@+][\w.@+ -]*(/[\w.@+ -]+)*\.py")
"""A test module as this project names them; what begins with a dash would be an option to whoever copies the line."""
_SUITE = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


def write_html(run: RunDir, results: Results, path: Path) -> None:
    """Write the report of a run as one HTML file, completely or not at all. Raises ``StoreError``."""
    plan = read_record(run.path / PLAN, Plan) or Plan()
    try:
        write_atomically(path, pieces(results, plan.tasks, gather(run, results, plan)))
    except OSError as error:
        raise StoreError(
            f"cannot write the report {path}: {error.strerror or error}. Make space or make it writable, or choose "
            "another path."
        ) from error


def gather(run: RunDir, results: Results, plan: Plan) -> Iterator[tuple[AttemptResult, AttemptEvidence]]:
    """The evidence of each attempt in the run folder, in the order of the results; missing parts are left empty."""
    models = {model.name: model for model in results.models}
    suites = {card.id: card.suite for card in plan.tasks}
    modules: dict[AttemptKey, str] = {}
    for item, ref in plan.items.items():
        modules.setdefault(ref.key, item.partition("::")[0])
    items = _ItemLines(run.path / ITEMS)
    for attempt in results.attempts:
        key = AttemptKey(attempt.task, attempt.model, attempt.epoch)
        turns, tree = _turns(run, key)
        yield (
            attempt,
            AttemptEvidence(
                turns=turns,
                files=graded_files(run, key) if tree is None else frozen_files(run, key, tree),
                items=items.of(key),
                again=_again(run, modules.get(key, ""), suites.get(key.task, ""), models.get(key.model), results),
                where=f"{run.reply_stem(key.turn(max(1, len(turns))))}{EXCHANGE}",
            ),
        )


class _ItemLines:
    """The records of single attempts out of a long file of them; only places are kept in memory."""

    def __init__(self, path: Path) -> None:
        self._log = RecordLog(path, ItemRecord)
        self._places: dict[AttemptKey, list[tuple[int, int]]] = {}
        for place, length, record in self._log.places():
            self._places.setdefault(record.key, []).append((place, length))

    def of(self, key: AttemptKey) -> list[ItemRecord]:
        """An attempt's records; of one graded twice the later one counts."""
        places = self._places.get(key)
        found = self._log.read_at(places) if places else ()
        return list({(record.point, record.case): record for record in found}.values())


def _turns(run: RunDir, key: AttemptKey) -> tuple[list[Turn], Tree | None]:
    """The replies of an attempt, as far as they were recorded; one that is damaged says so, and is the last.

    With the manifest of the files that were handed in, if it ended so.
    """
    turns: list[Turn] = []
    tree = None
    while True:
        try:
            exchange = read_exchange(run, key.turn(len(turns) + 1))
        except StoreError as error:
            turns.append(Turn(reply="", reasoning="", told="", failure=Failure(kind="grader", message=str(error))))
            return turns, None
        if exchange is None:
            return turns, tree
        tree = exchange.outcome.tree if isinstance(exchange.outcome, HandedInFiles) else None
        completion = completion_of(exchange.outcome)
        turns.append(
            Turn(
                reply=completion.text if completion else "",
                reasoning=completion.reasoning if completion else "",
                told=exchange.request.messages[-1].content if turns and exchange.request else "",
                failure=failure_of(exchange.outcome),
            )
        )


def frozen_files(run: RunDir, key: AttemptKey, tree: Tree) -> dict[str, str]:
    """The files of a tree, name -> text, as far as a page can show them; the last entry says what it cannot.

    One that is missing, or is not what was handed in, says so in its place.
    """
    stored, shown, left = StoredTree(run, key, tree), {}, _SHOWN_BYTES
    for file in tree.files[:_SHOWN_FILES]:
        if file.size > left:
            continue
        left -= file.size
        try:
            shown[file.name] = stored[file.name].decode("utf-8", "backslashreplace")
        except StoreError as error:
            shown[file.name] = str(error)
    more = len(tree.files) - len(shown)
    if more:
        shown[f"({more} more)"] = (
            f"{more} more files, {sum(file.size for file in tree.files)} bytes in all, are not shown."
        )
    return shown


def graded_files(run: RunDir, key: AttemptKey) -> dict[str, str] | None:
    """The graded files, name -> text; None: no folder of them exists. Raises ``StoreError``."""
    with reading(run.files_dir(key)):
        found = files.below(run.path, files_parts(key), most_files=_MOST_FILES, most_bytes=LONGEST_FILE)
        return {handed_in_name(name): data.decode("utf-8", "backslashreplace") for name, data in found}
    return None


def _again(run: RunDir, module: str, suite: str, model: ModelInfo | None, results: Results) -> str:
    """The line that grades the attempt again from what is stored; empty where it is not known.

    People copy it, so what a record says goes into it only where it cannot mean something else than it seems.
    """
    options = results.run.options
    if not _MODULE.fullmatch(module) or ".." in module or (model is None and not options.selfcheck):
        return ""
    # A module of a suite that was chosen by its name is named below the suite's folder, wherever that is.
    named = suite in options.suites and _SUITE.fullmatch(suite) is not None
    words = ["pytest", *([f"--llm-suite={suite}"] if named else []), module]
    if options.selfcheck:
        words.append("--llm-selfcheck")
    elif model is not None:
        chosen = _files_of(run, model, options.models)
        if "," in chosen or "=" in model.name:  # an option would take it for something else
            return shlex.join(["llmbench", "regrade", "/".join(run.path.parts[-3:]), "--", module])
        words.append(f"--llm-model={chosen}")
    if options.epochs != 1:
        words.append(f"--llm-epochs={options.epochs}")
    return shlex.join(words)


def _files_of(run: RunDir, model: ModelInfo, chosen: Iterable[str]) -> str:
    """The value of ``--llm-model`` for one model's replies: its own directory if it has one, otherwise the run."""
    if model.endpoint in ("builtin", "dir"):
        named = (spec for spec in chosen if spec == model.name or spec.startswith(f"{model.name}="))
        spec = next(named, model.name)
        if spec.removeprefix(f"{model.name}=").startswith((builtin.PREFIX, "dir:")):
            return spec
    return f"{model.name}=run:{'/'.join(run.path.parts[-3:])}"
