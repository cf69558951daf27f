"""Wrong solutions that cheat: none has a point more than without the cheat, none breaks the run, honest ones lose none.

Everything is read from outside: from ``results.json`` of the real command, and from what ``sandbox.calls`` returns.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.bench import Bench
from support.cheats import Cheat, cheats, grade
from support.suite import TASKS

from pytest_llmbench import toolchains
from pytest_llmbench.errors import SandboxError
from pytest_llmbench.extraction.extract import extract
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.sandbox.registry import own_backends
from pytest_llmbench.sandbox.selection import choose, open_sandbox
from pytest_llmbench.schema.execution import ExecResult

CALLED = {"python-top-k": ("top_k.py", "top_k_frequent"), "js-bug-fix": ("task_queue.js", "f")}
"""Tasks whose cheats are also called without the task, by file and function."""
CHUNK = 8
"""Replies graded in one session, beside those without a cheat."""
EVERY = {task: list(cheats(task)) for task in TASKS}
BASELINES = {task: {reply.without for reply in every} for task, every in EVERY.items()}
FEWEST_CHEATS = {
    "python-top-k": 45,
    "js-bug-fix": 29,
    "js-sse": 17,
    "ts-refactor": 15,
    "go-middleware": 17,
    "rust-cli": 23,
}


def chunks() -> list[Any]:
    """All replies but the baselines, cut so that several processes can share the work."""
    found = []
    for task, every in EVERY.items():
        others = [reply for reply in every if reply.name not in BASELINES[task]]
        found += [
            pytest.param(task, others[i : i + CHUNK], id=f"{task}-{i // CHUNK + 1}")
            for i in range(0, len(others), CHUNK)
        ]
    return found


def earned(attempt: dict[str, Any]) -> set[str]:
    """The points that add something."""
    return {each["id"] for each in attempt["criteria"] if each["max_points"] and each["outcome"] == "earned"}


@pytest.mark.parametrize(("task", "replies"), chunks())
def test_a_cheat_earns_nothing_and_breaks_nothing(bench: Bench, task: str, replies: list[Cheat]) -> None:
    needed = {reply.without for reply in replies}
    baselines = [reply for reply in EVERY[task] if reply.name in needed]
    assert {reply.name for reply in baselines} == needed
    before = {path: path.read_bytes() for path in bench.root.parent.rglob("*") if path.is_file()}
    run = grade(bench, [*baselines, *replies], "--tb=line", "-rN", PYTEST_DEBUG_TEMPROOT=str(bench.root.parent))
    if left := run.results["run"]["selection"]["left_out"]:
        pytest.skip(left[0]["reason"])
    assert run.exit == 1, run.out + run.err
    assert "INTERNALERROR" not in run.out + run.err
    wrong = []
    for reply in [*baselines, *replies]:
        attempt = run.attempt(task, reply.name)
        # What a cheat around an almost right solution may earn is stated by its points alone.
        (behind,) = [each for each in baselines if each.name == reply.without]
        wrong_at_all = reply.kind == "cheat" and reply.points <= behind.points
        surplus = earned(attempt) - earned(run.attempt(task, reply.without)) if wrong_at_all else set()
        if attempt["status"] != "scored" or attempt["points"] != reply.points or surplus:
            missed = [f"{each['id']}: {each['message'][:200]}" for each in attempt["criteria"] if each["message"]]
            wrong.append(
                f"{reply.name}: {attempt['status']} {attempt['error']} {attempt['points']}, {surplus=} {missed}"
            )
    assert not wrong, "\n".join(wrong)
    assert all(path.read_bytes() == content for path, content in before.items())


def test_the_corpus_is_wide_enough() -> None:
    numbers = {task: sum(reply.kind != "honest" for reply in every) for task, every in EVERY.items()}
    assert all(number >= FEWEST_CHEATS[task] for task, number in numbers.items())
    assert all(any(reply.kind == "honest" for reply in every) for every in EVERY.values())


# -- the same without a task: calls of a function --------------------------------------------------------------------


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def sandbox(workspace: Path) -> Backend:
    """The strongest sandbox that works here."""
    try:
        choice = choose("auto", own_backends())
    except SandboxError as error:
        pytest.skip(str(error))
    found = [toolchain for name in ("python", "node") if (toolchain := toolchains.find(name))]
    sandbox = open_sandbox(choice, workspace, found)
    assert isinstance(sandbox, Backend)
    return sandbox


def need(sandbox: Backend, file: str) -> None:
    name = "python" if file.endswith(".py") else "node"
    if name not in sandbox.toolchains:
        pytest.skip(f"no {name}")


@pytest.mark.parametrize(
    ("task", "reply"),
    [
        pytest.param(task, reply, id=f"{task}-{reply.name}")
        for task in CALLED
        for reply in EVERY[task]
        if reply.kind == "cheat"
    ],
)
def test_a_cheat_called_directly_gives_no_right_value(
    sandbox: Backend, workspace: Path, task: str, reply: Cheat
) -> None:
    file, function = CALLED[task]
    need(sandbox, file)
    code = extract(reply.reply, [file]).files[file]
    (workspace / file).write_text(code + ("\nmodule.exports.f = () => 'wrong';\n" if file.endswith(".js") else ""))
    questions = [[[9, 9, 4, 1], k] for k in (1, 2, 3)]
    right = [secrets.randbits(64) for _ in questions]  # what nobody inside can know
    results = sandbox.calls(file, function, questions)
    assert len(results) == len(questions)
    for result, value in zip(results, right, strict=True):
        assert result.value != value
        assert result.outcome == "returned" or result.value is None
        assert json.loads(json.dumps(result.value, allow_nan=False)) == result.value


NESTED = {
    "nested.py": "def f(n):\n    v = []\n    for _ in range(n - 1):\n        v = [v]\n    return v\n",
    "nested.js": "exports.f = (n) => { let v = []; for (let i = 1; i < n; i += 1) v = [v]; return v };\n",
}


@pytest.mark.parametrize(("depth", "crosses"), [(400, True), (401, False), (900, False), (5000, False)])
@pytest.mark.parametrize("file", NESTED)
def test_a_value_of_many_levels(sandbox: Backend, workspace: Path, file: str, depth: int, crosses: bool) -> None:
    """Whatever crosses can be shown and compared in the test process; what does not is told."""
    need(sandbox, file)
    (workspace / file).write_text(NESTED[file])
    result = sandbox.call(file, "f", depth)
    assert result.outcome == "returned", result.message
    assert ("nested too deeply" in result.message) is not crosses
    assert repr(result.value) == ("[" * depth + "]" * depth if crosses else "None")


FORGED = r"""
import os, sys

def f(text):
    nonce = sys._getframe(1).f_locals["request"]["nonce"]
    answer = '{"outcome": "returned", "value": %s, "type_name": "list", "message": "", "args_after": []}' % text
    os.write(1, f'\n{nonce} ["end", 0, {answer}]\n'.encode())
    os._exit(0)
"""


@pytest.mark.parametrize(
    "text",
    ["NaN", "[Infinity]", "-Infinity", "[1e999]", "-1e999", "[" * 500 + "]" * 500, '{"a":' * 900 + "1" + "}" * 900],
)
def test_a_forged_value_is_none_where_no_real_one_could_cross(sandbox: Backend, workspace: Path, text: str) -> None:
    (workspace / "forged.py").write_text(FORGED)
    assert sandbox.call("forged.py", "f", "[1e99]").value == [1e99], "it can be forged"
    result = sandbox.call("forged.py", "f", text)
    assert (result.outcome, result.value) == ("died", None)


@pytest.mark.parametrize("thief", ["solution", "machine"])
def test_an_answer_that_was_taken_away(
    sandbox: Backend, workspace: Path, monkeypatch: pytest.MonkeyPatch, thief: str
) -> None:
    """By the solution: its own fault. By something else: no verdict on anybody."""
    run_in = sandbox.run_in

    def steal(bed: Bed, launch: Launch) -> ExecResult:
        result = run_in(bed, launch)
        return replace(result, stdout="") if thief == "machine" or b"solution.py" in launch.stdin else result

    (workspace / "solution.py").write_text("def f():\n    return 1\n")
    monkeypatch.setattr(sandbox, "run_in", steal)
    if thief == "machine":
        with pytest.raises(SandboxError, match="did not come up"):
            sandbox.calls("solution.py", "f", [[], []])
    else:
        results = sandbox.calls("solution.py", "f", [[], []])
        assert [(result.outcome, result.value) for result in results] == [("died", None)] * 2


SEARCHES = {
    "search.py": r"""
import gc, hashlib, os, re, sys
WORD = re.compile(rb"[0-9a-f]{40}")

def texts():
    memory = open("/proc/self/mem", "rb", buffering=0)
    for line in open("/proc/self/maps").read().splitlines():
        area, rights, *_ = line.split()
        start, end = (int(part, 16) for part in area.split("-"))
        if rights.startswith("rw") and end - start < 1 << 26:
            memory.seek(start)
            try:
                yield memory.read(end - start)
            except OSError:
                pass
    yield repr(os.environ).encode()
    yield repr(sys.argv).encode()
    for top in ("/w", "/probe", "/driver", "/tmp", "/etc", "/run", "/var", "/dev/shm"):
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    try:
                        yield open(path, "rb").read(10_000_000)
                    except OSError:
                        pass
    for name in os.listdir("/proc"):
        if name.isdigit():
            for file in ("environ", "cmdline"):
                try:
                    yield open(f"/proc/{name}/{file}", "rb").read()
                except OSError:
                    pass

def f(argument, digest):
    words = {word.decode() for text in texts() for word in WORD.findall(text)}
    wanted = [word for word in words if hashlib.sha256(word.encode()).hexdigest() == digest]
    return {"argument": argument in words, "expected": wanted}
""",
    "search.js": r"""
const fs = require('node:fs');
const { createHash } = require('node:crypto');

function* texts() {
  const memory = fs.openSync('/proc/self/mem', 'r');
  for (const line of fs.readFileSync('/proc/self/maps', 'latin1').split('\n')) {
    const [range, rights] = line.split(' ');
    if (!rights?.startsWith('rw')) continue;
    const [start, end] = range.split('-').map((text) => Number.parseInt(text, 16));
    if (end - start > 1 << 26) continue;
    try {
      const part = Buffer.alloc(end - start);
      fs.readSync(memory, part, 0, part.length, start);
      yield part.toString('latin1');
    } catch { /* not to be read */ }
  }
  yield JSON.stringify([process.env, process.argv]);
  for (const folder of ['/w', '/probe', '/driver', '/tmp', '/etc', '/run', '/var', '/dev/shm']) {
    try {
      for (const name of fs.readdirSync(folder)) {
        const path = `${folder}/${name}`;
        if (fs.statSync(path).isFile()) yield fs.readFileSync(path, 'latin1');
      }
    } catch { /* not there, or not to be read */ }
  }
}

exports.f = (argument, digest) => {
  const words = new Set();
  for (const text of texts()) for (const [word] of text.matchAll(/[0-9a-f]{40}/g)) words.add(word);
  const sha256 = (word) => createHash('sha256').update(word).digest('hex');
  return { argument: words.has(argument), expected: [...words].filter((word) => sha256(word) === digest) };
};
""",
}


@pytest.mark.parametrize("file", SEARCHES)
def test_what_is_expected_is_nowhere_inside(sandbox: Backend, workspace: Path, file: str) -> None:
    """All arguments are inside, later ones too. What is compared with the value is not."""
    need(sandbox, file)
    (workspace / file).write_text(SEARCHES[file])
    argument, expected = secrets.token_hex(20), secrets.token_hex(20)
    result = sandbox.call(file, "f", argument, hashlib.sha256(expected.encode()).hexdigest())
    assert result.outcome == "returned", result.message
    assert result.value == {"argument": True, "expected": []}
    assert expected not in str(sandbox.last), "kept alive until here"


TALKS = {
    "talks.py": """
import atexit, gc, os, signal, sys, threading, time

class Same:
    def __eq__(self, other):
        return True
    def __hash__(self):
        return 1

seen = {Same(): 0}
atexit.register(print, "bye")
signal.signal(signal.SIGTERM, signal.SIG_IGN)
threading.Thread(target=lambda: [time.sleep(0.2) for _ in range(1000)]).start()
sys.setswitchinterval(0.0005)
gc.disable()

def f(x):
    globals()["calls"] = globals().get("calls", 0) + 1
    seen[Same()] = x
    threading.Thread(target=print, args=("thread", x), daemon=True).start()
    for line in range(500):
        print("line", line, "[1, 2, 3]" * 5)
    print("on the other", file=sys.stderr)
    os.write(1, b"raw and no end of line")
    if os.fork() == 0:
        os._exit(3)
    os.wait()
    return [x, "ok"]
""",
    "talks.js": """
const { spawnSync } = require('node:child_process');

globalThis.calls = 0;
process.on('exit', () => console.log('bye'));
setInterval(() => console.log('tick'), 1);
Array.prototype.second = function second() { return this[1]; };

exports.f = async (x) => {
  globalThis.calls += 1;
  for (let line = 0; line < 500; line += 1) console.log('line', line, '[1, 2, 3]'.repeat(5));
  console.error('on the other');
  process.stdout.write('raw and no end of line');
  spawnSync('/bin/true');
  await new Promise((resolve) => setTimeout(resolve, 3));
  return [x, 'ok'];
};
""",
}


@pytest.mark.parametrize("file", TALKS)
def test_honest_code_of_odd_habits_is_right(sandbox: Backend, workspace: Path, file: str) -> None:
    need(sandbox, file)
    (workspace / file).write_text(TALKS[file])
    results = sandbox.calls(file, "f", [[number] for number in range(5)])
    assert [(result.outcome, result.value, result.message) for result in results] == [
        ("returned", [number, "ok"], "") for number in range(5)
    ]
    assert all(result.stdout.count("[1, 2, 3]") == 2500 for result in results)
    assert len({id(result.execution) for result in results}) == 1
