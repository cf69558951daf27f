"""Results of earlier runs, by what a user names: a run folder, its ``results.json`` alone, or a run's id."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from pytest_llmbench.errors import StoreError
from pytest_llmbench.pipeline.results import RESULTS, load_results
from pytest_llmbench.schema.results import SCHEMA_VERSION, Results
from pytest_llmbench.store.run_dir import RunDir
from pytest_llmbench.store.streaming import read_slim

BASE = Path(".llmbench")


def read_results(name: str | Path, base: Path = BASE, *, slim: bool = False) -> Results:
    """The results that ``name`` means: a file, a run folder, a folder with a file ``results.json``, or a run id.

    A run that was killed has no such file: its records are read. ``slim``: attempts without their rubric points, in a
    fifth of the memory. Raises ``StoreError`` saying what is wrong with which file.
    """
    path = Path(name)
    if not path.is_file():
        if not path.is_dir():
            path = open_run(name, base).path
        if not (path / RESULTS).is_file():
            return load_results(RunDir(path))
        path /= RESULTS
    return _read_file(path, slim=slim)


def open_run(name: str | Path, base: Path = BASE) -> RunDir:
    """The run folder that ``name`` means: its path, its id, or ``latest``. Raises ``StoreError``."""
    path = Path(name)
    return RunDir(path) if path.is_dir() else RunDir.open(base, str(name))


def runs_below(folders: list[Path]) -> list[Path]:
    """The folders of all runs in these folders and below, oldest first; ids begin with their time."""
    found = {header.parent for folder in folders for header in folder.rglob("run.json") if header.is_file()}
    return sorted({path.resolve() for path in found}, key=lambda path: path.name)


def _read_file(path: Path, *, slim: bool) -> Results:
    try:
        # Not pydantic's own JSON: that has no form for the lone surrogates that a server's text may hold.
        results = read_slim(path) if slim else Results.model_validate(json.loads(path.read_bytes()))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise StoreError(f"{path} is no results.json of this version: {where}: {first['msg']}.") from error
    except ValueError as error:
        raise StoreError(f"{path} is no results.json of this version: {error}.") from error
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror or error}.") from error
    if results.schema_version != SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema version {results.schema_version}, this version reads {SCHEMA_VERSION}. "
            "Take the version of pytest-llmbench that wrote it."
        )
    return results
