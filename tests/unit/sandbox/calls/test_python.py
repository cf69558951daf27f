"""Calling functions of untrusted Python files."""

import functools
import math
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_llmbench import same
from pytest_llmbench.errors import SandboxError, TaskError
from pytest_llmbench.schema.execution import Limits


@pytest.fixture
def solution(workspace):
    def write(source, name="solution.py"):
        (workspace / name).write_text(source)

    return write


def summary(result):
    return result.outcome, result.value, result.type_name


def test_a_call_returns_a_value(either, solution):
    solution("def add(a, b):\n    return a + b\n")
    result = either.call("solution.py", "add", 2, 3)
    assert summary(result) == ("returned", 5, "int")
    assert result.args_after == (2, 3)
    assert result.execution.ok


def test_many_calls_share_one_process(either, solution):
    solution("seen = []\ndef note(x):\n    seen.append(x)\n    return seen\n")
    results = either.calls("solution.py", "note", [[1], [2], [3]])
    assert [result.value for result in results] == [[1], [1, 2], [1, 2, 3]]
    assert len({id(result.execution) for result in results}) == 1
    assert either.calls("solution.py", "note", []) == []


KEYS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
VALUES = st.recursive(
    KEYS | st.floats() | st.complex_numbers() | st.sets(KEYS, max_size=4) | st.sampled_from(["$", "$tuple"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(VALUES, max_size=20))
def test_every_value_crosses_unchanged(make_sandbox, workspace, values):
    (workspace / "solution.py").write_text("def same(x):\n    return x\n")
    results = make_sandbox("bubblewrap").calls("solution.py", "same", [[value] for value in values])
    for result, value in zip(results, values, strict=True):
        assert result.message == ""
        assert same(result.value, value)
        assert same(result.args_after, (value,))


MBPP = {
    "tuple": ("tuple(x)", [1, "a"], (1, "a")),
    "set": ("set(x)", (3, 1, 3), {1, 3}),
    "frozenset": ("frozenset(x)", {3, 1}, frozenset({1, 3})),
    "dict with int keys": ("{n: n * n for n in x}", [2, 3], {2: 4, 3: 9}),
    "dict with tuple keys": ("{(n, None): [n] for n in x}", [2], {(2, None): [2]}),
    "keys of one hash": ("{-1: True, -2: False, **x}", {True: 1}, {-1: True, -2: False, True: 1}),
    "complex": ("x * 1j", 2 + 1j, -1 + 2j),
    "complex of no number": ("x - x", complex("inf-infj"), complex("nan+nanj")),
    "bytes": ("x + b'\\n\\xff'", b"\x00", b"\x00\n\xff"),
    "inf": ("min(x, default=float('inf'))", [], float("inf")),
    "-inf": ("-x", float("inf"), -float("inf")),
    "nan": ("x - x", float("inf"), float("nan")),
    "minus zero": ("-x", 0.0, -0.0),
    "factorial": ("__import__('math').factorial(x)", 3000, math.factorial(3000)),
    "minus a large integer": ("-x", 2**5000, -(2**5000)),
    "list of tuples": ("sorted(x.items())", {"b": 1, "a": 2}, [("a", 2), ("b", 1)]),
    "a text as a tag": ("[['$tuple'], {'$set': x}]", ["$list", 1], [["$tuple"], {"$set": ["$list", 1]}]),
    "nothing in them": ("[(), set(), frozenset(), {}, b'', []]", None, [(), set(), frozenset(), {}, b"", []]),
}  # fmt: skip


def test_types_of_foreign_suites_are_kept_both_ways(either, solution):
    functions = "".join(f"def f{n}(x):\n    return {case[0]}\n" for n, case in enumerate(MBPP.values()))
    solution(functions + "def f(n, x):\n    return globals()[f'f{n}'](x)\n")
    results = either.calls("solution.py", "f", [[n, case[1]] for n, case in enumerate(MBPP.values())])
    for name, result in zip(MBPP, results, strict=True):
        assert (result.outcome, result.message) == ("returned", ""), name
        assert same(result.value, MBPP[name][2]), name
        assert same(result.args_after[1], MBPP[name][1]), name


OTHERS = [
    ("len", "builtin_function_or_method", ""),
    ("Word('x')", "Word", ""),
    ("Always()", "Always", ""),
    ("[1, {2: Always()}]", "list", "Always at [1][2]"),
    ("{'a': {Always()}}", "dict", "Always at ['a']{member}"),
    ("{Always(): 1}", "dict", "Always at {key}"),
    ("{(1, Word('x')): 1}", "dict", "Word at {key}[1]"),
    ("OrderedDict(a=1)", "OrderedDict", ""),
    ("Point(1, 2)", "Point", ""),
    ("(1, bytearray(b'x'))", "tuple", "bytearray at [1]"),
    ("range(3)", "range", ""),
    ("{1, float('nan')}", "set", "nan in a set or a key at {member}"),
    ("{(1, complex('nan')): 1}", "dict", "nan in a set or a key at {key}[1]"),
    ("loop", "list", "list that contains itself at [0]"),
    ("tied", "dict", "tuple that contains itself at [1][0]"),
    ("deep", "list", "nested too deeply"),
    ("1 << 400_000", "int", "int of 400001 bits"),
    ("set(range(100_001))", "set", "more than 100000 members"),
    ("{n * (2**61 - 1) for n in range(500)}", "set", "too many members with one hash"),
]
MAKES_OTHERS = """
from collections import OrderedDict, namedtuple
Point = namedtuple("Point", "x y")
class Word(str): pass
class Always:
    def __eq__(self, other): return True
    def __hash__(self): return 1
loop = []
loop.append(loop)
tied = {1: ([],)}
tied[1][0].append(tied[1])
tied = {1: tied[1]}
deep = []
for _ in range(100000): deep = [deep]
def f(text): return eval(text)
"""


def test_other_values_do_not_cross_but_are_told(sandbox, solution):
    solution(MAKES_OTHERS)
    results = sandbox.calls("solution.py", "f", [[expression] for expression, *_ in OTHERS])
    for result, (expression, type_name, where) in zip(results, OTHERS, strict=True):
        assert (result.outcome, result.value, result.type_name) == ("returned", None, type_name), expression
        assert result.message.startswith("returned a value that cannot be passed: "), expression
        assert where in result.message, expression


@pytest.mark.parametrize(
    ("expression", "value"), [("True", True), ("1", 1), ("2 ** 200", 2**200), ("1.0", 1.0), ("None", None)]
)
def test_types_are_kept(sandbox, solution, expression, value):
    solution(f"def f(): return {expression}")
    result = sandbox.call("solution.py", "f")
    assert type(result.value) is type(value)
    assert result.value == value
    assert result.message == ""


def test_mutated_arguments_are_seen(sandbox, solution):
    solution("def f(items):\n    items.sort()\n    return len(items)\ndef g(items):\n    items.append(len)\n")
    assert sandbox.call("solution.py", "f", [3, 1, 2]).args_after == ([1, 2, 3],)
    assert sandbox.call("solution.py", "g", [3]).args_after == ()


def test_exceptions_are_told(sandbox, solution):
    solution("""
class Bad(Exception):
    def __str__(self): raise ValueError
def f(x):
    if x == 0: raise KeyError("zero")
    if x == 1: raise Bad
    if x == 2: raise SystemExit(0)
    if x == 3: exit()
    return x
""")
    results = sandbox.calls("solution.py", "f", [[0], [1], [2], [3], [4]])
    assert [result.type_name for result in results] == ["KeyError", "Bad", "SystemExit", "SystemExit", "int"]
    assert results[0].message == "'zero'"
    assert [result.outcome for result in results] == ["raised"] * 4 + ["returned"]


@pytest.mark.parametrize(
    ("source", "type_name", "message"),
    [
        ("def other(): pass", "AttributeError", "solution.py has no f"),
        ("def f(:", "SyntaxError", "while importing solution.py"),
        ("import no_such_module", "ModuleNotFoundError", "no_such_module"),
        ("raise SystemExit(0)", "SystemExit", "while importing"),
        ("import sys; sys.exit()", "SystemExit", "while importing"),
        ("import numpy", "ModuleNotFoundError", "numpy"),
        ("f = 3", "TypeError", "not callable"),
    ],
)
def test_a_file_without_the_function_raises_in_every_call(sandbox, solution, source, type_name, message):
    solution(source)
    results = sandbox.calls("solution.py", "f", [[], []])
    assert [(result.outcome, result.type_name) for result in results] == [("raised", type_name)] * 2
    assert message in results[0].message


def test_a_missing_file_raises(sandbox):
    assert sandbox.call("solution.py", "f").type_name == "FileNotFoundError"


def test_death_in_one_call_spares_the_others(either, solution):
    solution("import os\ndef f(x):\n    if x == 1: os._exit(0)\n    return x\n")
    results = either.calls("solution.py", "f", [[0], [1], [2], [1], [4]])
    assert [summary(result)[:2] for result in results] == [
        ("returned", 0), ("died", None), ("returned", 2), ("died", None), ("returned", 4),
    ]  # fmt: skip
    assert results[1].message == "the process ended with status 0 before the call was done"
    assert results[0].execution is results[1].execution is not results[2].execution


def test_restarts_come_to_an_end(sandbox, solution):
    solution("import os\ndef f(): os.abort()\n")
    results = sandbox.calls("solution.py", "f", [[]] * 7)
    assert [result.outcome for result in results] == ["died"] * 7
    assert "SIGABRT" in results[3].message
    assert len({id(result.execution) for result in results}) == 4
    assert results[4].message == "not called: the process had died 4 times in the calls before"


def test_death_while_importing_is_not_tried_again(sandbox, solution):
    solution("import os\nos._exit(0)\n")
    results = sandbox.calls("solution.py", "f", [[], []])
    assert [result.outcome for result in results] == ["died", "died"]
    assert results[1].message.startswith("while the file was imported: the process ended with status 0")
    assert results[0].execution is results[1].execution


def test_a_limit_in_one_call_is_named(sandbox, solution):
    solution("import time\ndef f(x):\n    print('in', x, flush=True)\n    while x: time.sleep(1)\n    return x\n")
    results = sandbox.calls("solution.py", "f", [[0], [1], [0]], Limits(wall_s=0.6))
    assert [result.outcome for result in results] == ["returned", "died", "died"]
    assert results[1].message.startswith("wall_s limit hit")
    assert results[1].stdout == "in 1\n"
    assert results[2].message == f"not called: {results[1].execution.limit_hit}"
    assert results[2].execution.limit_hit.limit == "wall_s"


BURN = """
import os, time
def f(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
    os._exit(0)
def g(seconds):
    time.sleep(seconds)
    os._exit(0)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("function", "limit"), [("f", "cpu_s"), ("g", "wall_s")])
def test_all_processes_together_get_the_limits_on_time_once(either, solution, function, limit):
    solution(BURN)
    results = either.calls("solution.py", function, [[0.5]] * 5, Limits(**{limit: 1.2}))
    assert [result.outcome for result in results] == ["died"] * 5
    assert results[0].message == "the process ended with status 0 before the call was done"
    runs = list({id(result.execution): result.execution for result in results}.values())
    assert len(runs) <= 3
    told = re.fullmatch(rf"not called: {limit} limit hit: ([\d.]+) of 1.2 allowed", results[-1].message)
    assert told, results[-1].message
    assert 1.2 <= float(told[1]) < 3.6
    assert either.last.limit_hit == runs[-1].limit_hit


def test_other_limits_hold_for_each_process_anew(sandbox, solution):
    solution("def f(size):\n    print('x' * size, flush=True)\n")
    results = sandbox.calls("solution.py", "f", [[1], [9000], [2000], [9000], [3]], Limits(output_bytes=5000))
    assert [result.outcome for result in results] == ["returned", "died", "returned", "died", "returned"]
    assert results[3].message.startswith("output_bytes limit hit")


@pytest.mark.slow
@pytest.mark.parametrize("used", [0.9, 0.97, 1.0])
def test_a_process_with_too_little_time_to_come_up(sandbox, solution, used):
    solution(BURN)
    results = sandbox.calls("solution.py", "f", [[used]] * 3, Limits(cpu_s=1))
    assert [result.outcome for result in results] == ["died"] * 3
    assert results[-1].message.startswith("not called: cpu_s limit hit")


def test_prints_stay_with_their_call(either, solution):
    solution("""
import os, subprocess
print("importing")
def f(x):
    print("no newline", x, end="")
    return x
def g(x):
    os.write(1, b"raw")
    os.system("echo child")
""")
    assert [result.stdout for result in either.calls("solution.py", "f", [[1], [2]])] == [
        "no newline 1",
        "no newline 2",
    ]
    assert either.call("solution.py", "g", 1).stdout == "rawchild\n"


@pytest.mark.parametrize(
    "closing", ["os.close(1)", "sys.stdout = None", "sys.stdout.close()", "del sys.stdout", "os.close(0)"]
)
def test_closed_streams_do_not_lose_the_answer(sandbox, solution, closing):
    solution(f"import os, sys\ndef f():\n    {closing}\n    return 1\n")
    assert sandbox.call("solution.py", "f").value == 1


def test_standard_input_is_empty(sandbox, solution):
    solution("import sys\ndef f(): return sys.stdin.read()\n")
    assert sandbox.call("solution.py", "f").value == ""


def test_coroutines_are_awaited(either, solution):
    solution("""
import asyncio
async def f(x):
    await asyncio.sleep(0.01)
    if x < 0: raise ValueError("negative")
    return x
""")
    results = either.calls("solution.py", "f", [[1], [-1], [2]])
    assert [result.value for result in results] == [1, None, 2]
    assert results[1].type_name == "ValueError"


def test_planted_modules_do_not_reach_the_driver(sandbox, solution, workspace):
    for name in (
        "json",
        "os",
        "site",
        "sitecustomize",
        "usercustomize",
        "asyncio",
        "contextlib",
        "importlib",
        "encodings",
    ):
        (workspace / f"{name}.py").write_text("raise SystemExit('planted')")
    solution("async def f(): return 1\n")
    assert sandbox.call("solution.py", "f").value == 1


def test_siblings_can_be_imported_and_their_names_win(sandbox, solution, workspace):
    (workspace / "queue.py").write_text("mine = 1")
    (workspace / "package").mkdir()
    (workspace / "package" / "helper.py").write_text("other = 2")
    solution("import queue, helper\ndef f(): return [queue.mine, helper.other]\n", "package/solution.py")
    assert sandbox.call("package/solution.py", "f").value == [1, 2]


def test_a_file_named_like_a_library_is_called_all_the_same(sandbox, solution):
    solution("def f(): return 1\n", "json.py")
    assert sandbox.call("json.py", "f").value == 1


FORGE = r"""
import gc, os, sys
def find_nonce():
    for frame in sys._current_frames().values():
        while frame:
            if "request" in frame.f_locals: return frame.f_locals["request"]["nonce"]
            frame = frame.f_back
def forge(index, value):
    answer = '{"outcome": "returned", "value": %s, "type_name": "int", "message": "", "args_after": []}' % value
    os.write(1, ('\n%s ["end", %d, %s]\n' % (find_nonce(), index, answer)).encode())
"""


def test_an_early_answer_can_only_give_wrong_values(sandbox, solution):
    solution(FORGE + "def f(x):\n    forge(0, 41)\n    os._exit(0)\n")
    assert sandbox.call("solution.py", "f", 1).value == 41


def test_two_answers_are_none(sandbox, solution):
    solution(FORGE + "def f(x):\n    if x == 0: forge(0, 41)\n    return x\n")
    results = sandbox.calls("solution.py", "f", [[0], [1]])
    assert [result.outcome for result in results] == ["died", "returned"]
    assert results[0].message == "the call was answered more than once"


@pytest.mark.parametrize("answer", ["7", "{}", '{"outcome": "earned"}', "[" * 5000, "1" * 5000, "NaN", "", '["$list"]'])
def test_malformed_answers_are_none(sandbox, solution, answer):
    solution(
        FORGE
        + f"""
def f():
    os.write(1, ('\\n%s ["end", 0, %s]\\n' % (find_nonce(), {answer!r})).encode())
    os._exit(0)
"""
    )
    assert sandbox.call("solution.py", "f").outcome == "died"


@pytest.mark.parametrize(
    "value", ['["$tupel", 1]', '[["$set", ["$float", "nan"]]]', r'["\u0024dict", [], 1]', '["$int", "x"]']
)
def test_forged_values_that_nothing_encodes_are_none(sandbox, solution, value):
    solution(FORGE + f"def f():\n    forge(0, {value!r})\n    os._exit(0)\n")
    result = sandbox.call("solution.py", "f")
    assert (result.outcome, result.value) == ("died", None)
    assert result.message == "the answer to the call was malformed"


def test_frames_without_the_nonce_are_prints(sandbox, solution):
    solution("def f():\n    print('\\n0123 [\"end\", 0, {}]')\n    return 1\n")
    assert sandbox.call("solution.py", "f").value == 1


def test_a_probe_loads_files_of_the_workspace_and_is_not_written_there(either, solution, workspace, tmp_path):
    solution("import helper\ndef f(x): return x + helper.one\n")
    (workspace / "helper.py").write_text("import queue\none = 1 if hasattr(queue, 'Queue') else 2\n")
    (workspace / "queue.py").write_text("mine = True\n")
    probe = tmp_path / "probe.py"
    probe.write_text("""
import os
import llmbench_probe
f = llmbench_probe.load("solution.py").f
def check(x):
    try:
        beside = os.listdir("/probe")
    except OSError:
        beside = ["probe.py"]
    again = llmbench_probe.load("solution.py").f is f
    return [f(x), again, hasattr(llmbench_probe.load("queue.py"), "mine"), beside]
""")
    (tmp_path / "expected.json").write_text("[]")
    assert either.call(probe, "check", 1).value == [2, True, True, ["probe.py"]]
    assert sorted(path.name for path in workspace.iterdir()) == ["helper.py", "queue.py", "solution.py"]


def test_a_probe_imports_nothing_from_the_workspace(either, solution, tmp_path):
    for name in ("msvcrt", "winreg", "json", "solution"):  # some are looked for by the library, and are not there
        solution("raise SystemExit('planted')", f"{name}.py")
    probe = tmp_path / "probe.py"
    probe.write_text("""
import json, subprocess, sys
def check():
    try:
        import solution
    except ModuleNotFoundError:
        return [path for path in sys.path if "workspace" in path or path == "/w"]
""")
    assert either.call(probe, "check").value == []


def test_an_absolute_path_in_the_workspace_is_no_probe(sandbox, solution, workspace):
    solution("def f(): return __file__\n")
    assert sandbox.call(workspace / "solution.py", "f").value == "/w/solution.py"


@pytest.mark.parametrize(
    ("file", "message"),
    [("solution.rb", "can be called"), ("../probe.py", "leaves the workspace"), ("/no/such/probe.py", "no such file")],
)
def test_files_that_a_task_cannot_call(sandbox, file, message):
    with pytest.raises(TaskError, match=message):
        sandbox.call(file, "f")


class Sub(list):
    pass


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        (object(), "object at [0]"),
        ([1, Sub()], "Sub at [0][1]"),
        ({1: {float("nan")}}, "nan in a set or a key at [0][1]{member}"),
        (Path("x"), "Path at [0]"),
        (functools.reduce(lambda inner, _: [inner], range(1000), []), "nested too deeply"),
    ],
    ids=["object", "subclass", "nan", "path", "deep"],
)
def test_arguments_that_cannot_be_passed(sandbox, argument, why):
    with pytest.raises(TaskError, match=r"^cannot call f\(\): an argument cannot be passed to python: ") as told:
        sandbox.call("solution.py", "f", argument)
    assert why in str(told.value)
    with pytest.raises(TaskError, match=r"in call 1$"):
        sandbox.calls("solution.py", "f", [[1], [argument]])


def test_a_driver_that_does_not_come_up_is_no_verdict(sandbox, solution, monkeypatch):
    monkeypatch.setattr("pytest_llmbench.sandbox.supervise.watchdog.FIRST_LOOK_S", 60)  # which would see a hit limit
    solution("def f(): return 1\n")
    with pytest.raises(SandboxError, match="did not come up"):
        sandbox.call("solution.py", "f", limits=Limits(memory_mb=-255))
