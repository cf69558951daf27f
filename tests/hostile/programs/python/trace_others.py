# Attaches to the grader's helper and to its own parents, and reads their memory.

import ctypes
import os

from attack import attempt, done, look, syscall, target

PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def memory_of(pid):
    found = b""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if "rw" in line.split()[1] and end - start < 1 << 26:
                memory.seek(start)
                found += memory.read(end - start)
    return found


def vm_read(pid):
    buffer = ctypes.create_string_buffer(64)
    mine, theirs = Iovec(ctypes.addressof(buffer), 64), Iovec(int(target("ADDRESS")), 64)
    syscall("process_vm_readv", pid, ctypes.addressof(mine), 1, ctypes.addressof(theirs), 1, 0)
    return buffer.raw


canary = int(target("PID"))
for pid in (canary, int(target("GRADER"))):
    attempt("seize", lambda: syscall("ptrace", PTRACE_SEIZE, pid, 0, 0))
    look("memory file", lambda: memory_of(pid))
    attempt("its descriptors", lambda: syscall("pidfd_getfd", syscall("pidfd_open", pid, 0), 0, 0))
look("process_vm_readv", lambda: vm_read(canary))
attempt("attach", lambda: syscall("ptrace", PTRACE_ATTACH, canary, 0, 0))
for pid in {1, os.getppid()}:
    attempt(f"seize {pid}", lambda: syscall("ptrace", PTRACE_SEIZE, pid, 0, 0))
attempt("trace me", lambda: syscall("ptrace", 0, 0, 0, 0))
done()
