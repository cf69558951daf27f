# Shared by the Python programs: where the targets are, and how an attempt is told.

import ctypes
import os
import platform
import re
import signal
import sys

CANARY = re.compile(rb"CANARY-[0-9a-f]+")
NUMBERS = {  # name: x86_64, aarch64
    "mount": (165, 40),
    "ptrace": (101, 117),
    "unshare": (272, 97),
    "setns": (308, 268),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "clone": (56, 220),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "open_by_handle_at": (304, 265),
    "fsopen": (430, 430),
    "open_tree": (428, 428),
    "memfd_secret": (447, 447),
    "swapon": (167, 224),
    "settimeofday": (164, 170),
    "syslog": (103, 116),
}
LIBC = ctypes.CDLL(None, use_errno=True)
signal.alarm(60)  # no program outlives a minute, whatever the sandbox does
os.register_at_fork(after_in_child=lambda: signal.alarm(60))


def target(name):
    return os.environ["TARGET_" + name]


def attempt(what, action):
    """Do what must fail."""
    try:
        result = action()
    except BaseException as error:
        print(f"refused: {what}: {type(error).__name__}: {error}", flush=True)
        return None
    print(f"GOT THROUGH: {what}: {result!r}", flush=True)
    return result


def look(what, action):
    """Read what may be readable, and tell the secrets in it: they alone count."""
    try:
        found = CANARY.findall(action())
    except BaseException as error:
        print(f"refused: {what}: {type(error).__name__}: {error}", flush=True)
    else:
        print(f"looked: {what}: {[secret.decode() for secret in found]}", flush=True)


def read(path):
    """What can be read at once: of a pipe nobody writes to that is nothing."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(file, 1 << 20)
    finally:
        os.close(file)


def held(megabytes):
    """Tell how much is held at this moment."""
    print(f"held: {megabytes} MB", flush=True)


def syscall(name, *arguments):
    number = NUMBERS[name][platform.machine() == "aarch64"]
    result = LIBC.syscall(ctypes.c_long(number), *[a if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def done():
    """The last words of a program that has tried everything it wanted to try."""
    print("done", flush=True)
    sys.stdout.flush()
