"""Run folders as somebody might send them: a plain one, and everything that can be put into its places."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.synthetic import synthetic_run

from pytest_llmbench.store.run_dir import RunDir

SECRET = "SECRET-OF-VICTIM"
NAMES = ("run.json", "plan.json", "attempts.jsonl", "items.jsonl", "results.json")

Put = Callable[[Path, Path], None]
"""Puts something in a place; the second path is a file of somebody's outside."""


def plain_run(base: Path) -> RunDir:
    """Two models, one task, two epochs, with a ``results.json``."""
    return synthetic_run(base, models=2, tasks=1, epochs=2, hostile=False)[0]


def copied(run: RunDir, to: Path) -> RunDir:
    """Another folder with the same in it."""
    shutil.copytree(run.path, to)
    return RunDir(to)


def reply(run: RunDir, ending: str = "json") -> Path:
    """The stored reply of one attempt that was scored."""
    return min((run.path / "replies").rglob("*.md")).with_suffix(f".{ending}")


def files_of_reply(run: RunDir) -> Path:
    """The folder of the files of the same attempt."""
    of = reply(run)
    return run.path / "files" / of.parent.name / of.stem


def _link(place: Path, outside: Path) -> None:
    place.symlink_to(outside)


def _hard_link(place: Path, outside: Path) -> None:
    os.link(outside, place)


def _fifo(place: Path, _outside: Path) -> None:
    os.mkfifo(place)


def _endless(place: Path, _outside: Path) -> None:
    place.symlink_to("/dev/zero")


def _device(place: Path, _outside: Path) -> None:
    try:
        os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")


def _folder(place: Path, _outside: Path) -> None:
    place.mkdir()


def _loop(place: Path, _outside: Path) -> None:
    place.symlink_to(place.name)


NOT_PLAIN: dict[str, Put] = {
    "link": _link,
    "hard link": _hard_link,
    "FIFO": _fifo,
    "link to /dev/zero": _endless,
    "device": _device,
    "folder": _folder,
    "link to itself": _loop,
}


def _written(content: bytes) -> Put:
    return lambda place, _outside: place.write_bytes(content) and None


def _sparse(place: Path, _outside: Path) -> None:
    with place.open("wb") as file:
        file.truncate(2**40)


def _grown(change: Callable[[Any], Any]) -> Put:
    """The text that was there with something else in it."""

    def put(place: Path, _outside: Path) -> None:
        text = place.with_name(place.name + ".before").read_text()
        lines = text.splitlines() if place.suffix == ".jsonl" else [text]
        place.write_text("\n".join(change(line) for line in lines) + "\n")

    return put


def _with_member(value: str) -> Put:
    return _grown(lambda line: line.replace("{", '{"more": ' + value + ", ", 1))


def _numbers(value: str) -> Put:
    def change(line: str) -> str:
        return json.dumps(_replaced(json.loads(line))).replace('"NUMBER"', value)

    return _grown(change)


def _replaced(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each) for each in value]
    return "NUMBER" if isinstance(value, int | float) and not isinstance(value, bool) else value


DAMAGED: dict[str, Put] = {
    "sparse and huge": _sparse,
    "300 levels": _with_member("[" * 300 + "]" * 300),
    "a million levels": _written(b"[" * 1_000_000 + b"\n"),
    "400 digits": _numbers("1" * 400),
    "5000 digits": _numbers("1" * 5000),
    "NaN": _numbers("NaN"),
    "Infinity": _numbers("-Infinity"),
    "1e999": _numbers("1e999"),
    "texts for numbers": _numbers('"Infinity"'),
    "not UTF-8": _written(b'{"run": "\xff\xfe"}\n'),
    "UTF-16": _written("{}\n".encode("utf-16")),
    "another shape": _written(b'[{"run": 3}]\n'),
    "a text": _written(b'"x"\n'),
    "nothing": _written(b""),
}


def put(place: Path, how: Put, outside: Path) -> None:
    """Something else in a place where a run has a plain file or a folder."""
    before = place.with_name(place.name + ".before")
    place.rename(before)
    how(place, outside)
    if before.is_dir():
        shutil.rmtree(before)
    else:
        before.unlink()


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything in a folder, to be compared with later."""
    return dict(_tree(folder))


def _tree(folder: Path) -> Iterator[tuple[str, tuple[int, bytes]]]:
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        yield (
            str(path.relative_to(folder)),
            (status.st_mode, path.read_bytes() if stat.S_ISREG(status.st_mode) else b""),
        )
