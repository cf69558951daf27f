"""Writing a model's files into a workspace, and reading back what a program left there.

Names and contents come from the model; after a program has run, so does everything else in the folder. No link is
ever followed: each component of a name is opened by itself, below the one before.
"""

from __future__ import annotations

import errno
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pytest_llmbench.untrusted import files as untrusted

MAX_TOTAL_BYTES = 10_000_000
"""Size of all files of one call together."""
MAX_FILES = 2000
_MAX_COMPONENT_BYTES = 255
_MAX_NAME_BYTES = 1024
_MAX_DEPTH = 20
_INVISIBLE = ("Cc", "Cf", "Cs")
"""Unicode categories: control characters, formatting such as bidi overrides, lone surrogates."""
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class Refused(NamedTuple):
    """A file that was not written."""

    name: str
    reason: str


def write_files(
    root: Path,
    files: Mapping[str, str | bytes],
    *,
    below: Sequence[str] = (),
    executable: Collection[str] = (),
    most_files: int = MAX_FILES,
    most_bytes: int = MAX_TOTAL_BYTES,
) -> list[Refused]:
    """Write ``files`` (name relative to ``root``: content) below the existing folder ``root``.

    ``below``: the components of a folder in ``root`` that they go to; ``executable``: those that are programs. A
    file of the same name is replaced. What cannot be written safely is refused, one by one and in the order given; the
    rest is written. Raises ``OSError`` only for ``root`` itself and for a full disk.
    """
    refused: list[Refused] = []
    for name, parts, data in _acceptable(files, refused, most_files, most_bytes):
        try:
            _write(root, [*below, *parts], data, executable=name in executable)
        except _RefusedError as error:
            refused.append(Refused(name, str(error)))
    return refused


def refusals(files: Mapping[str, str | bytes], *, most_files: int = MAX_FILES) -> list[Refused]:
    """Those of ``files`` that could be written nowhere, for their names, contents, size or number; writes nothing."""
    refused: list[Refused] = []
    for _ in _acceptable(files, refused, most_files, MAX_TOTAL_BYTES):
        pass
    return refused


class _RefusedError(ValueError):
    """Why one file is refused."""


def _acceptable(
    files: Mapping[str, str | bytes], refused: list[Refused], most_files: int, most_bytes: int
) -> Iterator[tuple[str, list[str], bytes]]:
    """Name, components and content of each file that nothing speaks against; the others go to ``refused``."""
    taken: dict[str, tuple[str, bool]] = {}
    total = count = 0
    for name, content in files.items():
        try:
            parts = name_parts(name)
            _claim(parts, taken)
            data = content if isinstance(content, bytes) else _encoded(content)
            if count + 1 > most_files or total + len(data) > most_bytes:
                raise _RefusedError(f"all files together are more than {most_files} files or {most_bytes} bytes")  # noqa: TRY301
        except _RefusedError as error:
            refused.append(Refused(str(name), str(error)))
        else:
            total, count = total + len(data), count + 1
            yield name, parts, data


def name_parts(name: object) -> list[str]:
    """The components of a safe relative name; raises ``ValueError`` that says what is wrong with another."""
    if not isinstance(name, str) or not name:
        raise _RefusedError("the name is empty")
    if any(unicodedata.category(character) in _INVISIBLE for character in name):
        raise _RefusedError("the name has control or invisible characters")
    if name.startswith(("/", "~")) or "\\" in name or ":" in name:
        raise _RefusedError("the name is not relative, or has a backslash or colon")
    parts = name.split("/")
    if len(parts) > _MAX_DEPTH or len(name.encode()) > _MAX_NAME_BYTES:
        raise _RefusedError(f"the name is deeper than {_MAX_DEPTH} folders or longer than {_MAX_NAME_BYTES} bytes")
    for part in parts:
        if part in ("", ".", ".."):
            raise _RefusedError("the name has an empty, '.' or '..' component")
        if len(part.encode()) > _MAX_COMPONENT_BYTES:
            raise _RefusedError(f"a component is longer than {_MAX_COMPONENT_BYTES} bytes")
        if part.endswith((" ", ".")) or _DEVICE.fullmatch(part):
            raise _RefusedError(f"{part!r} is no portable file name")
        if part.casefold() == ".git":
            raise _RefusedError("git would run what lies there")
    return parts


def _claim(parts: list[str], taken: dict[str, tuple[str, bool]]) -> None:
    """Note the name and its folders in ``taken`` (folded: as written, whether a file).

    Refuses a name that differs from an earlier one only in case or form, and a file where a folder is or the reverse.
    """
    claims = {}
    for count in range(1, len(parts) + 1):
        path = "/".join(parts[:count])
        is_file = count == len(parts)
        folded = unicodedata.normalize("NFC", path.casefold())
        earlier, was_file = taken.get(folded, (path, is_file))
        if earlier != path:
            raise _RefusedError(f"it differs from {earlier!r} only in case")
        if was_file != is_file:
            raise _RefusedError(f"{path!r} would be both a file and a folder")
        claims[folded] = path, is_file
    taken |= claims


def _encoded(text: object) -> bytes:
    if not isinstance(text, str):
        raise _RefusedError("its content is not text")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _RefusedError("its content is not valid Unicode") from None


def _write(root: Path, parts: Sequence[str], data: bytes, *, executable: bool) -> None:
    try:
        untrusted.write(root, "/".join(parts), [data], mode=0o777 if executable else 0o666)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        raise _RefusedError(f"it cannot be written: {error.strerror}") from None
