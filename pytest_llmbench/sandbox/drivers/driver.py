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


def opened_codec(path: str) -> ModuleType:
    """A module from a file, under no name by which other code could import it or find its own in its place."""
    spec = importlib.util.spec_from_file_location("llmbench_values", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def open_channel() -> tuple[dict[str, Any], Callable[..., None], Any]:
    """Keep our own descriptor of the answers, take the request, and leave an empty standard input.

    The third is the module that encodes and decodes values (``sandbox/calls/values.py``), which nothing can import.
    """
    text = sys.stdin.buffer.read().decode()
    request = json.loads(text)
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

    codec: Any = opened_codec(sys.argv[1])
    if codec.may_have_tags(text):
        request["calls"] = [(index, codec.decode(args)) for index, args in request["calls"]]
    return request, answer, codec


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


def returned(value: Any, args: list[Any], codec: Any) -> dict[str, Any]:
    """The answer for a call that came back."""
    result = {"outcome": "returned", "value": None, "type_name": type(value).__name__, "message": ""}
    try:
        result["value"] = codec.encode(value)
    except codec.CannotCrossError as problem:
        result["message"] = f"returned a value that cannot be passed: {problem}"
    except RecursionError:
        result["message"] = "returned a value that cannot be passed: nested too deeply"
    return result | {"args_after": crossing(args, codec)}


def raised(error: BaseException, codec: Any, prefix: str = "", args: Sequence[Any] = ()) -> dict[str, Any]:
    """The answer for a call that raised."""
    try:
        message = str(error)[:MESSAGE_LENGTH]
    except BaseException:  # noqa: BLE001 - the exception's class is untrusted too
        message = "(its message cannot be read)"
    result = {"outcome": "raised", "value": None, "type_name": type(error).__name__, "message": prefix + message}
    return result | {"args_after": crossing(args, codec)}


def crossing(args: Sequence[Any], codec: Any) -> Any:
    """The arguments after the call, encoded; none when one of them cannot cross."""
    try:
        return codec.encode(list(args))
    except (codec.CannotCrossError, RecursionError):
        return []


def flush() -> None:
    """Push out what the code printed, wherever it left the streams."""
    for name in ("stdout", "__stdout__"):
        with suppress(BaseException):  # untrusted code may have put anything there
            getattr(sys, name).flush()


def main() -> None:
    """Serve the request; the process ends here, without running what the code left for its exit."""
    end = os._exit
    request, answer, codec = open_channel()
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
            broken = raised(AttributeError(f"{name} has no {request['function']}"), codec)
    except BaseException as error:  # noqa: BLE001 - also SystemExit
        broken = raised(error, codec, f"while importing {name}: ")
    flush()
    for index, args in request["calls"]:
        answer("begin", index)
        if broken:
            result = broken
        else:
            try:
                result = returned(finished(function(*args), clean_path), args, codec)
            except BaseException as error:  # noqa: BLE001 - also SystemExit
                result = raised(error, codec, args=args)
        flush()
        try:
            answer("end", index, result)
        except (ValueError, TypeError, RecursionError):  # what cannot be written is a name or a message
            answer("end", index, raised(TypeError("the call's answer cannot be written"), codec))
    end(0)


if __name__ == "__main__":
    main()
