"""Landlock, as far as a sandbox needs it: which version the kernel has, and its rights by name.

Source: include/uapi/linux/landlock.h and https://docs.kernel.org/userspace-api/landlock.html.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

from pytest_llmbench.errors import SandboxError

NEEDED_ABI = 6
"""The first that keeps signals inside (Linux 6.12): without it one call would end every process of an ordinary user."""
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE = 1 << 4, 1 << 5
MAKE_CHAR, MAKE_DIR, MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM = (1 << bit for bit in range(6, 13))
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
ALL_FILE_RIGHTS = (1 << 16) - 1
"""Each is denied wherever it is not given."""
RIGHTS_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""The others are rights to folders alone."""
READ = EXECUTE | READ_FILE | READ_DIR
WRITE = READ | WRITE_FILE | TRUNCATE | REFER | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | MAKE_FIFO
ALL_TCP_RIGHTS = 0b11
"""To bind and to connect."""
SCOPE_ABSTRACT_SOCKETS, SCOPE_SIGNALS = 1 << 0, 1 << 1
"""What then reaches no process outside."""

_CREATE_RULESET = 444
"""The same number on every processor."""
_ASK_VERSION = 1


def abi() -> int:
    """The kernel's version of Landlock. Raises ``SandboxError``, which says why, when it is too old or absent."""
    found, number = _ask()
    if found >= NEEDED_ABI:
        return found
    if found > 0:
        why = f"this kernel has version {found} of it, and {NEEDED_ABI} (Linux 6.12) is needed to keep signals inside"
    elif number == errno.ENOSYS:
        why = f"this kernel ({os.uname().release}) does not have it"
    elif number == errno.EOPNOTSUPP:
        why = "this kernel has it switched off (add landlock to the boot parameter lsm=)"
    else:
        why = f"the kernel refuses it: {os.strerror(number)}"
    msg = f"Landlock cannot be used: {why}"
    raise SandboxError(msg)


def _ask() -> tuple[int, int]:
    """The version, and the number of the error when there is none."""
    if sys.platform != "linux":
        return -1, errno.ENOSYS
    libc = ctypes.CDLL(None, use_errno=True)
    found = int(libc.syscall(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION)))
    return found, ctypes.get_errno()
