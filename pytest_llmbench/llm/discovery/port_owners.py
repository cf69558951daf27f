"""Whose server it is that listens on a port of this machine: any user may take one that a server usually has."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

_SERVICES = frozenset({"ollama"})
"""Accounts that installers of model servers make for them: nobody logs in as one, and only root can make one."""
_FIRST_PERSON = 1000
"""System accounts have lower numbers."""
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENS = "0A"
_ADDRESS, _STATE, _USER = 1, 3, 7
"""Columns."""


def listeners(port: int) -> set[int] | None:
    """The users whose sockets take connections to ``127.0.0.1:port``; None where the system does not tell.

    Empty: nobody's that this system knows of; a port may be passed on from elsewhere.
    """
    if sys.platform != "linux":
        return None
    found: dict[str, set[int]] = {}
    try:
        for address, user in _listening(port):
            found.setdefault(address, set()).add(user)
    except OSError:
        return None
    # The kernel prefers the address itself to the one that means all, and IPv4 to IPv6.
    return next((found[address] for address in _taking(socket.inet_aton("127.0.0.1")) if address in found), set())


def is_trusted(user: int) -> bool:
    """True for this user, for root, who can do anything here anyway, and for a model server's own system account."""
    return user in {0, os.getuid(), os.geteuid()} or (user < _FIRST_PERSON and _account(user) in _SERVICES)


def _account(user: int) -> str:
    """The name that belongs to a user's number; empty for one without."""
    import pwd  # missing on Windows, which does not tell whose a socket is either

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return ""


def _listening(port: int) -> Iterator[tuple[str, int]]:
    """Address, as the tables write it, and user of each socket that listens on the port."""
    for table in _TABLES:
        if not table.exists():  # a kernel without IPv6 has no second one
            continue
        for line in table.read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            address, _, number = fields[_ADDRESS].partition(":")
            if fields[_STATE] == _LISTENS and int(number, 16) == port:
                yield address, int(fields[_USER])


def _taking(address: bytes) -> list[str]:
    """The addresses whose sockets take connections to an IPv4 address, as the tables write them: first choice first."""
    mapped = bytes(10) + b"\xff\xff"
    return [_written(each) for each in (address, mapped + address, bytes(4), mapped + bytes(4), bytes(16))]


def _written(address: bytes) -> str:
    """In hexadecimal, each four bytes as a number of this machine."""
    words = [address[start : start + 4] for start in range(0, len(address), 4)]
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
