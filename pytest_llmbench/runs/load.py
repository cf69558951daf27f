"""Loading results of earlier runs, named by a run folder, a ``results.json`` or a run id."""

from __future__ import annotations

from pathlib import Path

from pytest_llmbench.errors import StoreError
from pytest_llmbench.runs.results import load_results
from pytest_llmbench.schema.results import READABLE_VERSIONS, SCHEMA_VERSION, Results
from pytest_llmbench.schema.run_files import BASE, RESULTS
from pytest_llmbench.store.records import MOST_RECORD_BYTES, MOST_RECORD_VALUES, what_is_wrong
from pytest_llmbench.store.run_dir import RunDir
from pytest_llmbench.store.streaming import read_slim
from pytest_llmbench.untrusted import files, json_text


def read_results(name: str | Path, base: Path = BASE, *, slim: bool = False) -> Results:
    """The results of ``name``: a file, a run folder, a directory with a ``results.json``, or a run id.

    A run that was killed has no such file: its records are read. ``slim``: attempts without their rubric points, in a
    fifth of the memory. Raises ``StoreError`` that names the file and what is wrong with it.
    """
    path = Path(name)
    if path.exists() and not path.is_dir():
        return _checked(_read_file(path, slim=slim), path)
    run = open_run(name, base)
    path = run.path / RESULTS
    try:
        results = _read_file(path, slim=slim)
    except FileNotFoundError:
        return load_results(run)
    return _checked(results, path)


def open_run(name: str | Path, base: Path = BASE) -> RunDir:
    """The run folder of ``name``: its path, its id, or ``latest``. Raises ``StoreError``."""
    path = Path(name)
    return RunDir(path) if path.is_dir() else RunDir.open(base, str(name))


def _read_file(path: Path, *, slim: bool) -> Results:
    """Raises ``StoreError``, or ``FileNotFoundError``."""
    try:
        if slim:
            return read_slim(path)
        # Not pydantic's own JSON: that has no form for the lone surrogates that a server's text may hold.
        data = files.read(path.parent, path.name, most_bytes=MOST_RECORD_BYTES)
        return Results.model_validate(json_text.parse(data, most_values=MOST_RECORD_VALUES))
    except ValueError as error:
        raise StoreError(
            f"{path} is not a results.json that this version can read: {what_is_wrong(error)}. Name another file."
        ) from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}. Make it readable.") from error


def _checked(results: Results, path: Path) -> Results:
    if results.schema_version not in READABLE_VERSIONS:
        raise StoreError(
            f"{path} has schema version {results.schema_version}, but this version reads "
            f"{' and '.join(map(str, READABLE_VERSIONS))}. Use the version of pytest-llmbench that wrote it."
        )
    return results.model_copy(update={"schema_version": SCHEMA_VERSION})
