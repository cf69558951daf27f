"""What watches replies to two tasks from inside: nothing hides from the one, and no text becomes code in the other."""

from __future__ import annotations

import ast
import json
import runpy
import subprocess
from pathlib import Path

import pytest

from pytest_llmbench import toolchains

TASKS = Path(__file__).parents[2] / "tasks" / "six"
HIDDEN_PARTS = runpy.run_path(str(TASKS / "python_top_k" / "visible.py"))["hidden_parts"]

REACHING = [
    "sorted.__globals__",
    "getattr(list, 'so' 'rt')",
    "eval('1')",
    "def g():\n    yield\ng().gi_frame",
    "match 1:\n    case object(gi_frame=x): pass",
    "class A:\n    __match_args__ = ('a',)",
    "type('A', (), {})",
    "t = type",
    "import heapq\nm = heapq",
    "import heapq\nheapq.heappop = len",
    "import os\nos.system('x')",
    "from os import system as run\nrun('x')",
    "import pickle\npickle.loads(b'')",
    "from operator import attrgetter\nattrgetter('x')",
    "import collections\ncollections.abc.sys",
    "import fractions\nfractions.operator.attrgetter",
    "object.__subclasses__()",
    "(lambda: 0).__closure__",
    "print.__self__",
    "try: pass\nexcept Exception as e: e.__traceback__",
    "'{0.x}'.format_map({})",
    "from . import x",
    "__name__ = '__main__'",
    "import sys as s\ns.modules",
    "import sys\nsys._getframe()",
    "import gc\ngc.get_objects()",
    "__import__('collections')",
]
UNSEEN = [
    "import sys\nsys.settrace(None)",
    "import threading\nthreading.setprofile(None)",
    "dir(1)",
    "class A:\n    def __dir__(self): ...",
    "import json\njson.dumps({}, sort_keys=True)",
    "import sqlite3\nsqlite3.connect('')",
    "import statistics\nstatistics.median([1])",
    "import os\nos.fork()",
    "x.unheard_of",
]
PLAIN = [
    "import doctest, timeit\nif __name__ == '__main__':\n    doctest.testmod(); timeit.timeit('x')",
    "from dataclasses import dataclass\n@dataclass(order=True)\nclass E:\n    c: int\nE(1).c",
    "class H:\n    def __init__(self, k): self._heap = []\n    def __len__(self): return len(self._heap)",
    "from collections import namedtuple\nE = namedtuple('E', 'count value')\nE(1, 2).value",
    "import itertools as it, operator\nmax(it.islice([], 3), key=operator.itemgetter(1))",
    "import collections.abc\ndef f(x: collections.abc.Sequence[int]) -> type[int]: return type(x)",
    "from heapq import *\nfrom typing import *\nx: List[int] = nlargest(1, [])",
    "import gc, sys, threading\ngc.collect(); sys.setrecursionlimit(9); threading.Thread(target=print).start()",
    "import unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(1, 1)",
    "rows = [[]]\nrows[0].sort(); sorted(rows); list(map(list.sort, rows))",
]


@pytest.mark.parametrize("code", REACHING)
def test_what_could_reach_anything_is_seen(code: str) -> None:
    assert any(part.reaches for part in HIDDEN_PARTS(ast.parse(code)))


@pytest.mark.parametrize("code", UNSEEN)
def test_what_only_could_not_be_watched_is_told_apart(code: str) -> None:
    parts = list(HIDDEN_PARTS(ast.parse(code)))
    assert parts
    assert not any(part.reaches for part in parts), list(map(str, parts))


@pytest.mark.parametrize("code", PLAIN)
def test_what_hides_nothing_is_let_be(code: str) -> None:
    assert list(map(str, HIDDEN_PARTS(ast.parse(code)))) == []


ATTEMPTS = """
const inner = async () => {};
const attempts = [
  () => Function("return 1")(),
  () => eval("1"),
  () => (0, eval)("1"),
  () => inner.constructor("return 1")(),
  () => (function* () {}).constructor("yield 1")(),
  () => setTimeout.constructor("return process")(),
  () => console.log.constructor("return process")(),
  () => structuredClone.constructor("return process")(),
  () => globalThis.constructor.constructor("return process")(),
  () => [].at.constructor("return process")(),
  () => Reflect.construct(Object.getPrototypeOf(inner).constructor, ["return 1"])(),
  () => process.exit(3),
  () => require("node:fs"),
  () => new WebAssembly.Module(new Uint8Array()),
];
const kept = attempts.map((attempt) => {
  try { return `made ${attempt()}`; } catch (error) { return error.name; }
});
kept.push(String(inner), String(new Error("here").stack), Object.keys(Error.prepareStackTrace ?? {}).join());
exports.formatEntry = () => JSON.stringify(kept);
exports.LOG_LEVELS = [];
exports.Logger = class {};
"""


def test_no_text_becomes_code_where_a_module_is_played() -> None:
    if toolchains.find("node") is None:
        pytest.skip("no node")
    ask = (
        f"import {{ play }} from {json.dumps((TASKS / 'ts_refactor' / 'play.mjs').as_uri())};"
        f"const answer = play({json.dumps(ATTEMPTS)}, 'Logger', [{{ options: {{}}, steps: [['format', {{}}]] }}]);"
        "console.log(JSON.stringify(answer));"
    )
    command = ["node", "--input-type=module", "-e", ask]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    answer = json.loads(done.stdout)
    [[[_, what, line]]] = answer["logs"]
    *attempts, written, traced, prepared = json.loads(line)
    assert what == "line"
    assert set(attempts) == {"EvalError", "ReferenceError", "TypeError"}, attempts
    assert attempts.count("EvalError") == 11
    assert answer["made"] == 11
    assert (written, traced, prepared) == ("function () { [code] }", "Error: here", "")
