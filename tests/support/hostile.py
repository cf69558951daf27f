"""The corpus of hostile programs: reading what each one says of itself, running it, and judging from outside.

The first comment of a program tells in words what it tries; below an empty line it may say how it is run and what
must be seen (``KEYS``). What always must hold, whatever the program says:

- no canary was read, changed, connected to, signalled or traced, and nothing lies in the machine's own folders;
- no process, mount or System V segment is left;
- the program told of nothing that got through (a line ``GOT THROUGH: ...``);
- it tried all it wanted to try (its last line is ``done``), or hit a limit that it had to hit;
- it ended in time, all that it left is gone but what is kept (here: everything), and that can be removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from support.canaries import Canaries
from support.processes import Peak, survivors

from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.files.rmtree import remove_tree
from pytest_llmbench.schema.execution import ExecResult, Limits
from pytest_llmbench.text import printable
from pytest_llmbench.untrusted.files import read

PROGRAMS = Path(__file__).parents[1] / "hostile" / "programs"
LANGUAGES = {"python": ".py", "node": ".mjs", "rust": ".rs", "go": ".go"}
TOOLCHAINS = {"python": "python", "node": "node", "rust": "cargo", "go": "go"}
SHARED = ("attack", "main")
"""Files of the corpus that are no programs themselves."""
KEYS = {
    "limits": "limits that differ from the corpus's, as in Limits(...)",
    "hits": "the limits of which one must be hit, joined by 'or'; 'nothing' among them: or it ends by itself",
    "prints": "the whole output of an honest program, which also must end with status 0",
    "stdin": "its standard input",
    "loopback": "yes: it may talk to itself over 127.0.0.1",
    "toolchain": "a toolchain that a compiled program is given",
    "at most": "processes (threads count) or MB of memory that may be seen at any moment",
    "holds": "MB that it may tell that it held",
    "leaves": "MB or files that may have been written when the limit on them was hit",
    "refuses": "names in the workspace that must not be kept or readable as results",
    "afterwards": "what must work in the same workspace or with its output",
}
MARK = "HOSTILE_MARK"
"""Names digits in the environment that the tokens of all programs begin with."""
TESTS_KEY = 0x6C62
"""The upper half of the keys of System V segments that a test makes itself: others may be looking meanwhile."""
_DEFAULTS = {"wall_s": 6.0, "cpu_s": 6.0, "memory_mb": 512, "file_mb": 30, "disk_mb": 200, "inodes": 5000}
_LATE_FACTOR = 3.0
_DEPTH, _SMALL = 8, 1 << 20
_WHOLE_S = {"wall_s", "cpu_s"}


@dataclass(frozen=True)
class Program:
    """One file of the corpus."""

    path: Path
    language: str
    says: dict[str, str] = field(hash=False)
    """The keys of its header."""

    @property
    def id(self) -> str:
        """As in test names."""
        return f"{self.language}-{self.path.stem}"

    @property
    def limits(self) -> Limits:
        """The corpus's limits with the program's own."""
        known = {each.name for each in fields(Limits)}
        own = dict(pair.split("=") for pair in self.says.get("limits", "").split())
        assert own.keys() <= known, f"{self.path} has unknown limits"
        return Limits(**{**_DEFAULTS, **{n: float(v) if n in _WHOLE_S else int(v) for n, v in own.items()}})

    @property
    def hits(self) -> set[str | None]:
        """Names of limits; None: none is hit."""
        return {None if name == "nothing" else name for name in self.says.get("hits", "nothing").split(" or ")}

    def bound(self, key: str, unit: str) -> int | None:
        """The number of a key with a unit."""
        match = re.fullmatch(rf"(\d+) {unit}", self.says.get(key, ""))
        return int(match[1]) if match else None


@dataclass(frozen=True)
class Prepared:
    """A program laid into a workspace."""

    sandbox: Backend
    command: tuple[str, ...]
    token: str
    """A number that marks all that the program starts and leaves behind."""


@dataclass(frozen=True)
class Ran:
    """What can be seen of a program's run."""

    program: Program
    result: ExecResult
    took_s: float
    peak: Peak


def corpus() -> list[Program]:
    """All programs, in a fixed order."""
    return [
        Program(path, language, _header(path))
        for language, ending in LANGUAGES.items()
        for path in sorted((PROGRAMS / language).glob(f"*{ending}"))
        if path.stem not in SHARED
    ]


def _header(path: Path) -> dict[str, str]:
    says: dict[str, str] = {}
    prose = True
    for line in path.read_text().splitlines():
        match = re.match(r"(?:#|//) ?(.*)", line)
        if not match:
            break
        if prose:
            prose = bool(match[1])
            continue
        key, _, value = match[1].partition(": ")
        assert key in KEYS, f"{path}: unknown key {key!r}"
        says[key] = value
    return says


def run_program(program: Program, prepared: Prepared, canaries: Canaries) -> tuple[Ran, list[str]]:
    """Run a program; the run, and what is not as it must be (nothing: contained)."""
    sandbox, token = prepared.sandbox, prepared.token
    outside = _outside(token)
    started = time.monotonic()
    with Peak() as peak:
        result = sandbox.run(
            prepared.command,
            program.limits,
            stdin=program.says.get("stdin", ""),
            env=canaries.targets(token),
            loopback=program.says.get("loopback") == "yes",
            keep=["*"],
        )
    ran = Ran(program, result, time.monotonic() - started, peak)
    found = survivors(token)
    left = _everything(sandbox.workspace)
    found += [
        *canaries.harm(token),
        *(f"left on the machine: {what}" for what in sorted(_outside(token) - outside)),
        *_told(ran, canaries.secret),
        *_ended(ran),
        *_sizes(ran),
        *(f"the secret lies in {entry.name!r}" for entry in left if canaries.secret.encode() in entry.data),
        *_refused(program, sandbox.workspace),
        *_afterwards(ran, sandbox),
    ]
    beside = [path.name for path in sandbox.workspace.parent.iterdir() if path != sandbox.workspace]
    found += [f"beside the workspace is left: {name}" for name in beside]
    try:
        remove_tree(sandbox.workspace)
    except (OSError, RecursionError) as error:
        found.append(f"the workspace cannot be removed: {error!r}")
    if os.path.lexists(sandbox.workspace):
        found.append("the workspace is still there")
    return ran, found


def _outside(token: str) -> set[str]:
    """Mounts that show the token, and System V segments of the machine but for those that tests of ours make."""
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if token in line]
    segments = [
        f"{kind} {line.split()[1]}"
        for kind in ("shm", "msg", "sem")
        for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
        if int(line.split()[0]) >> 16 != TESTS_KEY
    ]
    return {*mounts, *segments}


def _told(ran: Ran, secret: str) -> Iterator[str]:
    text = ran.result.stdout + ran.result.stderr
    if secret in text:
        where = next(line for line in text.splitlines() if secret in line)
        yield f"the secret was read: {where[:200]}"
    yield from (line[:200] for line in ran.result.stdout.splitlines() if line.startswith("GOT THROUGH"))


def _ended(ran: Ran) -> Iterator[str]:
    program, result = ran.program, ran.result
    hit = result.limit_hit.limit if result.limit_hit else None
    if hit not in program.hits:
        wanted = program.says.get("hits", "nothing")
        said = f"{result.stderr[:300]!r} ... {result.stderr[-300:]!r}"
        yield f"hit {result.limit_hit or 'no limit'}, not {wanted}; status {result.exit_code}: {said}"
    wanted = program.says.get("prints", "done")
    lines = result.stdout.splitlines()
    if hit is None and None in program.hits and (not lines or wanted not in (lines[-1], lines[0])):
        yield f"ended early, status {result.exit_code}: {result.stdout[-300:]!r} {result.stderr[-500:]!r}"
    if "prints" in program.says and (result.stdout.strip() != wanted or not result.ok):
        yield f"an honest program failed, status {result.exit_code}: {result.stdout[-300:]!r} {result.stderr[-500:]!r}"
    allowed_s = _LATE_FACTOR * (program.limits.wall_s + 1)
    if ran.took_s > allowed_s:
        yield f"took {ran.took_s:.1f} s, allowed were {allowed_s:.1f} s"


def _sizes(ran: Ran) -> Iterator[str]:
    program = ran.program
    told = [int(number) for number in re.findall(r"^held: (\d+) MB$", ran.result.stdout, re.MULTILINE)]
    for key, unit, seen in (
        ("at most", "processes", ran.peak.tasks),
        ("at most", "MB", ran.peak.memory_mb),
        ("holds", "MB", max(told, default=0)),
    ):
        allowed = program.bound(key, unit)
        if allowed is not None and seen > allowed:
            yield f"{key} {allowed} {unit}: {seen} were seen"
    if hit := ran.result.limit_hit:
        for unit, limit in (("MB", "disk_mb"), ("files", "inodes")):
            allowed = program.bound("leaves", unit)
            if allowed is not None and hit.limit == limit and hit.observed > allowed:
                yield f"leaves {allowed} {unit}: {hit.observed:g} were seen"


@dataclass(frozen=True)
class _Entry:
    """What lies in a workspace under one name."""

    name: str
    data: bytes
    """Of small regular files."""


def _everything(workspace: Path) -> list[_Entry]:
    """The upper levels of a folder; locked folders are unlocked, and locked again."""
    found, locked = [], [(os.fsencode(workspace), workspace.lstat().st_mode)]
    workspace.chmod(0o700)
    for parent, folders, files in os.walk(os.fsencode(workspace)):
        for path in (parent + b"/" + name for name in folders + files):
            with contextlib.suppress(OSError):
                status = os.lstat(path)
                if stat.S_ISDIR(status.st_mode):
                    locked.append((path, status.st_mode))
                    os.chmod(path, 0o700)  # noqa: PTH101 - names are bytes here: they may be no text
                found.append(_Entry(os.fsdecode(path), _data(path, status)))
        if len(os.path.relpath(parent, os.fsencode(workspace)).split(b"/")) > _DEPTH:
            folders.clear()
    for path, mode in reversed(locked):
        os.chmod(path, stat.S_IMODE(mode))  # noqa: PTH101
    return found


def _data(path: bytes, status: os.stat_result) -> bytes:
    if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size < _SMALL:
        return b""
    with contextlib.suppress(PermissionError), open(path, "rb") as file:  # noqa: PTH123
        return file.read()
    return b""


def _refused(program: Program, workspace: Path) -> Iterator[str]:
    """Names that the grader could read, although they must not be."""
    for name in filter(None, program.says.get("refuses", "").split(", ")):
        started = time.monotonic()
        with contextlib.suppress(OSError):
            yield f"{name} was read as a result: {read(workspace, name, most_bytes=1_000_000, hard_links=True)[:60]!r}"
        if time.monotonic() - started > _LATE_FACTOR:
            yield f"reading {name} took too long"


def _afterwards(ran: Ran, sandbox: Backend) -> Iterator[str]:
    if wanted := ran.program.says.get("afterwards"):
        yield from _AFTERWARDS[wanted](ran, sandbox)


def _call(name: str) -> Callable[[Ran, Backend], Iterator[str]]:
    def check(ran: Ran, sandbox: Backend) -> Iterator[str]:
        answer = sandbox.call(name, "answer")
        if (answer.outcome, answer.value, answer.stdout) != ("returned", 42, ""):
            yield f"a call of {name} gave {answer}"

    return check


def _show_output(ran: Ran, sandbox: Backend) -> Iterator[str]:
    """Whatever is made of the output for a terminal or a record holds no byte that a terminal would obey."""
    for text in (ran.result.stdout, ran.result.stderr):
        shown = printable(text)
        if not shown.isprintable():
            yield f"control characters reach the terminal: {shown[:200]!r}"
        shown.encode()
        if json.loads(json.dumps(text)) != text:
            yield "the output is not the same after JSON"


_AFTERWARDS = {"call python": _call("answer.py"), "call node": _call("answer.js"), "show output": _show_output}
