"""The files of a task: its data folder, its dependencies, and their fingerprint."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

from pytest_llmbench import toolchains
from pytest_llmbench.catalog.values import names
from pytest_llmbench.errors import TaskError

_MAX_FILE_BYTES = 2_000_000
_LEVELS_UP = 5


def file_names(value: object, where: str) -> tuple[str, ...]:
    """The names of the files to hand in; raises ``TaskError``."""
    found = names(value if value is not None else (), f"files= of {where}")
    if not found:
        raise TaskError(f'{where} needs files=["..."], the file names that the model must hand in.')
    workspace_names(found, "files=", where)
    return found


def workspace_names(found: Sequence[object], what: str, where: str) -> None:
    """Raise ``TaskError`` for a name that is no plain one inside the workspace, or that is there twice."""
    for name in found:
        path = PurePosixPath(name) if isinstance(name, str) else PurePosixPath()
        inside = path.parts and not path.is_absolute() and ".." not in path.parts
        if not isinstance(name, str) or not inside or "\\" in name or str(path) != name or not name.isprintable():
            raise TaskError(
                f"{where}: {what} has {name!r}; give plain names inside the workspace, such as src/main.rs."
            )
        if found.count(name) > 1:
            raise TaskError(f"{where}: {what} has {name!r} twice. Name each file once.")


def data_folder(module: Path, task_id: str, given: object, where: str) -> Path | None:
    """The data folder: the one named, or ``fixtures/ID`` next to the module or above; raises ``TaskError``."""
    if given is not None:
        if not isinstance(given, str) or not given or not (module.parent / given).is_dir():
            raise TaskError(f"{where}: data={given!r} is not a folder (relative to {module.parent}).")
        return (module.parent / given).resolve()
    for folder in [module.parent, *module.parent.parents][:_LEVELS_UP]:
        candidate = folder / "fixtures" / task_id
        if candidate.is_dir():
            return candidate.resolve()
    return None


def dependencies_in(folder: Path, named: Sequence[str], where: str) -> dict[str, str]:
    """The manifests in ``folder`` with their lock files, name to text; ``named``: the task's toolchains."""
    found = {}
    for manifest in toolchains.manifests():
        if not (folder / manifest.name).exists():
            continue
        if manifest.toolchain not in named:
            raise TaskError(
                f"{where}: {folder / manifest.name} is for {manifest.toolchain}, which is missing in "
                "toolchains=. Add it."
            )
        if not (folder / manifest.lock).exists():
            raise TaskError(
                f"{folder} has a {manifest.name} without {manifest.lock}, which fixes every version. "
                f"Run there: {manifest.lock_command}"
            )
        for name in (manifest.name, manifest.lock):
            found[name] = read_text(folder / name, f"a dependency of {where}")
    return found


def read_folder(folder: Path) -> dict[str, str]:
    """Every file of a folder, by relative path; raises ``TaskError``."""
    if not folder.is_dir():
        return {}
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(folder).as_posix(): read_text(p, "a starter file") for p in paths}


def read_text(path: Path, what: str) -> str:
    """A text file; raises ``TaskError`` saying ``what`` it is."""
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise TaskError(f"{path} ({what}) is larger than {_MAX_FILE_BYTES} bytes. Make it smaller.")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TaskError(f"{path} does not exist: {what}. Write it, or name another file.") from None
    except (OSError, ValueError) as error:
        raise TaskError(f"{path} ({what}) cannot be read as UTF-8 text: {error}. Fix the file.") from error


def fingerprint_of(
    module: Path, prompt: str, starter: Mapping[str, str], dependencies: Mapping[str, str], *, own_folder: bool
) -> str:
    """The hash of everything that affects prompt and verdict; with a prompt file, all files next to the module.

    Hidden files are not hashed: editors and file managers leave them.
    """
    # Not listed for nothing: a thousand tasks may share a folder.
    beside = _visible_files(module.parent) if own_folder else [module]
    return _digest([*_told(prompt, starter, dependencies), *((path.name, path.read_bytes()) for path in beside)])


def loaded_fingerprint(
    loaded: Sequence[tuple[str, str]],
    code: Sequence[Path],
    prompt: str,
    starter: Mapping[str, str],
    dependencies: Mapping[str, str],
) -> str:
    """The same of a task without a module: ``loaded`` is what its loader says, ``code`` are its functions' files."""
    return _digest(
        [
            *_told(prompt, starter, dependencies),
            *((label, text.encode()) for label, text in loaded),
            *((path.name, _source_bytes(path)) for path in code),
        ]
    )


@lru_cache(maxsize=64)
def _source_bytes(path: Path) -> bytes:
    """Kept, because hundreds of tasks have one loader. A function made by ``exec`` has no file."""
    return path.read_bytes() if path.is_file() else b""


def _told(prompt: str, starter: Mapping[str, str], dependencies: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    yield "prompt", prompt.encode()
    yield from ((f"starter/{name}", text.encode()) for name, text in starter.items())
    yield from ((f"dependencies/{name}", text.encode()) for name, text in dependencies.items())


def _digest(parts: Iterable[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for label, content in parts:
        digest.update(f"{label}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _visible_files(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return sorted(Path(each) for each in entries if not each.name.startswith(".") and each.is_file())
