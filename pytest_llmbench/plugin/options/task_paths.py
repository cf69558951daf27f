"""Task folders to collect: those of ``--llm-suite``, or of the ini ``llm_taskpaths`` when no path is given."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.schema.settings import Settings
from pytest_llmbench.shipped import shipped

SELECTED_PARTS = pytest.StashKey[Mapping[Path, Sequence[str]]]()
"""Of folders that loaders read: what the command line names of their tasks and points; of others all is run."""


def add_task_paths(settings: Settings, early_config: pytest.Config, args: list[str]) -> None:
    """Put what is to be collected into the command line, before pytest looks for conftest files.

    In front: behind ``--debug`` or ``--cache-show`` a path would be taken for the option's value.
    Raises ``OptionError`` for a suite or task folder that does not exist.
    """
    namespace = early_config.known_args_namespace
    typed: list[str] = list(namespace.file_or_dir)
    extra: list[Path] = []
    if settings.suites or settings.loaded:
        folders = [_suite_folder(name, settings) for name in settings.suites]
        extra = [folder for folder in folders if not _narrowed(folder, early_config, args)]
        extra += _loaded_paths(settings, early_config, args)
        typed = list(namespace.file_or_dir)
    elif settings.active and not typed and early_config.invocation_params.dir == early_config.rootpath:
        extra = list(_own_folders(settings))
        for folder in extra:
            if not folder.is_dir():
                raise OptionError(
                    f"llm_taskpaths in the ini file names {folder}, which is not a directory. Fix llm_taskpaths."
                )
    paths = [_argument(path, early_config.invocation_params.dir) for path in extra]
    args[:0] = paths
    namespace.file_or_dir = paths + typed


def _narrowed(folder: Path, early_config: pytest.Config, args: list[str]) -> bool:
    """True where the command line names a part of a suite: that part is run and not the whole.

    Parts are also known by the node ids that a session with the suite prints, which begin below its folder.
    """
    namespace = early_config.known_args_namespace
    found, place = False, _argument(folder, early_config.invocation_params.dir)
    for word in list(namespace.file_or_dir):
        path, below = _path_of(word, early_config), folder / word.partition("::")[0]
        if path.exists():
            found = found or folder in path.parents
        elif below.exists() and below != folder:
            found = True
            for words in (args, namespace.file_or_dir):
                words[:] = [f"{place}/{each}" if each == word else each for each in words]
    return found


def _argument(path: Path, here: Path) -> str:
    """The path as pytest's argument, in which ``[`` and ``::`` are taken for parts of a test's name.

    Raises ``OptionError`` where they are below the current folder; above it they need not be written.
    """
    text = next((text for text in (str(path), os.path.relpath(path, here)) if not _ends_early(text)), None)
    if text is None:
        raise OptionError(
            f"{path} cannot be run: pytest takes '[' and '::' in a path for parts of a test's name. "
            "Rename the folder, or run pytest in it."
        )
    return text


def _ends_early(text: str) -> bool:
    return "[" in text or "::" in text


def _loaded_paths(settings: Settings, early_config: pytest.Config, args: list[str]) -> Iterator[Path]:
    """What loaders read, without what the command line has as arguments: these say which part of it is run.

    pytest knows no node ids below a folder: such arguments become the folder, and what is behind it is noted.
    """
    namespace = early_config.known_args_namespace
    parts: dict[Path, list[str]] = {}
    early_config.stash[SELECTED_PARTS] = parts
    for suite in settings.loaded:
        if not suite.path.exists():
            raise OptionError(f"--llm-suite={suite.text}: there is no file or folder {suite.path}.")
        typed = [word for word in namespace.file_or_dir if _path_of(word, early_config) == suite.path]
        below = [word for word in typed if "::" in word and suite.path.is_dir()]
        for words in (args, namespace.file_or_dir):
            words[:] = [word for word in words if word not in below]
        if below == typed:  # the folder itself is not an argument
            yield suite.path
            if below:
                parts[suite.path] = [word.partition("::")[2] for word in below]


def _path_of(word: str, config: pytest.Config) -> Path:
    return Path(os.path.abspath(config.invocation_params.dir / word.partition("::")[0]))  # noqa: PTH100  # as pytest


def _own_folders(settings: Settings) -> Iterable[Path]:
    return (settings.rootdir / path for path in settings.task_paths)


def _suite_folder(name: str, settings: Settings) -> Path:
    roots = [*_own_folders(settings), shipped("tasks")]
    for root in roots:
        if (root / name).is_dir():
            return root / name
    known = sorted({p.name for root in roots for p in _subfolders(root)})
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise OptionError(f"--llm-suite={name}: no such suite. {hint}Known: {', '.join(known) or 'none'}.")


def known_suites(settings: Settings) -> frozenset[str]:
    """Names of the suites that ``--llm-suite`` can mean here."""
    roots = [*_own_folders(settings), shipped("tasks")]
    return frozenset(path.name for root in roots for path in _subfolders(root))


def _subfolders(root: Path) -> Sequence[Path]:
    if not root.is_dir():
        return []
    return [p for p in root.iterdir() if p.is_dir() and not p.name.startswith(("_", "."))]
