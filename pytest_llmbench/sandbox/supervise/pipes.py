"""Pipes to and from a launcher."""

from __future__ import annotations

import contextlib
import os
from io import FileIO


def pipe(stack: contextlib.ExitStack) -> tuple[FileIO, FileIO]:
    """The ends of a pipe, to read from and to write to, which ``stack`` closes."""
    reader, writer = os.pipe()
    return stack.enter_context(FileIO(reader, "r")), stack.enter_context(FileIO(writer, "w"))
