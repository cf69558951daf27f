"""A small container image made of this machine's own files: a shell, a few commands and Python. Nothing is pulled."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sysconfig
import tarfile
from pathlib import Path

from pytest_llmbench import toolchains

COMMANDS = ("sh", "cat", "chmod", "env", "id", "ls", "setsid", "sleep", "touch", "true", "unshare")
_ENVIRONMENT = ("ENV OF_THE_IMAGE=yes", "ENV PATH=/usr/local/bin:/usr/bin:/bin:/opt/none")
_LEFT_OUT = {"test", "tests", "__pycache__", "site-packages", "dist-packages", "ensurepip", "idlelib", "tkinter"}


def make_image(runtime: str, folder: Path) -> str:
    """Make an image of this process's own with podman or docker; its name. Raises ``CalledProcessError``."""
    name = f"localhost/llmbench-tests:{os.getpid()}"
    archive = folder / "image.tar"
    pack(archive)
    changes = [f"--change={change}" for change in _ENVIRONMENT]
    subprocess.run([runtime, "import", *changes, str(archive), name], check=True, capture_output=True, text=True)
    return name


def remove_image(runtime: str, name: str) -> None:
    """Remove an image that ``make_image`` made."""
    subprocess.run([runtime, "rmi", "--force", name], check=False, capture_output=True)


def pack(archive: Path) -> None:
    """Write the image's file system as a tar archive."""
    with tarfile.open(archive, "w") as tar:
        image = _Image(tar)
        for name in COMMANDS:
            program = shutil.which(name, path="/usr/bin:/bin")
            assert program is not None, name
            image.program(Path(program), f"/usr/bin/{name}")
            image.link(f"/bin/{name}", f"/usr/bin/{name}")
        python = toolchains.find("python")
        assert python is not None
        image.program(python.executable.resolve(), str(python.executable.resolve()))
        image.link("/usr/local/bin/python3", str(python.executable.resolve()))
        image.library(Path(sysconfig.get_path("stdlib")))
        for path in ("/proc", "/sys", "/dev", "/etc", "/w"):
            image.folder(path)
        for path in ("/tmp", "/var/tmp"):
            image.folder(path, 0o1777)


class _Image:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._names: set[str] = {"/"}

    def folder(self, path: str, mode: int = 0o755) -> None:
        if path not in self._names:
            self._above(path)
            self._add(path, tarfile.DIRTYPE, mode)

    def link(self, path: str, target: str) -> None:
        self._above(path)
        self._add(path, tarfile.SYMTYPE, 0o777, target=target)

    def program(self, file: Path, path: str) -> None:
        """A program or library with the libraries that it is linked with, those at their own paths."""
        self._file(file, path)
        listed = subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            self._file(Path(library), library)

    def library(self, folder: Path) -> None:
        """Python's standard library, at its own path."""
        for file in sorted(folder.rglob("*")):
            parts = file.relative_to(folder).parts
            if _LEFT_OUT.isdisjoint(parts) and not parts[0].startswith("config-"):
                if file.suffix == ".so":
                    self.program(file, str(file))
                elif file.suffix == ".py":
                    self._file(file, str(file))

    def _file(self, file: Path, path: str) -> None:
        if path not in self._names:
            self._above(path)
            self._add(path, tarfile.REGTYPE, 0o755, file.read_bytes())

    def _above(self, path: str) -> None:
        self.folder(str(Path(path).parent))

    def _add(self, path: str, kind: bytes, mode: int, data: bytes = b"", target: str = "") -> None:
        self._names.add(path)
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.type, entry.mode, entry.size, entry.linkname = kind, mode, len(data), target
        self._tar.addfile(entry, io.BytesIO(data))
