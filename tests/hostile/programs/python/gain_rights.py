# Becomes root again, by every way there is: setuid, groups, capabilities, set-user-id programs, higher limits.

import contextlib
import os
import re
import resource
import subprocess

from attack import attempt, done

for name, action in {
    "setuid": lambda: os.setuid(0),
    "setresuid": lambda: os.setresuid(0, 0, 0),
    "setgroups": lambda: os.setgroups([0]),
    "setgid": lambda: os.setgid(0),
    "nice": lambda: os.nice(-5),
    "real time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "oom": lambda: open("/proc/self/oom_score_adj", "w").write("-500"),
}.items():
    attempt(name, action)
for which in ("NPROC", "DATA", "FSIZE", "NOFILE", "CPU"):
    number = getattr(resource, f"RLIMIT_{which}")
    hard = resource.getrlimit(number)[1]
    if hard != resource.RLIM_INFINITY:
        attempt(which, lambda: resource.setrlimit(number, (hard, resource.RLIM_INFINITY)))
with open("/proc/self/status") as file:
    status = file.read()
for field, wanted in {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapBnd": 0, "CapAmb": 0}.items():
    value = int(re.search(rf"{field}:\s*(\w+)", status)[1], 16)
    print("refused" if value == wanted else "GOT THROUGH", field, hex(value))
print("refused" if "NoNewPrivs:\t1" in status else "GOT THROUGH", "new rights through programs")
print("refused" if "Seccomp:\t2" in status else "GOT THROUGH", "every system call")
print("refused" if os.getuid() and os.geteuid() else "GOT THROUGH", "being root", os.getuid())
for command in (["su", "-c", "id"], ["sudo", "-n", "id"], ["newgrp"], ["mount", "-t", "tmpfs", "none", "/tmp"]):
    with contextlib.suppress(OSError):
        result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=5)
        print("GOT THROUGH" if "uid=0" in result.stdout else "refused", command, result.returncode)
done()
