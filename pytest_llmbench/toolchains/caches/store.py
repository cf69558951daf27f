"""Where caches are kept, and how one comes about: whole or not at all, and never changed afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.untrusted import files as untrusted

VARIABLE = "LLMBENCH_TOOLCHAIN_CACHE"
"""Environment variable that names another folder than the user's own cache folder."""
_FORMAT = 1
"""Part of every name: to be raised when the same inputs are laid out in another way."""
_DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One cache: a folder whose name holds everything that shapes its content."""

    name: str

    @property
    def path(self) -> Path:
        """Where it is, or will be. A sandbox shows it at this very path."""
        return base_folder() / self.name

    @property
    def made(self) -> bool:
        """True once it is there, which means: whole."""
        return self.path.is_dir()

    def make(self, fill: Callable[[Path], None]) -> Path:
        """Let ``fill`` put the content into a new folder, unless the entry is there; returns where it is.

        Of several processes one fills it and the others wait. What ``fill`` leaves may be hostile: links are kept and
        not followed, and only files, folders and links remain. Raises ``HarnessError`` when it cannot be written;
        ``fill``'s own exceptions pass.
        """
        if self.made:
            return self.path
        try:
            base = base_folder()
            base.mkdir(parents=True, exist_ok=True)
            with _locked(base / f"{self.name}.lock"):
                if not self.made:  # by another process, while we waited
                    self._fill(base, fill)
        except OSError as error:
            raise HarnessError(
                f"the cache {self.path} cannot be made: {error}. "
                f"Make room there, or name another folder in the environment variable {VARIABLE}."
            ) from error
        return self.path

    def _fill(self, base: Path, fill: Callable[[Path], None]) -> None:
        prefix = f".{self.name}."
        for left in base.glob(f"{prefix}*"):  # by a process that was killed: we have the lock
            shutil.rmtree(left, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
        try:
            fill(new)
            _seal(new)
            new.rename(self.path)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise


def base_folder() -> Path:
    """The folder of all caches; it need not exist."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given).expanduser().resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().resolve() / "pytest-llmbench"


def digest(*parts: str | bytes) -> str:
    """A short hash of texts in their order, and of the kind of machine, for the name of an entry."""
    whole = hashlib.sha256(f"{_FORMAT} {platform.system()} {platform.machine()}\n".encode())
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(f"{len(data)}\n".encode() + data)
    return whole.hexdigest()[:_DIGEST_LENGTH]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait for the lock, which the system gives back when its holder dies."""
    import fcntl  # missing on Windows, where everything that needs no cache still runs

    # Without a link followed, and without emptying it: another user may have put a name there that leads elsewhere.
    lock = untrusted.open_to_append(path.parent, path.name)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _seal(root: Path) -> None:
    """Make a tree ours, readable for everybody and writable for nobody by accident.

    Folders stay writable for their owner, so that a plain ``rm -r`` removes a cache.
    """
    _own(root, 0o755)
    # Downwards, so that a folder which forbids to look into it is opened first.
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                _own(path, 0o755)
            elif stat.S_ISREG(mode):
                _own(path, 0o555 if mode & 0o111 else 0o444)
            elif stat.S_ISLNK(mode):
                os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)
            else:
                path.unlink()


def _own(path: Path, mode: int) -> None:
    """``mode`` after the owner: a change of owner could leave, and a user without account could use, odd rights."""
    if path.stat().st_uid != os.geteuid():
        os.chown(path, os.geteuid(), os.getegid())
    path.chmod(mode)
