r"""Calling a function of an untrusted file, from outside its process.

A driver (``drivers/``) runs in the sandbox: it reads the request from its standard input, imports the file and makes
the calls. It answers with frames on its standard output, in between what the code prints::

    \n<nonce> ["ready"]\n                   the driver runs, nothing untrusted has run yet
    \n<nonce> ["begin", 0]\n
    \n<nonce> ["end", 0, {...}]\n           a CallResult's fields

Code in the driver's process can answer in the driver's place (``framing.py``). It can then only give wrong values, for
the expected ones never enter.

What crosses keeps its type, up to 400 levels of containers deep (``values.py``): None, bool, int, float with nan and
the infinities, complex, str, bytes, list, tuple, set, frozenset and dict; no subclass. For anything else ``value`` is
None, ``type_name`` says what it was (``OrderedDict``, ``undefined``, ``Date``) and ``message`` where in the value it
stood. Promises and coroutines are awaited. ``args_after`` is empty when the arguments after the call cannot cross.

JavaScript (``drivers/values.mjs``): a number without fraction below 1e21 arrives as an int, as does a bigint; -0 as
-0.0, ``Map`` as dict, ``Set`` as set, ``Uint8Array`` and ``Buffer`` as bytes. There, a tuple becomes an array, a set of
either kind a ``Set``, bytes a ``Uint8Array``, a dict with other keys than str a ``Map``, an int beyond 53 bits a
bigint.

Python code sees the standard library, never the machine's site-packages: what is installed beside must not decide a
point. A file of the workspace also sees its folder and the workspace, before all else, as a script would.

A probe does not: the files of the workspace are those of the code that it judges. It finds the workspace's path in the
environment variable ``WORKSPACE``, in JavaScript also as ``globalThis.WORKSPACE``, and loads files from there by their
path, in Python with ``load`` of the module ``llmbench_probe``, which there is in the driver's process alone.

Each process gets a copy of the workspace of its own. There are at most four processes, and the limits on time hold for
all of them together: a process that is started anew gets what the others left. Other limits hold for each process anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from pytest_llmbench.errors import SandboxError, TaskError
from pytest_llmbench.sandbox.calls import values
from pytest_llmbench.sandbox.calls.framing import Frame, new_nonce, read_frames, without_frames
from pytest_llmbench.sandbox.calls.values import (
    PLAIN_BITS,
    CannotCrossError,
    MalformedError,
    decode,
    encode,
    may_have_tags,
)
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.schema.execution import CallResult, ExecResult, LimitHit, LimitName, Limits

_DRIVERS = Path(__file__).parents[1] / "drivers"
_PROCESSES = 4
_UNSETTLED_PROMISE = 13
"""Node's exit status when it waits for a promise and nothing is left that could settle it."""


class DriverHost(Protocol):
    """What is needed of a sandbox to make calls."""

    workspace: Path
    last: ExecResult | None
    """The newest run as a reader wants it: what the code printed, without the frames."""

    def home(self, bed: Bed) -> str:
        """The path of a command's workspace as programs see it."""
        ...

    def seen_at(self, file: Path, inside: str) -> str:
        """The path at which programs see ``file`` when it is mounted at ``inside``."""
        ...

    def bed(self, name: str) -> AbstractContextManager[Bed]:
        """Make the bed of one command of that name, and remove it in the end."""
        ...

    def run_in(self, bed: Bed, launch: Launch) -> ExecResult:
        """Run a command in its bed."""
        ...


@dataclass(frozen=True, slots=True)
class _Language:
    """How functions of one language are called."""

    interpreter: tuple[str, ...]
    driver: Path
    codec: Path
    """What the driver encodes and decodes values with; it lies beside the driver in the sandbox."""
    plain_bits: int = PLAIN_BITS
    """Of the largest integers that are read exactly where they are written in decimal."""
    without: tuple[type, ...] = ()
    """Types of values that have no counterpart."""


_PYTHON = _Language(("python", "-P", "-s", "-S", "-B"), _DRIVERS / "driver.py", Path(values.__file__))
_NODE = _Language(("node",), _DRIVERS / "driver.mjs", _DRIVERS / "values.mjs", plain_bits=53, without=(complex,))
_LANGUAGES = {".py": _PYTHON, ".js": _NODE, ".mjs": _NODE, ".cjs": _NODE}


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to start the driver for one file."""

    command: tuple[str, ...]
    mounts: dict[Path, str]
    name: str
    """Of the file in the workspace; of a probe the path at which the driver sees it."""
    is_probe: bool
    function: str
    loopback: bool


@dataclass(slots=True)
class _Budget:
    """The limits on time, of which several processes use up their shares."""

    limits: Limits
    wall_s: float = 0.0
    """Used so far, as ``cpu_s``."""
    cpu_s: float = 0.0
    exhausted: LimitHit | None = None
    """The limit of which nothing is left."""

    @property
    def rest(self) -> Limits:
        """What the next process may use."""
        return replace(self.limits, wall_s=self.limits.wall_s - self.wall_s, cpu_s=self.limits.cpu_s - self.cpu_s)

    def charge(self, execution: ExecResult) -> ExecResult:
        """Count what a process used. The same result, with a hit limit as of all processes together."""
        hit = execution.limit_hit
        if hit is not None and hit.limit in ("wall_s", "cpu_s"):
            hit = self.exhausted = self._hit(hit.limit, getattr(self, hit.limit) + hit.observed)
        self.wall_s += execution.wall_s - execution.waited_s
        self.cpu_s += execution.cpu_s
        if self.exhausted is None and self.cpu_s >= self.limits.cpu_s:
            self.exhausted = self._hit("cpu_s", self.cpu_s)
        if self.exhausted is None and self.wall_s >= self.limits.wall_s:
            self.exhausted = self._hit("wall_s", self.wall_s)
        return replace(execution, limit_hit=hit)

    def _hit(self, limit: LimitName, used: float) -> LimitHit:
        return LimitHit(limit, getattr(self.limits, limit), round(used, 3))


@dataclass(slots=True)
class _Answers:
    """What one driver process answered."""

    ready: bool = False
    begun: dict[int, int] = field(default_factory=dict)
    """Call: where its output starts."""
    ends: dict[int, list[Frame]] = field(default_factory=dict)
    """Call: what was answered, once for an honest call. Its output ends there."""


def make_calls(
    host: DriverHost,
    file: Path,
    function: str,
    args: Sequence[Sequence[Any]],
    limits: Limits,
    *,
    loopback: bool = False,
) -> list[CallResult]:
    """Call ``function`` of ``file`` once per entry of ``args``; one result each, in order.

    A call that ends its process has died; those after it go on in a new process, three times at most and as long as
    there is time left. A file that cannot be imported raises in every call. Raises ``TaskError`` for a file, or
    arguments, that a task cannot use so, and ``SandboxError`` when the driver does not come up.
    """
    plan = _plan(host, file, function, loopback=loopback)
    budget = _Budget(limits)
    wires = _encoded(args, _LANGUAGES[file.suffix], function)
    results: list[CallResult] = []
    for _ in range(_PROCESSES):
        if len(results) == len(args):
            return results
        execution, made = _one_process(host, plan, wires, len(results), budget)
        results += made
        if budget.exhausted:
            why = str(budget.exhausted)
            break
    else:
        why = f"the process had died {_PROCESSES} times in the calls before"
    not_called = CallResult("died", message=f"not called: {why}", execution=execution)
    return results + [not_called] * (len(args) - len(results))


def _plan(host: DriverHost, file: Path, function: str, *, loopback: bool) -> _Plan:
    if file.suffix not in _LANGUAGES:
        msg = f"cannot call {function}() of {str(file)!r}: only files that end in {', '.join(_LANGUAGES)} can be called"
        raise TaskError(msg)
    language = _LANGUAGES[file.suffix]
    mounts = {script: f"/driver/{script.name}" for script in (language.driver, language.codec)}
    if file.is_absolute() and not file.is_relative_to(host.workspace):
        if not file.is_file():
            msg = f"cannot call {function}() of {str(file)!r}: there is no such file"
            raise TaskError(msg)
        mounts[file] = f"/probe/{file.name}"
        name = host.seen_at(file, mounts[file])
    else:
        inside = file.relative_to(host.workspace) if file.is_absolute() else file
        if ".." in inside.parts:
            msg = f"cannot call {function}() of {str(file)!r}: the name leaves the workspace"
            raise TaskError(msg)
        name = inside.as_posix()
    scripts = [host.seen_at(script, mounts[script]) for script in (language.driver, language.codec)]
    command = (*language.interpreter, *scripts)
    return _Plan(command, mounts, name, file in mounts, function, loopback)


def _encoded(args: Sequence[Sequence[Any]], language: _Language, function: str) -> list[Any]:
    """The arguments of each call as they are sent."""
    wires = []
    for index, arguments in enumerate(args):
        try:
            wires.append(encode(list(arguments), plain_bits=language.plain_bits, without=language.without))
        except (CannotCrossError, RecursionError) as error:
            why = error if isinstance(error, CannotCrossError) else "nested too deeply"
            msg = f"cannot call {function}(): an argument cannot be passed to {language.interpreter[0]}: {why}"
            if len(args) > 1:
                msg += f", in call {index}"
            raise TaskError(msg) from error
    return wires


def _one_process(
    host: DriverHost, plan: _Plan, wires: Sequence[Any], first: int, budget: _Budget
) -> tuple[ExecResult, list[CallResult]]:
    """Make the calls from ``first`` on until the process ends; the results of those that were begun."""
    nonce = new_nonce()
    calls = list(enumerate(wires))[first:]
    execution = budget.charge(_drive(host, plan, budget.rest, {"nonce": nonce, "calls": calls}))
    host.last = replace(execution, stdout=without_frames(execution.stdout, nonce))
    answers = _read_answers(execution.stdout, nonce)
    if not answers.ready and execution.limit_hit is None and not _comes_up(host, plan, budget.rest):
        msg = f"the driver of {' '.join(plan.command)} did not come up: {_how_it_died(execution)}"
        raise SandboxError(msg)
    if first and budget.exhausted and not answers.begun:  # what was left of the time was too little to begin again
        return execution, []
    results = []
    for index in range(first, len(wires)):
        result = _result(index, answers, execution)
        results.append(result)
        if index not in answers.ends:
            if not answers.begun:  # it died in the import, and would do so again
                results += [result] * (len(wires) - index - 1)
            break
    return execution, results


def _comes_up(host: DriverHost, plan: _Plan, limits: Limits) -> bool:
    """Whether the driver comes up where no untrusted code is beside it.

    If so, that code took the driver's first answer away: a program can open its own output for reading.
    """
    nonce = new_nonce()
    execution = _drive(host, plan, limits, {"nonce": nonce, "calls": [], "file": os.devnull})
    return _read_answers(execution.stdout, nonce).ready


def _drive(host: DriverHost, plan: _Plan, limits: Limits, asked: Mapping[str, Any]) -> ExecResult:
    """Run one driver process in a bed of its own."""
    with host.bed(plan.command[0]) as bed:
        home = host.home(bed)
        file = plan.name if plan.is_probe else f"{home}/{plan.name}"
        request = {"file": file, "is_probe": plan.is_probe, "function": plan.function, "workspace": home, **asked}
        stdin = json.dumps(request, allow_nan=False).encode()
        return host.run_in(bed, Launch(plan.command, limits, stdin=stdin, mounts=plan.mounts, loopback=plan.loopback))


def _read_answers(stdout: str, nonce: str) -> _Answers:
    answers = _Answers()
    for frame in read_frames(stdout, nonce):
        match frame.value:
            case ["ready"]:
                answers.ready = True
            case ["begin", int(index)]:
                answers.begun.setdefault(index, frame.end)
            case ["end", int(index), _]:
                answers.ends.setdefault(index, []).append(frame)
    return answers


def _result(index: int, answers: _Answers, execution: ExecResult) -> CallResult:
    start = answers.begun.get(index)
    match answers.ends.get(index):
        case None:
            stdout = "" if start is None else execution.stdout[start:]
            where = "while the file was imported: " if answers.ready and not answers.begun else ""
            message = where + _how_it_died(execution)
        case [frame]:
            stdout = execution.stdout[start : frame.start]
            match frame.value[2]:
                case {
                    "outcome": "returned" | "raised" as outcome,
                    "value": value,
                    "type_name": str(type_name),
                    "message": str(message),
                    "args_after": args_after,
                }:
                    with suppress(MalformedError, RecursionError):
                        if may_have_tags(frame.text):
                            value, args_after = decode(value), decode(args_after)
                        if type(args_after) is list:
                            return CallResult(outcome, value, type_name, message, tuple(args_after), stdout, execution)
            message = "the answer to the call was malformed"
        case _:
            stdout, message = "", "the call was answered more than once"
    return CallResult("died", message=message, stdout=stdout, execution=execution)


def _how_it_died(execution: ExecResult) -> str:
    if execution.limit_hit:
        return str(execution.limit_hit)
    if execution.exit_code == _UNSETTLED_PROMISE and execution.command[0] == "node":
        how = "the process ended while waiting for a promise that nothing settles"
    else:
        how = f"the process {execution.ending} before the call was done"
    said = execution.stderr.strip().rpartition("\n")[2]
    return f"{how}: {said[:200]}" if said else how
