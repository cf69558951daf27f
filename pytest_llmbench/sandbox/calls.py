r"""Calling a function of an untrusted file, from outside its process.

A driver (``drivers/``) runs in the sandbox: it reads the request from its standard input, imports the file and makes
the calls. It answers with frames on its standard output, in between what the code prints::

    \n<nonce> ["ready"]\n                   the driver runs, nothing untrusted has run yet
    \n<nonce> ["begin", 0]\n
    \n<nonce> ["end", 0, {...}]\n           a CallResult's fields

The nonce frames, it proves nothing: code in the driver's process can read it and answer in the driver's place. It
can then only give wrong values, for the expected ones never enter.

What crosses: null, booleans, numbers, strings, lists and objects of exactly these types, at any depth (Python: int,
float, str, list, dict with str keys; no subclass, no tuple). For anything else ``value`` is None, ``type_name`` says
what it was (``tuple``, ``undefined``, ``bigint``, ``Map``; ``nan``, ``NaN`` and the infinities by name) and
``message`` where in the value it stood. Promises and coroutines are awaited. ``args_after`` is empty when the
arguments after the call cannot cross. A JavaScript number without fraction arrives as an int.

Python code sees the standard library and the workspace, never the machine's site-packages: what is installed beside
must not decide a point. A probe finds the workspace's path in the environment variable ``WORKSPACE``, in JavaScript
also as ``globalThis.WORKSPACE``, and on ``sys.path``.

Each process gets the whole of the limits, and there are at most four of them.
"""

from __future__ import annotations

import json
import re
import secrets
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from pytest_llmbench.errors import SandboxError, TaskError
from pytest_llmbench.sandbox.launch import Launch
from pytest_llmbench.schema.execution import CallResult, ExecResult, Limits

_DRIVERS = Path(__file__).parent / "drivers"
_PYTHON = ("python", "-P", "-s", "-S", "-B"), "driver.py"
_NODE = ("node",), "driver.mjs"
_LANGUAGES = {".py": _PYTHON, ".js": _NODE, ".mjs": _NODE, ".cjs": _NODE}
_RESTARTS = 3
_UNSETTLED_PROMISE = 13
"""Node's exit status when it waits for a promise and nothing is left that could settle it."""


class DriverHost(Protocol):
    """What is needed of a sandbox to make calls."""

    workspace: Path
    last: ExecResult | None
    """The newest run as a reader wants it: what the code printed, without the frames."""

    @property
    def home(self) -> str:
        """The workspace's path as programs see it."""
        ...

    def seen_at(self, file: Path, inside: str) -> str:
        """The path at which programs see ``file`` when it is mounted at ``inside``."""
        ...

    def run_driver(self, launch: Launch) -> ExecResult:
        """Run a driver."""
        ...


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to start the driver for one file."""

    command: tuple[str, ...]
    mounts: dict[Path, str]
    request: dict[str, Any]
    loopback: bool


@dataclass(slots=True)
class _Answers:
    """What one driver process answered."""

    ready: bool = False
    begun: dict[int, int] = field(default_factory=dict)
    """Call: where its output starts."""
    ends: dict[int, list[tuple[int, Any]]] = field(default_factory=dict)
    """Call: where its output ends and what was answered, once for an honest call."""


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

    A call that ends its process has died; those after it go on in a new process, three times at most. A file that
    cannot be imported raises in every call. Raises ``TaskError`` for a file, or arguments, that a task cannot use so,
    and ``SandboxError`` when the driver does not come up.
    """
    plan = _plan(host, file, function, loopback=loopback)
    results: list[CallResult] = []
    for restarts_left in range(_RESTARTS, -1, -1):
        if len(results) == len(args):
            break
        results += _one_process(host, plan, args, len(results), limits)
        if results and results[-1].outcome == "died" and restarts_left == 0:
            missing = len(args) - len(results)
            message = f"not called: the process had died {_RESTARTS + 1} times in the calls before"
            results += [CallResult("died", message=message, execution=results[-1].execution)] * missing
    return results


def _plan(host: DriverHost, file: Path, function: str, *, loopback: bool) -> _Plan:
    if file.suffix not in _LANGUAGES:
        msg = f"cannot call {function}() of {str(file)!r}: only files that end in {', '.join(_LANGUAGES)} can be called"
        raise TaskError(msg)
    interpreter, driver_name = _LANGUAGES[file.suffix]
    driver = _DRIVERS / driver_name
    mounts = {driver: f"/driver/{driver_name}"}
    if file.is_absolute() and not file.is_relative_to(host.workspace):
        if not file.is_file():
            msg = f"cannot call {function}() of {str(file)!r}: there is no such file"
            raise TaskError(msg)
        mounts[file] = f"/probe/{file.name}"
        path = host.seen_at(file, mounts[file])
    else:
        name = file.relative_to(host.workspace) if file.is_absolute() else file
        if ".." in name.parts:
            msg = f"cannot call {function}() of {str(file)!r}: the name leaves the workspace"
            raise TaskError(msg)
        path = f"{host.home}/{name.as_posix()}"
    command = (*interpreter, host.seen_at(driver, mounts[driver]))
    return _Plan(command, mounts, {"file": path, "function": function, "workspace": host.home}, loopback)


def _one_process(
    host: DriverHost, plan: _Plan, args: Sequence[Sequence[Any]], first: int, limits: Limits
) -> list[CallResult]:
    """Make the calls from ``first`` on until the process ends; at least one result, all of them if it did not die."""
    nonce = secrets.token_hex(16)
    calls = [[index, list(arguments)] for index, arguments in enumerate(args)][first:]
    try:
        request = json.dumps(plan.request | {"nonce": nonce, "calls": calls}, allow_nan=False)
    except (TypeError, ValueError) as error:
        msg = f"cannot call {plan.request['function']}(): arguments must be JSON values: {error}"
        raise TaskError(msg) from error
    execution = host.run_driver(
        Launch(plan.command, limits, stdin=request.encode(), mounts=plan.mounts, loopback=plan.loopback)
    )
    host.last = replace(execution, stdout=re.sub(rf"\n{nonce} .*\n", "", execution.stdout))
    answers = _read_answers(execution.stdout, nonce)
    if not answers.ready:
        msg = f"the driver of {' '.join(plan.command)} did not come up: {_how_it_died(execution)}"
        raise SandboxError(msg)
    results = []
    for index in range(first, len(args)):
        result = _result(index, answers, execution)
        results.append(result)
        if index not in answers.ends:
            if not answers.begun:  # it died in the import, and would do so again
                results += [result] * (len(args) - index - 1)
            break
    return results


def _read_answers(stdout: str, nonce: str) -> _Answers:
    answers = _Answers()
    for frame in re.finditer(rf"\n{nonce} (.*)\n", stdout):
        match _parsed(frame[1]):
            case ["ready"]:
                answers.ready = True
            case ["begin", int(index)]:
                answers.begun.setdefault(index, frame.end())
            case ["end", int(index), payload]:
                answers.ends.setdefault(index, []).append((frame.start(), payload))
    return answers


def _parsed(text: str) -> Any:
    """The JSON value of a frame; None for what is none, too deep, or a number too long for Python."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _result(index: int, answers: _Answers, execution: ExecResult) -> CallResult:
    start = answers.begun.get(index)
    match answers.ends.get(index):
        case None:
            stdout = "" if start is None else execution.stdout[start:]
            where = "while the file was imported: " if not answers.begun else ""
            message = where + _how_it_died(execution)
        case [(end, payload)]:
            stdout = execution.stdout[start:end]
            match payload:
                case {
                    "outcome": "returned" | "raised" as outcome,
                    "value": value,
                    "type_name": str(type_name),
                    "message": str(message),
                    "args_after": list(args_after),
                }:
                    return CallResult(outcome, value, type_name, message, tuple(args_after), stdout, execution)
            message = "the answer to the call was malformed"
        case _:
            stdout, message = "", "the call was answered more than once"
    return CallResult("died", message=message, stdout=stdout, execution=execution)


def _how_it_died(execution: ExecResult) -> str:
    if execution.limit_hit:
        return str(execution.limit_hit)
    code = execution.exit_code
    if code < 0:
        how = f"the process was ended by {_signal_name(-code)}"
    elif code == _UNSETTLED_PROMISE and execution.command[0] == "node":
        how = "the process ended while waiting for a promise that nothing settles"
    else:
        how = f"the process ended with status {code} before the call was done"
    said = execution.stderr.strip().rpartition("\n")[2]
    return f"{how}: {said[:200]}" if said else how


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
