"""Things on the machine that a hostile program wants, laid out so that every touch can be seen from outside.

A program is told where they are (``targets``), so that it fails for the sandbox's sake and not for want of knowledge;
the secret itself it is never told.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import hashlib
import os
import secrets
import select
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import termios
from pathlib import Path
from typing import Self

from pytest_llmbench import toolchains

_HELPER = """
import ctypes, sys
secret = ctypes.create_string_buffer(sys.stdin.readline().strip().encode())
print(ctypes.addressof(secret), flush=True)
sys.stdin.read()
print("intact" if secret.value.startswith(b"CANARY-") else "overwritten")
"""
_FILES = ("secret.txt", "home/.netrc", "home/.ssh/id_rsa", "home/.bashrc", "tests/test_hidden.py", "results.json")
_HOST_FOLDERS = (
    *("/", "/tmp", "/var/tmp", "/dev/shm", "/dev", "/usr", "/usr/bin", "/usr/lib", "/etc", "/run", "/var", "/sys"),
)


class Canaries:
    """A folder with secrets, services on every kind of socket, a process, a terminal; and what was done to them."""

    def __init__(self) -> None:
        self.secret = f"CANARY-{secrets.token_hex(16)}"
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="hostile-canaries-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._fill()
        self._shared = Path("/dev/shm", self.folder.name)
        self._stack.callback(self._shared.unlink, missing_ok=True)
        self._shared.write_text(f"{self.secret}\n")
        self._shared.chmod(0o666)
        self.tcp = self._listening(socket.socket(socket.AF_INET), ("127.0.0.1", 0))
        self.udp = self._bound(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), ("127.0.0.1", 0))
        self.unix = self._listening(socket.socket(socket.AF_UNIX), str(self.folder / "service.socket"))
        self.abstract = f"hostile-{secrets.token_hex(8)}"
        self._abstract = self._listening(socket.socket(socket.AF_UNIX), f"\0{self.abstract}")
        (self.folder / "service.socket").chmod(0o777)
        self._terminal, self._terminal_end = os.openpty()
        self._stack.callback(os.close, self._terminal)
        self._stack.callback(os.close, self._terminal_end)
        self._start_helper()
        self._stack.callback(self._stop_helper)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def targets(self, token: str) -> dict[str, str]:
        """Where everything is, as environment variables; ``token``: a number that marks one program's traces."""
        where = {
            "TOKEN": token,
            "FOLDER": self.folder,
            "SECRET": self.folder / "secret.txt",
            "HOME": self.folder / "home",
            "SHARED": self._shared,
            "TESTS": self.folder / "tests/test_hidden.py",
            "RESULTS": self.folder / "results.json",
            "REAL_HOME": Path.home(),
            **dict(zip(("PYTHON", "RUST", "GO"), _toolchain_folders(), strict=True)),
            "TCP": self.tcp.getsockname()[1],
            "UDP": self.udp.getsockname()[1],
            "UNIX": self.folder / "service.socket",
            "ABSTRACT": self.abstract,
            "PID": self._helper.pid,
            "ADDRESS": self._address,
            "GRADER": os.getpid(),
            "TTY": os.ttyname(self._terminal_end),
        }
        return {f"TARGET_{name}": str(value) for name, value in where.items()}

    def harm(self, token: str) -> list[str]:
        """What the program ``token`` did to them, in words; they are whole again afterwards."""
        shared = [] if self._shared.read_text() == f"{self.secret}\n" else ["changed outside: shared memory"]
        return [*self._changed(), *shared, *self._contacts(), *self._helper_harm(), *_left_outside(token, self.folder)]

    def _fill(self) -> None:
        self.folder.chmod(0o777)
        for name in _FILES:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.parent.chmod(0o777)  # only the sandbox is in the way
            path.write_text(f"{self.secret}\n")
            path.chmod(0o666)
        self._before = self._snapshot()

    def _snapshot(self) -> dict[str, tuple[object, ...]]:
        """Everything that can be changed about the canary files."""
        found = {}
        for path in [self.folder, *sorted(self.folder.rglob("*"))]:
            status = path.lstat()
            if stat.S_ISSOCK(status.st_mode):
                continue
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            times = status.st_mtime_ns if path != self.folder else 0  # the socket came after the files
            links = status.st_nlink if path.is_file() else 0
            facts = (status.st_mode, status.st_uid, status.st_gid, status.st_ino, links, status.st_size, times, content)
            found[str(path.relative_to(self.folder))] = (*facts, tuple(os.listxattr(path, follow_symlinks=False)))
        return found

    def _changed(self) -> list[str]:
        after = self._snapshot() if self.folder.exists() else {}
        changed = sorted(name for name in self._before | after if self._before.get(name) != after.get(name))
        if changed:
            for name in changed:
                with contextlib.suppress(OSError):
                    shutil.rmtree(self.folder / name) if (self.folder / name).is_dir() else (
                        self.folder / name
                    ).unlink()
            self.folder.mkdir(exist_ok=True)
            self._fill()
        return [f"changed outside: {name}" for name in changed]

    def _listening(self, server: socket.socket, address: object) -> socket.socket:
        server = self._bound(server, address)
        server.listen(100)
        return server

    def _bound(self, server: socket.socket, address: object) -> socket.socket:
        self._stack.callback(server.close)
        server.bind(address)
        server.setblocking(False)
        return server

    def _contacts(self) -> list[str]:
        """Connections that the kernel made for the servers, and datagrams that it kept for them."""
        found = []
        for name, server in {"TCP": self.tcp, "unix": self.unix, "abstract unix": self._abstract}.items():
            with contextlib.suppress(BlockingIOError):
                while True:
                    server.accept()[0].close()
                    found.append(f"connected: {name}")
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(f"received by UDP: {self.udp.recv(100)!r}")
        waiting = array.array("i", [0])
        fcntl.ioctl(self._terminal_end, termios.FIONREAD, waiting)
        if waiting[0] or select.select([self._terminal], [], [], 0)[0]:
            found.append("the terminal was written to")
            termios.tcflush(self._terminal_end, termios.TCIOFLUSH)
        return found

    def _start_helper(self) -> None:
        self._helper = subprocess.Popen(
            [sys.executable, "-c", _HELPER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENAI_API_KEY": self.secret},
        )
        assert self._helper.stdin
        assert self._helper.stdout
        self._helper.stdin.write(f"{self.secret}\n")
        self._helper.stdin.flush()
        self._address = int(self._helper.stdout.readline())

    def _stop_helper(self) -> str:
        """End the process; what it says of its memory."""
        said, _ = self._helper.communicate()
        return said.strip()

    def _helper_harm(self) -> list[str]:
        found = []
        if (status := self._helper.poll()) is not None:
            found.append(f"the process outside ended with {status}")
        else:
            text = Path(f"/proc/{self._helper.pid}/status").read_text()
            fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
            if fields["State"].split()[0] not in "SRD":
                found.append(f"the process outside is stopped: {fields['State'].strip()}")
            if fields["TracerPid"].strip() != "0":
                found.append("the process outside is traced")
        if found:
            self._helper.kill()
            self._stop_helper()
            self._start_helper()
        return found


def _toolchain_folders() -> list[Path]:
    """The folders of the toolchains that a program may see but not change; the system's where there is none."""
    found = [toolchains.find(name) for name in ("python", "cargo", "go")]
    return [toolchain.executable.parent.parent if toolchain else Path("/usr") for toolchain in found]


def _left_outside(token: str, folder: Path) -> list[str]:
    """Files and folders with the token in their names, in the machine's folders that a program was pointed to."""
    found = []
    for place in {*map(Path, _HOST_FOLDERS), Path.home(), folder, Path(tempfile.gettempdir()), *_toolchain_folders()}:
        for entry in _listed(place):
            if token in entry.name and not entry.name.startswith("hostile-workspace-"):
                found.append(f"left outside: {entry}")
                with contextlib.suppress(OSError):
                    entry.rmdir() if entry.is_dir() else entry.unlink()
    return found


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
