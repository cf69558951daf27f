# Opens for writing, without writing, what would change the kernel or run a program as root: core_pattern,
# sysrq, a cgroup's release_agent, uevent_helper, its own OOM score below zero.

import glob
import os

from attack import attempt, done, syscall

names = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname"]
names += [
    "/proc/sysrq-trigger",
    "/proc/sys/vm/drop_caches",
    "/proc/sys/fs/binfmt_misc/register",
    "/proc/1/oom_score_adj",
]
names += ["/proc/sys/kernel/ns_last_pid", "/sys/kernel/uevent_helper", "/proc/sys/vm/overcommit_memory", "/dev/kmsg"]
names += glob.glob("/sys/fs/cgroup/*/release_agent") + glob.glob("/sys/fs/cgroup/*/cgroup.procs")
names += glob.glob("/sys/fs/cgroup/cgroup.*") + [
    "/proc/sys/user/max_user_namespaces",
    "/dev/vda",
    "/dev/mem",
    "/dev/kvm",
]
for name in names:
    attempt(name, lambda: os.open(name, os.O_WRONLY))
attempt("mount cgroup", lambda: syscall("mount", b"cgroup", b"/tmp", b"cgroup", 0, b"memory"))
attempt("mount cgroup2", lambda: syscall("mount", b"cgroup2", b"/tmp", b"cgroup2", 0, 0))
done()
