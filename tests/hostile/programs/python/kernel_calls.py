# Tries system calls that reach deep into the kernel: keyrings, BPF, performance counters, page faults, modules,
# io_uring, clocks; and all of them again by the numbers of other ABIs.

import ctypes
import os
import platform

from attack import LIBC, NUMBERS, attempt, done, syscall

block = ctypes.create_string_buffer(256)
attempt("add_key", lambda: syscall("add_key", b"user", b"name", b"data", 4, -3))
attempt("request_key", lambda: syscall("request_key", b"user", b"name", 0, -3))
attempt("keyctl", lambda: syscall("keyctl", 0, -3, 1))
attempt("bpf", lambda: syscall("bpf", 0, ctypes.addressof(block), 48))
attempt("perf_event_open", lambda: syscall("perf_event_open", ctypes.addressof(block), 0, -1, -1, 0))
attempt("userfaultfd", lambda: syscall("userfaultfd", 1))
attempt("io_uring_setup", lambda: syscall("io_uring_setup", 8, ctypes.addressof(block)))
attempt("memfd_secret", lambda: syscall("memfd_secret", 0))
attempt("open_by_handle_at", lambda: syscall("open_by_handle_at", -100, ctypes.addressof(block), 0))
attempt("kexec_load", lambda: syscall("kexec_load", 0, 0, 0, 0))
attempt("init_module", lambda: syscall("init_module", ctypes.addressof(block), 1, b""))
attempt("the kernel's log", lambda: syscall("syslog", 3, ctypes.addressof(block), 256))
attempt("swapon", lambda: syscall("swapon", b"nothing", 0))
attempt("settimeofday", lambda: syscall("settimeofday", 0, ctypes.addressof(block)))


def other_abi(name):
    result = LIBC.syscall(ctypes.c_long(0x40000000 | NUMBERS[name][0]), ctypes.c_long(0), ctypes.c_long(0))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


if platform.machine() == "x86_64":
    for name in ("unshare", "userfaultfd", "add_key", "io_uring_setup"):
        attempt(f"x32 {name}", lambda: other_abi(name))
done()
