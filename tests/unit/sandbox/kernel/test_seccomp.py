"""Which system calls a sandboxed program can make, tried by a program."""

import platform
import struct

import pytest

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.kernel import seccomp, syscalls

TRY = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    status = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in args))
    return errno.errorcode.get(ctypes.get_errno(), "OK") if status == -1 else "OK"
"""


def tried(sandboxed, *calls, **options):
    lines = "\n".join(f"print(call({', '.join(map(str, call))}))" for call in calls)
    return sandboxed(TRY + lines, **options).stdout.split()


def number(name):
    rows = (line.split() for line in (syscalls._DENIED + syscalls._METADATA).splitlines())
    return next(int(row[1 + syscalls.ARCHITECTURES.index(platform.machine())]) for row in rows if row[:1] == [name])


@pytest.mark.parametrize(
    "name",
    [
        "ptrace",
        "unshare",
        "mount",
        "keyctl",
        "bpf",
        "io_uring_setup",
        "userfaultfd",
        "shmget",
        "memfd_create",
        "perf_event_open",
    ],
)
def test_a_dangerous_call_is_denied(sandboxed, name):
    assert tried(sandboxed, (number(name), 0, 0, 0, 0)) == ["EPERM"]


def test_new_namespaces_are_denied_in_every_form(sandboxed):
    architecture = seccomp._ARCHITECTURES[platform.machine()]
    new_user, chld = 0x10000000, 17
    assert tried(sandboxed, (architecture.clone, new_user | chld, 0, 0, 0, 0)) == ["EPERM"]
    assert tried(sandboxed, (architecture.clone3, 0, 0)) == ["ENOSYS"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86_64 alone has a second table of calls")
def test_the_second_table_of_calls_is_no_way_around(sandboxed):
    assert tried(sandboxed, (0x40000000 | 39,)) == ["EPERM"]


@pytest.mark.parametrize(("loopback", "expected"), [(False, "EPERM"), (True, "OK")])
def test_families_of_sockets(sandboxed, loopback, expected):
    socket = seccomp._ARCHITECTURES[platform.machine()].socket
    unix, inet, netlink, packet, alg, vsock = ((socket, family, 1, 0) for family in (1, 2, 16, 17, 38, 40))
    said = tried(sandboxed, unix, inet, packet, alg, vsock, loopback=loopback)
    assert said == ["OK", expected, "EPERM", "EPERM", "EPERM"]
    assert tried(sandboxed, (netlink[0], 16, 3, 0), loopback=loopback) == [expected]


def test_typing_into_a_terminal_is_denied_and_other_requests_pass(sandboxed):
    ioctl = seccomp._ARCHITECTURES[platform.machine()].ioctl
    assert tried(sandboxed, (ioctl, 0, 0x5412, 0), (ioctl, 1, 0x5401, 0)) == ["EPERM", "ENOTTY"]


def test_buffers_keep_their_size(sandboxed):
    source = """
import fcntl, os, socket
left, right = socket.socketpair()
before = left.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
left.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
print(left.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == before)
print(left.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
try: fcntl.fcntl(os.pipe()[1], 1031, 1 << 20)
except PermissionError: print("denied")
"""
    assert sandboxed(source).stdout.split() == ["True", "1", "denied"]


def test_metadata_can_be_denied_too():
    whole = seccomp.filter_program(metadata=False)
    assert len(whole) % struct.calcsize("<HBBI") == 0
    assert len(whole) > len(seccomp.filter_program())


def test_an_unknown_processor_is_refused(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    seccomp.filter_program.cache_clear()
    with pytest.raises(SandboxError, match=r"pdp11.*x86_64, aarch64"):
        seccomp.filter_program()
