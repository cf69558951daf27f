"""System calls, and arguments of them, that programs are denied.

The tables: name, x86_64, aarch64; ``-`` where there is no such call.

Sources: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of the kernel.
"""

from __future__ import annotations

TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: typing into the terminal that a program inherited."""
NEW_NAMESPACES = tuple(1 << bit for bit in (17, 25, 26, 27, 28, 29, 30))
"""All CLONE_NEW flags that clone(2) takes."""

ARCHITECTURES = ("x86_64", "aarch64")

_DENIED = """
# Other processes' memory and descriptors
ptrace 101 117
process_vm_readv 310 270
process_vm_writev 311 271
kcmp 312 272
pidfd_getfd 438 438
process_madvise 440 440
# Namespaces, mounts and files by handle
unshare 272 97
setns 308 268
mount 165 40
umount2 166 39
pivot_root 155 41
chroot 161 51
open_tree 428 428
move_mount 429 429
fsopen 430 430
fsconfig 431 431
fsmount 432 432
fspick 433 433
mount_setattr 442 442
name_to_handle_at 303 264
open_by_handle_at 304 265
fanotify_init 300 262
# Keyrings, which no namespace separates
add_key 248 217
request_key 249 218
keyctl 250 219
# Ways into the kernel that few programs use and many attacks do
bpf 321 280
perf_event_open 298 241
userfaultfd 323 282
io_uring_setup 425 425
io_uring_enter 426 426
io_uring_register 427 427
# Memory that belongs to no process and that nobody could count; inotify's are events that nobody reads
shmget 29 194
msgget 68 186
semget 64 190
memfd_create 319 279
memfd_secret 447 447
inotify_init 253 -
inotify_init1 294 26
# The machine itself
kexec_load 246 104
kexec_file_load 320 294
reboot 169 142
syslog 103 116
init_module 175 105
finit_module 313 273
delete_module 176 106
swapon 167 224
swapoff 168 225
quotactl 179 60
quotactl_fd 443 443
settimeofday 164 170
clock_settime 227 112
adjtimex 159 171
clock_adjtime 305 266
sethostname 170 161
setdomainname 171 162
acct 163 89
vhangup 153 58
lookup_dcookie 212 18
iopl 172 -
ioperm 173 -
modify_ldt 154 -
"""
_MODES = """
# Modes and owners of files
chmod 90 -
fchmod 91 52
fchmodat 268 53
fchmodat2 452 452
chown 92 -
fchown 93 55
lchown 94 -
fchownat 260 54
"""
_TIMES = """
# Times and attributes of files
utime 132 -
utimes 235 -
futimesat 261 -
utimensat 280 88
setxattr 188 5
lsetxattr 189 6
fsetxattr 190 7
setxattrat 463 463
removexattr 197 14
lremovexattr 198 15
fremovexattr 199 16
removexattrat 466 466
file_setattr 469 469
"""
_METADATA = _MODES + _TIMES
_SHARED = """
# Sockets; pairs of them are made by another call
socket 41 198
# Memory, queues and semaphores of the whole machine, which are known by a number that can be guessed
shmat 30 196
shmctl 31 195
msgsnd 69 189
msgrcv 70 188
msgctl 71 187
semop 65 193
semctl 66 191
semtimedop 220 192
mq_open 240 180
mq_unlink 241 181
# News of what happens to files that may not be read
inotify_add_watch 254 27
# How other processes of the same user get their share of the machine
setpriority 141 140
ioprio_set 251 30
"""
"""What namespaces of its own would keep from a program."""
_ABOUT_ONE = """
sched_setparam 142 118
sched_setscheduler 144 119
sched_setaffinity 203 122
sched_setattr 314 274
prlimit64 302 261
"""


def denied_names() -> list[str]:
    """Names of the calls to deny on any machine, for a runtime that knows their numbers."""
    return [row[0] for row in map(str.split, _DENIED.splitlines()) if row and row[0] != "#"]


def denied(machine: str, *, shared: bool = False) -> list[int]:
    """Numbers of the calls to deny on ``machine``, one of ``ARCHITECTURES``.

    ``shared``: to a program without namespaces of its own.
    """
    return _numbers(_DENIED + (_SHARED if shared else ""), machine)


def changes_of_metadata(machine: str, *, modes: bool = True) -> list[int]:
    """Numbers of the calls that change times and attributes of files and, with ``modes``, their modes and owners."""
    return _numbers(_METADATA if modes else _TIMES, machine)


def about_one_process(machine: str) -> list[int]:
    """Numbers of the calls that change what one process may use: the first argument names it, 0 is the caller."""
    return _numbers(_ABOUT_ONE, machine)


def _numbers(table: str, machine: str) -> list[int]:
    column = 1 + ARCHITECTURES.index(machine)
    rows = [line.split() for line in table.splitlines()]
    return [int(row[column]) for row in rows if row and row[0] != "#" and row[column] != "-"]
