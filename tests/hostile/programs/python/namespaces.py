# Makes namespaces, in which it would be root, mounts, joins those of others, and changes its root.

import contextlib
import os
import subprocess

from attack import attempt, done, syscall, target

names = {"user": 0x10000000, "mount": 0x20000, "net": 0x40000000, "pid": 0x20000000, "ipc": 0x08000000, "time": 0x80}
for name, flag in names.items():
    attempt(f"unshare {name}", lambda: syscall("unshare", flag))
    attempt(f"unshare user and {name}", lambda: syscall("unshare", flag | 0x10000000))
attempt("clone", lambda: syscall("clone", 0x10000000 | 0x20000 | 17, 0, 0, 0, 0) or os._exit(0))
attempt("mount tmpfs", lambda: syscall("mount", b"none", b"/tmp", b"tmpfs", 0, 0))
attempt("mount proc", lambda: syscall("mount", b"proc", b"/tmp", b"proc", 0, 0))
attempt("remount", lambda: syscall("mount", b"none", b"/usr", b"none", 32 | 4096, 0))
attempt("bind", lambda: syscall("mount", b"/", b"/tmp", b"none", 4096, 0))
attempt("fsopen", lambda: syscall("fsopen", b"tmpfs", 0))
attempt("open_tree", lambda: syscall("open_tree", -100, b"/", 1))
attempt("chroot", lambda: os.chroot("."))
attempt("pivot_root", lambda: syscall("pivot_root", b".", b"."))
for pid in (1, target("PID")):
    for name in ("mnt", "net", "user", "pid"):
        attempt(f"join {name} of {pid}", lambda: syscall("setns", os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY), 0))
with contextlib.suppress(OSError):
    result = subprocess.run(["unshare", "-Ur", "id"], capture_output=True, text=True)
    print("GOT THROUGH" if result.returncode == 0 else "refused", result.stdout, result.stderr)
done()
