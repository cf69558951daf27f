"""Plays scripts of commands on the built program. What it saw is evidence; whether that is right is decided elsewhere.

A script has ``state``, the text of the task file at its beginning (None: there is no file), and ``commands``, lists of
arguments. An argument ``@TITLE`` stands for the id that the task of this title has in the file by then. Of each command
are noted: its exit status, what it printed on standard output and standard error, and the text of the task file.
"""

import os
import sys

# Nothing is ever imported from where the program can write.
WORKSPACE = os.environ["WORKSPACE"]
sys.path[:] = [path for path in sys.path if path and not f"{os.path.realpath(path)}/".startswith(f"{WORKSPACE}/")]

# ruff: noqa: E402 - only now may anything else be imported
import contextlib
import ctypes
import json
import shutil
import signal
import tempfile
from pathlib import Path

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
LIBC = ctypes.CDLL(None)
LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # the program cannot look into this process, or open what it has open
LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

PROGRAM = f"{WORKSPACE}/target/debug/taskman"
FILE = "tasks.json"
LONGEST = 20_000
"""Characters of a text that are kept."""
READ = os.O_RDONLY | os.O_NONBLOCK
WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def text_of(path):
    """The beginning of a file; None when there is none, or something else in its place."""
    try:
        with os.fdopen(os.open(path, READ), encoding="utf-8", errors="replace") as file:
            return file.read(LONGEST)
    except OSError:
        return None


def resolved(argument):
    """The argument, or the id of the task that it stands for."""
    if not argument.startswith("@"):
        return argument
    try:
        tasks = json.loads(text_of(FILE))["tasks"]
        return str(next(task["id"] for task in tasks if task["title"] == argument[1:]))
    except (LookupError, TypeError, ValueError, StopIteration, RecursionError):
        return "999999"  # no such task: what comes of it, the log shows


def run(arguments, outputs):
    """Run one command with both its outputs in files; returns its exit status, negative when a signal ended it."""
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    actions += [(os.POSIX_SPAWN_OPEN, number, path, WRITE, 0o600) for number, path in enumerate(outputs, 1)]
    process = os.posix_spawn(PROGRAM, ["taskman", *arguments], {}, file_actions=actions)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    end_others()
    return status


def end_others():
    """Kill what a command has left: orphans come to this process, and none may lend the next command a hand.

    Where the sandbox hides processes, also their own from those inside (Landlock), they end with the sandbox.
    """
    with contextlib.suppress(OSError):
        while children := Path("/proc/thread-self/children").read_text(encoding="ascii").split():
            for pid in map(int, children):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def play_one(state, commands):
    """Play one script in a folder of its own."""
    log = []
    folder = tempfile.mkdtemp()
    outputs = [f"{folder}/stdout", f"{folder}/stderr"]
    here = Path(folder, "here")
    here.mkdir()
    os.chdir(here)
    if state is not None:
        Path(FILE).write_text(state, encoding="utf-8")
    for command in commands:
        status = run([resolved(argument) for argument in command], outputs)
        log.append([status, *(text_of(path) or "" for path in outputs), text_of(FILE)])
    os.chdir("/")
    shutil.rmtree(folder, ignore_errors=True)
    return log


def play(scripts):
    """The logs of some scripts."""
    return [play_one(**script) for script in scripts]
