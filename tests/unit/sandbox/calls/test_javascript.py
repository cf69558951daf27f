"""Calling functions of untrusted JavaScript files."""

import pytest

from pytest_llmbench import same
from pytest_llmbench.errors import TaskError
from pytest_llmbench.schema.execution import Limits

NAN, INF = float("nan"), float("inf")


@pytest.fixture(autouse=True)
def _node(either):
    if "node" not in either.toolchains:
        pytest.skip("no node")


@pytest.fixture
def call(either, workspace):
    def run(source, *args, name="solution.js", function="f"):
        (workspace / name).write_text(source)
        return either.call(name, function, *args)

    return run


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("solution.mjs", "export function f(x) { return x + 1 }"),
        ("solution.js", "export const f = (x) => x + 1"),
        ("solution.js", "export default function (x) { return x + 1 }"),
        ("solution.js", "export default { f(x) { return x + this.one }, one: 1 }"),
        ("solution.js", "exports.f = (x) => x + 1"),
        ("solution.js", "module.exports = { f: (x) => x + 1 }"),
        ("solution.cjs", "module.exports = (x) => x + 1"),
        ("solution.cjs", "const make = () => ({ f: (x) => x + 1 }); module.exports = make()"),
    ],
)
def test_ways_to_export_a_function(call, name, source):
    result = call(source, 1, name=name)
    assert (result.outcome, result.value, result.type_name) == ("returned", 2, "number")


OTHERS = [
    ("undefined", "undefined", "undefined"),
    ("1n << 400000n", "bigint", "bigint of 100001 hexadecimal digits"),
    ("new Set([1, 1n])", "Set", "equal in Python"),
    ("new Set([true, 1])", "Set", "equal in Python"),
    ("new Set([NaN])", "Set", "NaN in a set or a key at {member}"),
    ("new Map([[[1], 2]])", "Map", "array in a set or a key at {key}"),
    ("new Map([['a', [undefined]]])", "Map", 'undefined at ["a"][0]'),
    ("new (class extends Map {})()", "object", "instance of a class without a name"),
    ("new (class Sub extends Map {})()", "Sub", "Sub"),
    ("Object.create(Set.prototype)", "Set", "unreadable"),
    ("new Set(Array(100_001).keys())", "Set", "more than 100000 members"),
    ("new Date(0)", "Date", "Date"),
    ("() => 1", "function", "function"),
    ("Symbol.iterator", "symbol", "symbol"),
    ("({ toJSON() { return 1 } })", "object", "function at .toJSON"),
    ("({ a: [1, undefined] })", "object", "undefined at .a[1]"),
    ("({ get a() { return 1 } })", "object", "accessor at .a"),
    ("[, 1]", "array", "undefined at [0]"),
    ("(() => { const a = []; a.push(a); return a })()", "array", "contains itself"),
    ("(() => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a })()", "array", "nested too deeply"),
]


def test_other_values_do_not_cross_but_are_told(either, workspace):
    (workspace / "solution.js").write_text("exports.f = (text) => eval(text)")
    results = either.calls("solution.js", "f", [[expression] for expression, *_ in OTHERS])
    for result, (expression, type_name, message) in zip(results, OTHERS, strict=True):
        assert (result.outcome, result.value, result.type_name) == ("returned", None, type_name), expression
        assert result.message.startswith("returned a value that cannot be passed: "), expression
        assert message in result.message, expression


def test_json_values_cross(call):
    value = {"a": [1, 2.5, "grüße \ud83d\ude00", None, True], "__proto__": {"x": 1}, "": -7}
    result = call("exports.f = (x) => x", value)
    assert result.value == {**value, "a": [1, 2.5, "grüße \U0001f600", None, True]}
    assert type(result.value["a"][4]) is bool
    assert result.message == ""


KINDS = {
    "bigint": ("[10n, 2n ** 64n, -(2n ** 64n)]", [10, 2**64, -(2**64)]),
    "numbers": ("[NaN, Infinity, -Infinity, -0, 1.0, 2 ** 53, 1e300]", [NAN, INF, -INF, -0.0, 1, 2**53, 1e300]),
    "Map": ("new Map([[1, 'a'], ['b', new Map()], [null, [1n]], [1.5, 0]])", {1: "a", "b": {}, None: [1], 1.5: 0}),
    "Set": ("new Set(['1', 1, true === 1, null, 2n ** 64n])", {"1", 1, False, None, 2**64}),
    "bytes": ("[new Uint8Array([0, 255]), Buffer.from('ab')]", [b"\0\xff", b"ab"]),
    "texts": ("[['$tuple', 1], { $set: ['$'] }, '$int']", [["$tuple", 1], {"$set": ["$"]}, "$int"]),
}


def test_kinds_of_values_and_their_counterparts(either, workspace):
    (workspace / "solution.js").write_text("exports.f = (text) => eval(`(${text})`)")
    results = either.calls("solution.js", "f", [[expression] for expression, _ in KINDS.values()])
    for result, (kind, (_, expected)) in zip(results, KINDS.items(), strict=True):
        assert result.message == "", kind
        assert same(result.value, expected), kind


SEEN = """
const told = (x) => Array.isArray(x) ? x.map(told) : typeof x === 'bigint' ? `${x}n` : Object.is(x, -0) ? '-0'
  : x instanceof Map ? { map: told([...x]) } : x instanceof Set ? { set: [...x].map(told).sort() }
  : x instanceof Uint8Array ? { bytes: [...x] } : typeof x === 'number' ? `${x}` : x;
exports.f = told;
"""


ARGUMENTS = [
    ((1, (2,)), ["1", ["2"]]),
    ({"a", "b"}, {"set": ["a", "b"]}),
    (frozenset({1}), {"set": ["1"]}),
    ({1: "a", None: b"x"}, {"map": [["1", "a"], [None, {"bytes": [120]}]]}),
    ({"$set": 1, "__proto__": 2}, {"$set": 1, "__proto__": 2}),
    (["$set", 1], ["$set", "1"]),
    ([float("nan"), float("inf"), -float("inf"), -0.0, 1.0], ["NaN", "Infinity", "-Infinity", "-0", "1"]),
    ([2**53 - 1, 2**53, -(2**70)], ["9007199254740991", "9007199254740992n", f"-{2**70}n"]),
    (b"", {"bytes": []}),
]


def test_arguments_have_counterparts(either, workspace):
    (workspace / "solution.js").write_text(SEEN)
    results = either.calls("solution.js", "f", [[argument] for argument, _ in ARGUMENTS])
    assert [result.value for result in results] == [seen for _, seen in ARGUMENTS]


def test_complex_numbers_have_no_counterpart(call):
    with pytest.raises(TaskError, match=r"cannot be passed to node: complex at \[0\]\[1\]"):
        call("exports.f = (x) => x", [1, 2j])


def test_promises_are_awaited(call):
    assert call("exports.f = async (x) => { await new Promise((r) => setTimeout(r, 5)); return x }", 3).value == 3
    raised = call("exports.f = async () => { throw new RangeError('far') }")
    assert (raised.outcome, raised.type_name, raised.message) == ("raised", "RangeError", "far")


def test_a_promise_that_nothing_settles(call):
    result = call("exports.f = () => new Promise(() => {})")
    assert result.outcome == "died"
    assert "promise that nothing settles" in result.message


@pytest.mark.parametrize(
    ("source", "type_name", "message"),
    [
        ("exports.f = () => { throw new TypeError('bad') }", "TypeError", "bad"),
        ("exports.f = () => { throw 'text' }", "string", "text"),
        ("exports.f = () => { throw null }", "null", "null"),
        ("exports.g = 1", "TypeError", "solution.js has no function f"),
        ("exports.f = (", "SyntaxError", "while importing solution.js"),
        ("require('no-such-module')", "Error", "no-such-module"),
    ],
)
def test_what_is_thrown_is_told(call, source, type_name, message):
    result = call(source)
    assert (result.outcome, result.type_name) == ("raised", type_name)
    assert message in result.message


def test_a_missing_file_raises(either):
    assert either.call("missing.js", "f").outcome == "raised"


def test_prints_and_mutations_stay_with_their_call(either, workspace):
    (workspace / "solution.js").write_text("""
console.log("importing")
exports.f = (list) => { console.log("in"); process.stdout.write("raw"); list.reverse(); return list.length }
""")
    results = either.calls("solution.js", "f", [[[1, 2]], [[3, 4, 5]]])
    assert [result.stdout for result in results] == ["in\nraw", "in\nraw"]
    assert [result.args_after for result in results] == [([2, 1],), ([5, 4, 3],)]


def test_death_in_one_call_spares_the_others(either, workspace):
    (workspace / "solution.js").write_text("exports.f = (x) => { if (x === 1) process.exit(0); return x }")
    results = either.calls("solution.js", "f", [[0], [1], [2]])
    assert [(result.outcome, result.value) for result in results] == [("returned", 0), ("died", None), ("returned", 2)]


def test_an_endless_loop_is_named(either, workspace):
    (workspace / "solution.js").write_text("exports.f = () => { for (;;); }")
    result = either.call("solution.js", "f", limits=Limits(cpu_s=0.5))
    assert (result.outcome, result.execution.limit_hit.limit) == ("died", "cpu_s")


def test_all_processes_together_get_the_limits_on_time_once(either, workspace):
    (workspace / "solution.js").write_text("""
exports.f = (ms) => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms); process.exit(0) }
""")
    results = either.calls("solution.js", "f", [[600]] * 4, limits=Limits(wall_s=1.3))
    assert [result.outcome for result in results] == ["died"] * 4
    assert len({id(result.execution) for result in results}) <= 3
    assert results[-1].message.startswith("not called: wall_s limit hit")


def test_timers_left_behind_do_not_keep_us(call):
    result = call("setInterval(() => {}, 1000); exports.f = () => 1")
    assert result.value == 1
    assert result.execution.wall_s < 5


def test_closed_output_does_not_lose_the_answer(call):
    assert call("const fs = require('fs'); exports.f = () => { fs.closeSync(1); return 1 }").value == 1


def test_patched_builtins_do_not_lose_the_answer(call):
    source = "process.exit = () => {}; JSON.stringify = () => 'x'; Object.keys = null; exports.f = () => [1]"
    assert call(source).value == [1]


def test_planted_packages_do_not_reach_the_driver(call, workspace):
    for name in ("fs", "node:fs", "path"):
        folder = workspace / "node_modules" / name
        folder.mkdir(parents=True)
        (folder / "index.js").write_text("process.exit(9)")
    (workspace / "package.json").write_text('{"type": "module", "imports": {"#x": "./x.js"}}')
    assert call("export const f = () => 1").value == 1


def test_a_probe_imports_from_the_workspace(either, workspace, tmp_path):
    (workspace / "solution.js").write_text("exports.f = (x) => x + 1")
    probe = tmp_path / "probe.mjs"
    probe.write_text("""
const solution = await import(`${globalThis.WORKSPACE}/solution.js`);
export const check = (x) => [solution.default.f(x), process.env.WORKSPACE === globalThis.WORKSPACE];
""")
    assert either.call(probe, "check", 1).value == [2, True]
