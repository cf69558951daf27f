"""The filter of system calls that a sandboxed program lives with.

It takes away what no solution of a programming task needs and what attacks on a kernel are made of: other address
spaces, namespaces, mounts, keyrings, kernel modules, tracing, io_uring. Format: classic BPF over ``struct
seccomp_data``, see seccomp(2) and the kernel's Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.kernel.syscalls import (
    NEW_NAMESPACES,
    TERMINAL_INPUT,
    about_one_process,
    changes_of_metadata,
    denied,
)

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
LOOPBACK_FAMILIES = frozenset({AF_UNIX, AF_INET, AF_INET6, AF_NETLINK})
"""What servers and their clients need; netlink is how runtimes list their network interfaces."""

_FILE_FLAGS = (0x40086602, 0x401C5820)
"""FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR, for which a file need not be open for writing."""
_PIPE_SIZE = (1031,)
"""F_SETPIPE_SZ."""
_SOCKET_LEVEL, _BUFFER_SIZES = 1, (7, 8, 32, 33)
"""SOL_SOCKET; SO_SNDBUF, SO_RCVBUF and their FORCE forms. What buffers may hold is counted as memory, so it stays as it
is; a program that asks for more is told that it got it, as the kernel itself does beyond its own limit."""
_THREAD, _SAME_FILES = 0x10000, 0x400
"""A thread with descriptors of its own would hide what it has open."""


@dataclass(frozen=True, slots=True)
class _Architecture:
    audit: int
    """AUDIT_ARCH of linux/audit.h."""
    clone: int
    clone3: int
    socket: int
    socketpair: int
    ioctl: int
    fcntl: int
    setsockopt: int


_ARCHITECTURES = {
    "x86_64": _Architecture(
        0xC000003E, clone=56, clone3=435, socket=41, socketpair=53, ioctl=16, fcntl=72, setsockopt=54
    ),
    "aarch64": _Architecture(
        0xC00000B7, clone=220, clone3=435, socket=198, socketpair=199, ioctl=29, fcntl=25, setsockopt=208
    ),
}
_X32 = 0x40000000
"""Set in the numbers of x86_64's second ABI, which would be a way around every number above."""

_CONNECTED_TYPES = (1, 5)
"""SOCK_STREAM and SOCK_SEQPACKET: a pair of them stays what it is. One of SOCK_DGRAM could send to any address."""
_TYPE = 0xF
"""The part of socketpair's second argument that is no flag."""

_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_DENY = _ERROR | errno.EPERM
_PRETEND = _ERROR | 0
_UNKNOWN = _ERROR | errno.ENOSYS


@cache
def filter_program(
    *,
    families: frozenset[int] = frozenset({AF_UNIX}),
    metadata: bool = True,
    times: bool = True,
    shared: bool = False,
) -> bytes:
    """The filter as an array of ``struct sock_filter``, for this machine.

    ``families``: address families that sockets may be made of. ``metadata``: whether modes, owners, times and
    attributes of files may be changed; ``times``: whether the last two may. Where not, a program is told that it did:
    what copies or unpacks files would else give up. ``shared``: the program has no namespaces of its own, and so it
    gets no sockets but connected pairs, no System V objects, and no say in the share of the machine that others get.
    Denied calls fail with EPERM; clone3 is reported as unknown, since its flags cannot be seen, and callers fall back
    to clone. Raises ``SandboxError`` on a processor whose numbers are not known here.
    """
    name = platform.machine()
    architecture = _ARCHITECTURES.get(name)
    if architecture is None:
        known = ", ".join(_ARCHITECTURES)
        msg = f"no filter of system calls is known for this processor ({name}): known are {known}"
        raise SandboxError(msg)
    code = [
        *(_step(_LOAD, _ARCH), _step(_EQUAL, architecture.audit, 1, 0), _step(_RETURN, _KILL)),
        *(_step(_LOAD, _NUMBER), _step(_AT_LEAST, _X32, 0, 1), _step(_RETURN, _DENY)),
    ]
    for number in denied(name, shared=shared):
        code += _when(number, [_step(_RETURN, _DENY)])
    if not (metadata and times):
        for number in changes_of_metadata(name, modes=not metadata):
            code += _when(number, [_step(_RETURN, _PRETEND)])
    code += _when(architecture.clone3, [_step(_RETURN, _UNKNOWN)])
    code += _when(
        architecture.clone,
        [
            *(_argument(0), _step(_ANY_BIT, sum(NEW_NAMESPACES), 0, 1), _step(_RETURN, _DENY)),
            *(_step(_ANY_BIT, _THREAD, 0, 2), _step(_ANY_BIT, _SAME_FILES, 1, 0), _step(_RETURN, _DENY)),
            _step(_RETURN, _ALLOW),
        ],
    )
    requests = (*TERMINAL_INPUT, *(_FILE_FLAGS if shared else ()))
    code += _when(architecture.ioctl, _unless_in(1, requests, found=_DENY, other=_ALLOW))
    code += _when(architecture.fcntl, _unless_in(1, _PIPE_SIZE, found=_DENY, other=_ALLOW))
    other_level = [_argument(1), _step(_EQUAL, _SOCKET_LEVEL, 1, 0), _step(_RETURN, _ALLOW)]
    sizes = _unless_in(2, _BUFFER_SIZES, found=_PRETEND, other=_ALLOW)
    code += _when(architecture.setsockopt, [*other_level, *sizes])
    if shared:
        for number in about_one_process(name):
            code += _when(number, _unless_in(0, (0,), found=_ALLOW, other=_DENY))
        pair = [_argument(0), _step(_EQUAL, AF_UNIX, 1, 0), _step(_RETURN, _DENY)]
        pair += _unless_in(1, _CONNECTED_TYPES, found=_ALLOW, other=_DENY, mask=_TYPE)
        code += _when(architecture.socketpair, pair)
    for number in (architecture.socket, architecture.socketpair):
        code += _when(number, _unless_in(0, sorted(families), found=_ALLOW, other=_DENY))
    return b"".join([*code, _step(_RETURN, _ALLOW)])


def _step(operation: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction; the jumps count instructions to skip."""
    return struct.pack("<HBBI", operation, if_true, if_false, value)


def _when(number: int, then: list[bytes]) -> list[bytes]:
    """Instructions for one system call, which must end with a verdict; the call's number is loaded before and after."""
    return [_step(_EQUAL, number, 0, len(then)), *then]


def _argument(index: int) -> bytes:
    """Load the lower half of an argument: the kernel takes flags, families and requests as 32 bits."""
    return _step(_LOAD, _ARGUMENTS + 8 * index)


def _unless_in(index: int, values: Collection[int], *, found: int, other: int, mask: int = 0xFFFFFFFF) -> list[bytes]:
    """Compare an argument, or its bits in ``mask``, with a few values."""
    tests = [step for value in values for step in (_step(_EQUAL, value, 0, 1), _step(_RETURN, found))]
    return [_argument(index), _step(_AND, mask), *tests, _step(_RETURN, other)]
