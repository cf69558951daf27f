"""From a run folder to its report: attempt by attempt, so that memory does not grow with the run."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_llmbench.errors import StoreError
from pytest_llmbench.reporting.html.details import AttemptEvidence, Turn
from pytest_llmbench.reporting.html.page import pieces
from pytest_llmbench.schema.attempt import ItemRecord, Outcome
from pytest_llmbench.schema.kept import handed_in_name
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.schema.results import AttemptResult, ModelInfo, Results
from pytest_llmbench.store.records import read_record
from pytest_llmbench.store.run_dir import RunDir, slug

_LONGEST_FILE = 4_000_000
"""Bytes of one graded file that are read: no file that was handed in is longer."""


def write_html(run: RunDir, results: Results, path: Path) -> None:
    """Write the report of a run as one HTML file, whole or not at all. Raises ``StoreError``."""
    plan = read_record(run.path / "plan.json", Plan) or Plan()
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(3)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces(results, plan.tasks, gather(run, results, plan)))
        beside.replace(path)
    except OSError as error:
        raise StoreError(
            f"cannot write the report {path}: {error.strerror or error}. Free or unlock that place, or choose another."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def gather(run: RunDir, results: Results, plan: Plan) -> Iterator[tuple[AttemptResult, AttemptEvidence]]:
    """What the run folder keeps of each attempt, in the order of the results; what is not there is left empty."""
    models = {model.name: model for model in results.models}
    modules: dict[AttemptKey, str] = {}
    for item, ref in plan.items.items():
        modules.setdefault(ref.key, item.partition("::")[0])
    items = _ItemLines(run.path / "items.jsonl")
    for attempt in results.attempts:
        key = AttemptKey(attempt.task, attempt.model, attempt.epoch)
        turns = list(_turns(run, key))
        folder = run.files_dir(key)
        yield (
            attempt,
            AttemptEvidence(
                turns=turns,
                files=_files(folder) if folder.is_dir() else None,
                items=items.of(key),
                again=_again(run, modules.get(key, ""), models.get(key.model), results),
                where=f"{run.reply_stem(key._replace(turn=max(1, len(turns))))}.json",
            ),
        )


class _ItemLines:
    """The records of single attempts out of a long file of them; only places are kept in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[AttemptKey, list[int]] = {}
        place = 0
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):  # a last line without its end was cut off by a kill
                    self._places.setdefault(self._parsed(line).key, []).append(place)
                place += len(line)

    def of(self, key: AttemptKey) -> list[ItemRecord]:
        """An attempt's records; of one graded twice the later one counts."""
        places = self._places.get(key)
        if not places:
            return []
        latest: dict[tuple[str, str], ItemRecord] = {}
        with self._path.open("rb") as file:
            for place in places:
                file.seek(place)
                record = self._parsed(file.readline())
                latest[record.point, record.case] = record
        return list(latest.values())

    def _parsed(self, line: bytes) -> ItemRecord:
        try:
            return ItemRecord.model_validate(json.loads(line))
        except ValueError as error:
            raise StoreError(f"{self._path} holds a line that is no record. Restore the file.") from error


def _turns(run: RunDir, key: AttemptKey) -> Iterator[Turn]:
    """The replies of an attempt, as far as they were recorded."""
    number = 1
    while True:
        path = run.path / f"{run.reply_stem(key._replace(turn=number))}.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            outcome = Outcome.model_validate(content["outcome"])
        except (OSError, ValueError, KeyError, TypeError, ValidationError):
            return
        completion = outcome.completion
        yield Turn(
            reply=completion.text if completion else "",
            reasoning=completion.reasoning if completion else "",
            told=_told(content) if number > 1 else "",
            failure=outcome.failure,
        )
        number += 1


def _told(content: Any) -> str:
    """The last message that was sent."""
    try:
        return str(content["request"]["messages"][-1]["content"])
    except (KeyError, IndexError, TypeError):
        return ""


def _files(folder: Path) -> dict[str, str]:
    """Name -> text of the files that were graded; links are not followed."""
    return {
        handed_in_name(path.relative_to(folder).as_posix()): _text(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_FILE)
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}. Unlock or restore it.") from error
    return content.decode("utf-8", "backslashreplace")


def _again(run: RunDir, module: str, model: ModelInfo | None, results: Results) -> str:
    """The line that grades the attempt again from what is stored; empty where it is not known."""
    options = results.run.options
    if not module or (model is None and not options.get("selfcheck")):
        return ""
    words = ["pytest", module]
    if options.get("selfcheck"):
        words.append("--llm-selfcheck")
    elif model is not None:
        words.append(f"--llm-model={_files_of(run, model, options.get('models', []))}")
    if options.get("epochs", 1) != 1:
        words.append(f"--llm-epochs={options['epochs']}")
    return shlex.join(words)


def _files_of(run: RunDir, model: ModelInfo, chosen: Iterable[str]) -> str:
    """What ``--llm-model`` takes for the replies of one model: its own folder as it was named, else the run's."""
    if model.endpoint in ("builtin", "dir"):
        named = (spec for spec in chosen if spec == model.name or spec.startswith(f"{model.name}="))
        return next(named, model.name)
    return f"{model.name}=dir:{'/'.join([*run.path.parts[-3:], 'replies', slug(model.name)])}"
