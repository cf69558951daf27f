"""One command, ready to be started by a backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_llmbench.schema.execution import Limits


@dataclass(frozen=True, slots=True)
class Launch:
    """What a backend needs to know of a command; nothing of it comes from our own environment."""

    command: tuple[str, ...]
    """Program and arguments; the program is a path inside, or a name to be found on the ``PATH`` of ``env``."""
    limits: Limits
    stdin: bytes = b""
    env: Mapping[str, str] = field(default_factory=dict)
    """The whole environment but for the home folder."""
    mounts: Mapping[Path, str] = field(default_factory=dict)
    """File or folder outside, and the path inside at which it is visible read-only."""
    loopback: bool = False
    """True: it may talk to itself over ``127.0.0.1``. False: it gets no sockets but those between its own processes."""
