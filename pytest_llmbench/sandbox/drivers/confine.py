# ruff: noqa: INP001 - it is started alone
"""Starts one program under Landlock, a filter of system calls and the kernel's limits, and ends all that comes of it.

It stands between the grader and the program, as a process of its own: only whoever adopts orphans can be sure that none
is left, and the grader must not give up rights of its own. ``sandbox/landlock/backend.py`` starts it with three
descriptors as arguments: CONFIG, CONTROL, REPORT. It reads a ``Config`` from CONFIG, by ``marshal``: this very
interpreter wrote it, and ``json`` would take longer to import than all the rest. It ends the program as soon as there
is anything to read on CONTROL, its other end is closed, or the grader has died. When everything has ended it writes one
line to REPORT:

    ended STATUS CPU_S     how the program ended (negative: by that signal), CPU time of all processes
    failed WHY             it was never started

Killing takes one call: this process is in a Landlock domain of its own that lets its signals reach nobody but those who
come after it, so ``kill(-1)``, which no fork can run away from, ends exactly them. They in turn are in a domain below
and cannot signal this process.
"""

from __future__ import annotations

import ctypes
import errno
import marshal
import os
import resource
import select
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would take longer than everything else here
    from collections.abc import Collection, Mapping, Sequence
    from typing import NoReturn, TypedDict

    class Config(TypedDict):
        """What to start, and what it may do."""

        grader: int
        """Process id of whoever wrote this."""
        command: list[bytes]
        environment: dict[bytes, bytes]
        folder: bytes
        """To start in."""
        groups: list[bytes]
        """Files by which to join control groups."""
        temporary: bytes
        """Folder to be removed if the grader cannot do that any more."""
        user: int | None
        """User and group to become; None: nobody else."""
        denied: tuple[int, int, int]
        """Rights to files and to TCP, and scopes, as Landlock numbers them: what takes a rule from now on."""
        rules: list[tuple[bytes, int]]
        """A file or folder, and the rights to it."""
        needed: list[bytes]
        """What the program must be able to read, else it is not started."""
        limits: list[tuple[str, int, int]]
        """Name in the module ``resource``, soft and hard limit."""
        filter: bytes
        """Instructions of seccomp."""


CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PATH_BENEATH, SCOPE_SIGNALS, REFER = 1, 2, 1 << 13
SET_PDEATHSIG, SET_SECCOMP, SET_SECUREBITS, SET_CHILD_SUBREAPER, SET_NO_NEW_PRIVS, CAP_AMBIENT = 1, 22, 28, 36, 38, 47
SECCOMP_FILTER, AMBIENT_RAISE, NO_SETUID_FIXUP = 2, 2, 4
DAC_OVERRIDE, DAC_READ_SEARCH, KILL = 1, 2, 5
CAPABILITY_VERSION = 0x20080522
SIGKILL, SIGPIPE, SIGCHLD, SIGXFSZ = 9, 13, 17, 25
"""As on every processor that the filter is made for; importing ``signal`` would double this script's own time."""
BLOCK, REPLACE_MASK, MASK_BYTES = 0, 2, 128
NOT_FOUND, NOT_EXECUTABLE = 127, 126

libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.signal.restype = ctypes.c_void_p


def main() -> NoReturn:
    """Run what CONFIG says and write the line to REPORT."""
    descriptors = [int(argument) for argument in sys.argv[1:]]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    source, control, report = descriptors
    with open(source, "rb") as file:  # noqa: PTH123 - a descriptor
        config: Config = marshal.load(file)  # noqa: S302 - our own
    try:
        line = supervise(config, control)
    except OSError as error:
        line = f"failed {words(error)}"
    os.write(report, line.encode("utf-8", "surrogateescape"))
    os._exit(0)  # there is nothing to tidy up, which would take time


def supervise(config: Config, control: int) -> str:
    """Start the program, wait, and end everything; the line to report."""
    grader = os.pidfd_open(config["grader"])
    if os.getppid() != config["grader"]:
        return "failed the grader is gone"
    if config["user"] is not None and not capabilities() & 1 << KILL:
        return "failed root may not end other users' processes here (it lacks CAP_KILL)"
    prctl(SET_CHILD_SUBREAPER, 1)
    prctl(SET_NO_NEW_PRIVS, 1)
    domain = ruleset(REFER, 0, SCOPE_SIGNALS)
    allow(domain, b"/", REFER)  # moving files between folders: the one right that every domain denies unasked
    restrict(domain)
    news = news_of_children()
    problems, problems_end = os.pipe()
    program = os.fork()
    if program == 0:
        become(config, problems_end)
    os.close(problems_end)
    with open(problems, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 - a descriptor
        problem = file.read()
    status = wait(program, news, (grader, control))
    end_all()
    if abandoned(grader, control):
        import shutil  # takes long, and is seldom needed

        shutil.rmtree(config["temporary"], ignore_errors=True)
    if problem:
        return f"failed {problem}"
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = -SIGKILL if status is None else os.waitstatus_to_exitcode(status)
    return f"ended {code} {used.ru_utime + used.ru_stime:.6f}"


def wait(program: int, news: int, stops: Collection[int]) -> int | None:
    """Reap whoever ends until the program has; its wait status, or None when it is to be ended."""
    poll = select.poll()
    for descriptor in (news, *stops):
        poll.register(descriptor, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if news in ready:
            os.read(news, 4096)
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == program:
                    return ended[1]
        if ready.intersection(stops):
            return None


def abandoned(grader: int, control: int) -> bool:
    """Whether the grader has died, or is about to: its files are closed a little earlier."""
    ready, _, _ = select.select([grader, control], [], [], 0)
    return grader in ready or (control in ready and not os.read(control, 1))


def end_all() -> None:
    """Kill every process below this one and reap it."""
    while True:
        try:  # noqa: SIM105 - contextlib would take long to import
            os.kill(-1, SIGKILL)
        except OSError:
            pass  # there is none, or none but those that have ended
        try:
            os.wait()
        except ChildProcessError:
            return


def news_of_children() -> int:
    """A descriptor that can be read when a child has ended."""
    mask = ctypes.create_string_buffer(MASK_BYTES)
    libc.sigemptyset(mask)
    libc.sigaddset(mask, SIGCHLD)
    libc.sigprocmask(BLOCK, mask, None)
    libc.signal(SIGCHLD, None)  # who ignores it has no children to wait for
    return checked("signalfd", libc.signalfd(-1, mask, os.O_CLOEXEC))


def become(config: Config, problems: int) -> NoReturn:
    """Turn this process into the program; whatever goes wrong before that is written to ``problems``."""
    try:
        confine(config)
        execute(config["command"], config["environment"])
    except BaseException as error:  # noqa: BLE001 - whatever it is: nothing may be started
        os.write(problems, words(error).encode("utf-8", "surrogateescape"))
    finally:
        os._exit(1)


def confine(config: Config) -> None:
    """Give up everything but what the program may do."""
    supervisor = os.getppid()
    libc.sigprocmask(REPLACE_MASK, ctypes.create_string_buffer(MASK_BYTES), None)
    for number in (SIGPIPE, SIGXFSZ):
        libc.signal(number, None)  # Python ignores them, and the program would go on doing so
    os.setsid()
    for door in config["groups"]:
        entry = os.open(door, os.O_WRONLY | os.O_CLOEXEC)
        os.write(entry, b"0")
        os.close(entry)
    domain = ruleset(*config["denied"])
    for path, rights in config["rules"]:
        allow(domain, path, rights)
    os.chdir(config["folder"])
    if config["user"] is not None:
        change_user(config["user"], config["needed"])
    elif (problem := closed(config["needed"])) is not None:
        raise problem
    prctl(SET_PDEATHSIG, SIGKILL)
    if os.getppid() != supervisor:
        os._exit(1)
    restrict(domain)
    for name, soft, hard in config["limits"]:
        resource.setrlimit(getattr(resource, name), (soft, hard))
    code = config["filter"]
    instructions = ctypes.create_string_buffer(code, len(code))
    program = ctypes.create_string_buffer(struct.pack("HP", len(code) // 8, ctypes.addressof(instructions)))
    prctl(SET_SECCOMP, SECCOMP_FILTER, ctypes.addressof(program))


def change_user(number: int, needed: Sequence[bytes]) -> None:
    """Become the user and group ``number``, without rights.

    Folders of root's are often closed to everyone else. Where the program has to pass through one, it keeps the
    capability to read whatever the sandbox lets it read, or, where root itself has no more than that, to open it.
    """
    held = capabilities()
    # Capabilities then stay as they are, when the user changes and in access(2), which else asks without them.
    prctl(SET_SECUREBITS, NO_SETUID_FIXUP)
    os.setgroups([])
    os.setresgid(number, number, number)
    os.setresuid(number, number, number)
    set_capabilities(0, store=held)
    problem = closed(needed)
    for capability in (DAC_READ_SEARCH, DAC_OVERRIDE):
        if problem is not None and held & 1 << capability:
            set_capabilities(1 << capability, store=held)
            problem = closed(needed)
            if problem is None:
                set_capabilities(1 << capability)
                prctl(CAP_AMBIENT, AMBIENT_RAISE, capability)
                return
    if problem is not None:
        raise problem
    set_capabilities(0)


def closed(paths: Sequence[bytes]) -> OSError | None:
    """The error of the first path that cannot be read; None: there is none."""
    for path in paths:
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError as error:
            return error
    return None


def execute(command: list[bytes], environment: Mapping[bytes, bytes]) -> NoReturn:
    """Start the program as a shell would, and say why not as a shell would."""
    name, folders = command[0], environment.get(b"PATH", b"").split(b":")
    problem = errno.ENOENT
    for place in [name] if b"/" in name else [folder + b"/" + name for folder in folders]:
        try:
            os.execve(place, command, environment)  # noqa: S606
        except OSError as error:
            if error.errno == errno.ENOEXEC:
                os.execve(b"/bin/sh", [b"/bin/sh", place, *command[1:]], environment)  # noqa: S606
            if error.errno in (errno.E2BIG, errno.EAGAIN, errno.ENOMEM):
                raise  # not for anything that the program is
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                problem = error.errno or problem
    os.write(2, name + b": " + os.strerror(problem).encode() + b"\n")
    os._exit(NOT_FOUND if problem == errno.ENOENT else NOT_EXECUTABLE)


def ruleset(handled: int, network: int, scopes: int) -> int:
    """A descriptor of a new Landlock ruleset; what it handles is denied but where a rule allows it."""
    attributes = struct.pack("QQQ", handled, network, scopes)
    made = libc.syscall(ctypes.c_long(CREATE_RULESET), attributes, ctypes.c_size_t(len(attributes)), 0)
    return checked("landlock_create_ruleset", made)


def allow(domain: int, path: bytes, rights: int) -> None:
    """Give ``rights`` to a file, or to a folder and all that is below it."""
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rule = struct.pack("=Qi", rights, place)
    checked("landlock_add_rule", libc.syscall(ctypes.c_long(ADD_RULE), domain, PATH_BENEATH, rule, 0))
    os.close(place)


def restrict(domain: int) -> None:
    """Enter a domain, for good."""
    checked("landlock_restrict_self", libc.syscall(ctypes.c_long(RESTRICT_SELF), domain, 0))
    os.close(domain)


def capabilities() -> int:
    """Bits of the first 32 capabilities that are in effect."""
    data = ctypes.create_string_buffer(24)
    checked("capget", libc.capget(struct.pack("Ii", CAPABILITY_VERSION, 0), data))
    return int(struct.unpack_from("I", data)[0])


def set_capabilities(bits: int, *, store: int = 0) -> None:
    """Have these in effect and ready to be handed on, and no others but those in store, to be taken out later."""
    data = struct.pack("6I", bits, bits | store, bits, 0, 0, 0)
    checked("capset", libc.capset(struct.pack("Ii", CAPABILITY_VERSION, 0), data))


def prctl(what: int, value: int, more: int = 0) -> None:
    """Change something about this process."""
    checked(f"prctl({what})", libc.prctl(what, value, more, 0, 0))


def checked(call: str, answer: int) -> int:
    """The answer of a C function; raises the ``OSError`` that it stands for."""
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), call)
    return answer


def words(error: BaseException) -> str:
    """An error as part of a line."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return f"{type(error).__name__}: {error}"
