"""What the TypeScript compiler says of a module, in a process in which none of it runs, and in which shapes."""

from pathlib import Path
from typing import Annotated

from annotated_types import Interval
from typing_extensions import TypedDict

from pytest_llmbench import Limits

CONSUMER = Path(__file__).with_name("consumer.ts.txt")
COMPILE = Path(__file__).with_name("compile.mjs")
COMPILE_LIMITS = Limits(cpu_s=15, wall_s=30, memory_mb=2000)  # about ten times what the starter takes
AREAS = ("Logger", "CacheStore", "RequestPipeline")
COUNTS = {
    "hidden": ("literals", "names"),
    "copied": ("module", *AREAS),
    "dated": ("loops", "sums", "copies", "defaults"),
}
Count = Annotated[int, Interval(ge=0, lt=10**9)]


class Error(TypedDict):
    """An error of the compiler, and the part of the module that it is in."""

    inside: str
    message: str
    line: Count


class Types(TypedDict):
    """What the types say: errors of the module and of code that uses it, and what kinds of thing a name stands for."""

    errors: list[Error]
    consumer: list[Error]
    exports: dict[str, list[str]]


Measures = TypedDict(
    "Measures",
    {
        "text": str,
        "making": list[str],
        **dict.fromkeys(("code", "branches", "methods", "searches", "anys"), Count),
        **{group: TypedDict(group, dict.fromkeys(keys, Count)) for group, keys in COUNTS.items()},
    },
)
SHAPES = {"script": str, "types": Types, "measures": Measures}


def looks(sandbox, text):
    """What the compiler says of a text: its JavaScript, its types, its measures, each a ``CallResult``."""
    whats = ("script", "types", "measures")
    calls = [[what, text, CONSUMER.read_text(encoding="utf-8")] for what in whats]
    return dict(zip(whats, sandbox.calls(COMPILE, "look", calls, COMPILE_LIMITS), strict=True))
