# ruff: noqa: INP001 - a script that is mounted alone
"""Runs inside the sandbox: calls one function of an untrusted Python file (see ``sandbox/calls/client.py``).

Everything it uses of the standard library is imported before the untrusted code, which shares its process.
"""

from __future__ import annotations

import importlib.util
import json
import os
import site
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would take a third of the driver's own time
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

MESSAGE_LENGTH = 2000
MOST_LEVELS = 400


class NotJSONError(Exception):
    """A value that has no exact JSON form."""

    def __init__(self, type_name: str, where: str) -> None:
        super().__init__(type_name, where)
        self.type_name = type_name
        self.where = where


def open_channel() -> tuple[dict[str, Any], Callable[..., None]]:
    """Keep our own descriptor of the answers, take the request, and leave an empty standard input."""
    request = json.loads(sys.stdin.buffer.read())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    descriptor = os.dup(1)
    write = os.write
    encode = json.JSONEncoder(allow_nan=False).encode
    nonce = request["nonce"]

    def answer(*frame: Any) -> None:
        rest = f"\n{nonce} {encode(frame)}\n".encode()
        while rest:
            rest = rest[write(descriptor, rest) :]

    return request, answer


def load(path: str, first: Sequence[str] = ()) -> ModuleType:
    """Import a file, with some folders first on the import path, under its own name unless something has that."""
    name = path.rpartition("/")[2].removesuffix(".py")
    if first:
        sys.path[:0] = dict.fromkeys(first)
    elif name in sys.modules or name in sys.stdlib_module_names:
        name = f"workspace:{name}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def offer(workspace: str) -> None:
    """Give a probe the module ``llmbench_probe``, whose ``load(name)`` imports a file of the workspace, once.

    A probe is trusted and imports nothing from there by itself. From the first ``load`` on the workspace is on the
    import path, behind all else, where the model's files find each other.
    """
    loaded: dict[str, ModuleType] = {}

    def from_workspace(name: str) -> ModuleType:
        if workspace not in sys.path:
            sys.path.append(workspace)
        if name not in loaded:
            loaded[name] = load(f"{workspace}/{name}")
        return loaded[name]

    module: Any = type(sys)("llmbench_probe")
    module.load = from_workspace
    sys.modules[module.__name__] = module


def check(value: Any, where: str = "", above: tuple[int, ...] = ()) -> None:
    """Raise ``NotJSONError`` unless the value and all within are of exact JSON types, ``RecursionError`` far inside."""
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return
    if kind is int or kind is float:
        check_number(value, where)
    elif len(above) >= MOST_LEVELS:
        raise RecursionError
    elif id(value) in above:
        raise NotJSONError(f"{kind.__name__} that contains itself", where)
    elif kind is list:
        for index, item in enumerate(value):
            check(item, f"{where}[{index}]", (*above, id(value)))
    elif kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise NotJSONError(f"key of type {type(key).__name__}", where)
            check(item, f"{where}[{key!r}]", (*above, id(value)))
    else:
        raise NotJSONError(kind.__name__, where)


def check_number(value: float, where: str) -> None:
    """Raise ``NotJSONError`` for a number that JSON, or the reader, has no form for."""
    try:
        text = repr(value)
    except ValueError:
        raise NotJSONError("int too long to print", where) from None
    if text in ("nan", "inf", "-inf"):
        raise NotJSONError(text, where)


def finished(value: Any, clean_path: list[str]) -> Any:
    """The value itself, or what it gives when awaited."""
    if not hasattr(type(value), "__await__"):
        return value
    path, sys.path = sys.path, clean_path
    try:
        import asyncio
    finally:
        sys.path = path

    async def wait() -> Any:
        return await value

    return asyncio.run(wait())


def returned(value: Any, args: list[Any]) -> dict[str, Any]:
    """The answer for a call that came back."""
    result = {"outcome": "returned", "value": None, "type_name": type(value).__name__, "message": ""}
    try:
        check(value)
        result["value"] = value
    except NotJSONError as problem:
        if type(value) is float:
            result["type_name"] = problem.type_name
        place = f" at {problem.where}" if problem.where else ""
        result["message"] = f"returned no plain JSON value: {problem.type_name}{place}"
    except RecursionError:
        result["message"] = "returned no plain JSON value: nested too deeply"
    return result | {"args_after": crossing(args)}


def raised(error: BaseException, prefix: str = "", args: Sequence[Any] = ()) -> dict[str, Any]:
    """The answer for a call that raised."""
    try:
        message = str(error)[:MESSAGE_LENGTH]
    except BaseException:  # noqa: BLE001 - the exception's class is untrusted too
        message = "(its message cannot be read)"
    result = {"outcome": "raised", "value": None, "type_name": type(error).__name__, "message": prefix + message}
    return result | {"args_after": crossing(args)}


def crossing(args: Sequence[Any]) -> Sequence[Any]:
    """The arguments after the call; none when one of them cannot cross."""
    try:
        check(args)
    except (NotJSONError, RecursionError):
        return []
    return args


def flush() -> None:
    """Push out what the code printed, wherever it left the streams."""
    for name in ("stdout", "__stdout__"):
        with suppress(BaseException):  # untrusted code may have put anything there
            getattr(sys, name).flush()


def main() -> None:
    """Serve the request; the process ends here, without running what the code left for its exit."""
    end = os._exit
    request, answer = open_channel()
    clean_path = list(sys.path)
    sys.argv = [request["file"]]
    name = request["file"].rpartition("/")[2]
    answer("ready")
    broken = None
    function: Any = None
    site.setquit()  # without site-packages, but with the exit() that programs know
    try:
        folders = [request["file"].rpartition("/")[0], request["workspace"]]
        if request["is_probe"]:
            offer(request["workspace"])
            folders = []
        module = load(request["file"], folders)
        function = getattr(module, request["function"], None)
        if function is None:
            broken = raised(AttributeError(f"{name} has no {request['function']}"))
    except BaseException as error:  # noqa: BLE001 - also SystemExit
        broken = raised(error, f"while importing {name}: ")
    flush()
    for index, args in request["calls"]:
        answer("begin", index)
        if broken:
            result = broken
        else:
            try:
                result = returned(finished(function(*args), clean_path), args)
            except BaseException as error:  # noqa: BLE001 - also SystemExit
                result = raised(error, args=args)
        flush()
        try:
            answer("end", index, result)
        except (ValueError, TypeError, RecursionError):
            answer("end", index, raised(TypeError("the returned value changed while it was read")))
    end(0)


if __name__ == "__main__":
    main()
