"""Running a given test suite in one process with untrusted code."""

import json
import re
from typing import get_args

import pytest

from pytest_llmbench import toolchains
from pytest_llmbench.errors import SandboxError, TaskError
from pytest_llmbench.sandbox.bubblewrap import Bubblewrap
from pytest_llmbench.sandbox.test_runners import python
from pytest_llmbench.sandbox.test_runners.base import Suite
from pytest_llmbench.sandbox.test_runners.runners import RUNNERS
from pytest_llmbench.schema.execution import ExecResult, Limits, RunnerName, TestRun

HONEST = "def add(a, b):\n    return a + b\n"
WRONG = "def add(a, b):\n    return a - b\n"
TESTS = """
import pytest
from solution import add

def test_adds():
    assert add(1, 2) == 3

@pytest.mark.parametrize("a", [1, 2])
class TestMore:
    def test_zero(self, a):
        assert add(a, 0) == a
"""
EXPECTED = ("test_add.py::test_adds", "test_add.py::TestMore::test_zero[1]", "test_add.py::TestMore::test_zero[2]")
ADDS, ZERO_1, ZERO_2 = EXPECTED


@pytest.fixture
def run(sandbox, workspace):
    """Run the tests of ``add`` against a solution, in the sandbox."""

    def run_tests(solution, tests=TESTS, expected=EXPECTED, box=sandbox, planted=None, **options):
        for name, text in {"solution.py": solution, **(planted or {})}.items():
            (workspace / name).parent.mkdir(parents=True, exist_ok=True)
            (workspace / name).write_text(text)
        return box.run_tests("pytest", expected=expected, files={"test_add.py": tests}, **options)

    return run_tests


@pytest.mark.slow
def test_honest_code_passes(run, either):
    result = run(HONEST, box=either)
    assert result.ok, str(result)
    assert result.passed == EXPECTED
    assert str(result) == "3 of 3 expected tests passed"
    assert either.last is result.execution
    assert result == run(HONEST, box=either)
    assert "\n\n" not in result.execution.stdout.strip()


@pytest.mark.slow
def test_a_failing_test_is_told_with_its_reason(run, either):
    result = run(WRONG, box=either)
    assert not result.ok
    assert (result.passed, result.failed) == ((ZERO_1, ZERO_2), (ADDS,))
    assert str(result) == f"2 of 3 expected tests passed; failed: {ADDS}; the runner ended with status 1"
    assert "assert -1 == 3" in result.execution.stdout
    assert not re.search(r"\d\.\d+s", result.execution.stdout)


def test_a_missing_and_an_unexpected_test(run):
    result = run(HONEST, expected=[ADDS, ZERO_1, "test_add.py::test_gone"])
    assert not result.ok
    assert result.passed == (ADDS, ZERO_1)
    assert (result.missing, result.unexpected) == (("test_add.py::test_gone",), (ZERO_2,))
    assert str(result) == (f"2 of 3 expected tests passed; missing: test_add.py::test_gone; unexpected: {ZERO_2}")


def test_only_a_pass_is_a_pass(run):
    tests = """
import pytest
from solution import add
@pytest.mark.skip
def test_marked(): pass
@pytest.mark.xfail
def test_expected(): assert add(1, 2) == 4
@pytest.mark.xfail
def test_unexpected(): assert add(1, 2) == 3
def test_skips(): pytest.skip('no')
@pytest.fixture
def broken():
    yield
    assert 0
def test_teardown(broken): pass
"""
    names = tuple(f"test_add.py::test_{name}" for name in ("marked", "expected", "unexpected", "skips", "teardown"))
    result = run(HONEST, tests, names)
    assert (result.ok, set(result.failed), result.missing) == (False, set(names), ())


@pytest.mark.slow
def test_subtests_belong_to_their_test(run):
    tests = "def test_adds(subtests):\n    for x in 1, 2:\n        with subtests.test(x=x): assert x < {}\n"
    if not hasattr(pytest, "Subtests"):
        pytest.skip("this pytest has no subtests")
    assert run(HONEST, tests.format(3), [ADDS]).ok
    assert run(HONEST, tests.format(2), [ADDS]).failed == (ADDS,)


@pytest.mark.slow
@pytest.mark.parametrize(
    "solution",
    [
        "import os; os._exit(0)",
        "import sys; sys.exit(0)",
        "import pytest; pytest.exit('done', returncode=0)",
        "print('3 passed in 0.01s', flush=True); import os; os._exit(0)",
        "def add(a, b):\n    import os\n    print('3 passed'); os._exit(0)",
        "def add(a, b):\n    import pytest; pytest.exit('done', returncode=0)",
        "import no_such_module",
        "def add(a, b:",
        "import threading, os\ndef add(a, b):\n    if b == 0: os._exit(0)\n    return 3",
    ],
)
def test_an_early_end_is_a_miss(run, solution):
    result = run(solution)
    assert not result.ok
    assert result.missing


def test_an_end_behind_the_last_test_is_a_miss(run):
    patch = "import os\nfrom _pytest.config import Config\nConfig._ensure_unconfigure = lambda self: os._exit(0)\n"
    result = run(patch + HONEST)
    assert (result.ok, result.passed, result.finished) == (False, EXPECTED, False)


CONFTEST = """
import pytest
@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome = "passed"
    return report
"""
CHEATS = {
    "conftest": {"conftest.py": CONFTEST},
    "settings": {
        "pytest.ini": "[pytest]\naddopts = -p cheat\n",
        "pytest.toml": '[pytest]\naddopts = ["-p", "cheat"]\n',
        ".pytest.ini": "[pytest]\naddopts = -p cheat\n",
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-p cheat"\n',
        "setup.cfg": "[tool:pytest]\naddopts = -p cheat\n",
        "tox.ini": "[pytest]\naddopts = -p cheat\n",
    },
    "plugin": {
        "cheat-1.0.dist-info/entry_points.txt": "[pytest11]\ncheat = cheat\n",
        "cheat-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: cheat\nVersion: 1.0\n",
    },
    "start": dict.fromkeys(["sitecustomize.py", "usercustomize.py", "cheat.pth"], "import cheat\n"),
    "modules": dict.fromkeys(
        ["pytest.py", "_pytest/__init__.py", "pluggy.py", "pygments/__init__.py", "json.py"], "import cheat\n"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", CHEATS)
def test_planted_settings_do_not_reach_the_runner(run, either, kind):
    result = run(WRONG, box=either, planted={"cheat.py": "import os\nos._exit(0)\n", **CHEATS[kind]})
    assert (result.passed, result.failed) == ((ZERO_1, ZERO_2), (ADDS,))


@pytest.mark.slow
@pytest.mark.parametrize(
    "patch",
    [
        "import builtins; builtins.AssertionError = Warning",
        "import _pytest.assertion.rewrite as r; r.AssertionRewriter.visit_Assert = lambda *a: []",
        "import _pytest.assertion.rewrite as r; r.rewrite_asserts = lambda *a: None",
        "import sys; sys.settrace(None); sys.excepthook = print",
        "import unittest; unittest.TestCase.assertEqual = print",
    ],
)
def test_patched_assertions_fail_all_the_same(run, patch):
    result = run(f"{patch}\n{WRONG}")
    assert not result.ok
    assert ADDS in result.failed + result.missing


PLANT = """
import importlib.util, pathlib, py_compile, struct, sys
test = pathlib.Path("test_add.py")
fake = pathlib.Path("fake.py")
fake.write_text("def test_adds(): pass\\n")
mark = {
    "TIMESTAMP": struct.pack("<II", int(test.stat().st_mtime), test.stat().st_size),
    "CHECKED_HASH": importlib.util.source_hash(test.read_bytes()),
}["MODE"]
pathlib.Path("__pycache__").mkdir()
for tag in (sys.implementation.cache_tag, f"{sys.implementation.cache_tag}-pytest-VERSION"):
    py_compile.compile("fake.py", "fake.pyc", invalidation_mode=py_compile.PycInvalidationMode.MODE)
    code = bytearray(pathlib.Path("fake.pyc").read_bytes())
    code[8:16] = mark
    pathlib.Path(f"__pycache__/test_add.{tag}.pyc").write_bytes(code)
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["TIMESTAMP", "CHECKED_HASH"])
def test_compiled_code_of_other_tests_is_not_taken(run, sandbox, workspace, mode):
    assert run(WRONG).failed == (ADDS,)
    (workspace / "test_add.py").write_text(TESTS)
    plant = PLANT.replace("VERSION", pytest.__version__).replace("MODE", mode)
    planted = sandbox.run(["python", "-S", "-c", plant], keep=["__pycache__"])
    assert planted.ok, planted
    assert len(list(workspace.glob("__pycache__/*.pyc"))) == 2
    result = sandbox.run_tests("pytest", expected=EXPECTED)
    assert (result.passed, result.failed) == ((ZERO_1, ZERO_2), (ADDS,))


def test_tests_of_the_reply_are_not_run(run, workspace):
    planted = {"test_add.py": "def test_adds(): pass\n", "test_other.py": "def test_other(): assert 0\n"}
    assert run(HONEST, planted=planted).ok
    assert (workspace / "test_add.py").read_text() == planted["test_add.py"]


@pytest.mark.parametrize("obstacle", ["folder", "deep folder", "link", "folder link", "file above"])
def test_what_lies_in_the_way_is_removed(run, sandbox, workspace, tmp_path, obstacle):
    (workspace / "solution.py").write_text(HONEST)
    canary = tmp_path / "canary"
    canary.mkdir()
    (canary / "test_add.py").write_text("alive")
    match obstacle:
        case "folder":
            (workspace / "tests" / "test_add.py").mkdir(parents=True)
        case "deep folder":
            (workspace / "tests" / "test_add.py" / "x").mkdir(parents=True)
        case "link":
            (workspace / "tests").mkdir()
            (workspace / "tests" / "test_add.py").symlink_to(canary / "test_add.py")
        case "folder link":
            (workspace / "tests").symlink_to(canary)
        case "file above":
            (workspace / "tests").write_text("")
    expected = [f"tests/{name}" for name in EXPECTED]
    result = sandbox.run_tests("pytest", expected=expected, files={"tests/test_add.py": TESTS})
    assert result.ok, str(result)
    assert (canary / "test_add.py").read_text() == "alive"


def test_no_test_at_all(run):
    result = run(HONEST, "import solution\n")
    assert (result.ok, result.missing) == (False, EXPECTED)
    assert str(result).endswith("the runner ended with status 5")


def test_a_limit_is_named(run):
    result = run("def add(a, b):\n    while True: pass\n", limits=Limits(cpu_s=1))
    assert not result.ok
    assert result.missing == EXPECTED
    assert "the runner was ended: cpu_s limit hit" in str(result)


FORGE = """
import gc, json, os
def forge(*frame):
    for channel in gc.get_objects():
        if getattr(channel, "__name__", "") == "answer" and callable(channel):
            return channel(*frame)
"""


def test_a_flood_of_answers_is_a_limit(run):
    flood = f"for _ in range(10000): forge('test', {ADDS!r}, True)\n"
    result = run(FORGE + flood, limits=Limits(output_bytes=9999))
    assert (result.passed, result.execution.limit_hit.limit) == ((), "output_bytes")


def test_a_forged_answer_beside_the_true_one_is_a_miss(run):
    result = run(FORGE + f"forge('test', {ADDS!r}, True)\n" + WRONG)
    assert result.failed == (ADDS,)


def test_malformed_answers_are_no_answers(run):
    frames = ["'test', 1, True", "'test', 'x', 1", "'test'", "{}", "None", "'" + "[" * 9000 + "'"]
    result = run(FORGE + "".join(f"forge({frame})\n" for frame in frames) + HONEST)
    assert result.passed == EXPECTED


def test_this_is_the_weaker_way(run):
    """What the documentation says that it cannot stop."""
    forged = "".join(f"forge('test', {name!r}, True)\n" for name in EXPECTED)
    assert run(FORGE + forged + "forge('finished')\nos._exit(0)\n").ok


def test_more_arguments_and_files(sandbox, workspace):
    (workspace / "helpers.py").write_text("def helper(): return 'planted'\n")
    files = {
        "helpers.py": "def helper(): return 'mine'\n",
        "plugin.py": "import pytest\n@pytest.fixture\ndef given(): return 'mine'\n",
        "test_add.py": "import helpers\ndef test_adds(given): assert given == helpers.helper()\ndef test_b(): 1 / 0\n",
    }
    result = sandbox.run_tests("pytest", ["-p", "plugin", "-k", "adds"], expected=[ADDS], files=files)
    assert result.ok, str(result)


@pytest.mark.parametrize(
    ("runner", "expected", "files", "message"),
    [
        ("jest", ["a::b"], {}, "no such runner, only pytest, node, go, cargo"),
        ("pytest", [], {}, "name the tests that must pass"),
        ("pytest", ["test_adds"], {}, "'test_adds' must be named as FILE::TEST"),
        ("pytest", ["a.py::"], {}, "must be named as FILE::TEST"),
        ("node", ["adds"], {}, "must be named as FILE::TITLE > TITLE"),
        ("pytest", [ADDS, ADDS], {}, "expected twice"),
        ("pytest", [ADDS], {"../test_add.py": ""}, r"'\.\./test_add\.py' cannot be written .*component"),
        ("pytest", [ADDS], {"/test_add.py": ""}, "cannot be written .*not relative"),
    ],
)
def test_what_a_task_cannot_ask(sandbox, runner, expected, files, message):
    with pytest.raises(TaskError, match=message):
        sandbox.run_tests(runner, expected=expected, files=files)


def test_a_runner_whose_toolchain_was_not_asked_for(sandbox, workspace):
    with pytest.raises(SandboxError, match="needs the toolchain 'cargo'"):
        Bubblewrap(workspace).run_tests("cargo", expected=["a"])


def test_a_runner_that_does_not_come_up_is_no_verdict(sandbox, monkeypatch):
    monkeypatch.setattr(python, "_PACKAGES", ("pytest",))
    with pytest.raises(SandboxError, match=r"(?s)did not come up, it ended with status 1: .*No module named '_pytest'"):
        sandbox.run_tests("pytest", expected=[ADDS])


def test_nothing_else_of_site_packages_is_shown(run):
    result = run("import rich\n")
    assert "No module named 'rich'" in result.execution.stdout


# -- node ------------------------------------------------------------------------------------------------------------


NODE_TESTS = """
import { describe, it, test } from "node:test";
import assert from "node:assert";
import { add } from "./solution.mjs";
test("adds", () => assert.equal(add(1, 2), 3));
describe("more", () => { it("zero", async () => assert.equal(await add(1, 0), 1)); });
"""
NODE_ADDS, NODE_ZERO = NODE_EXPECTED = ("add.test.mjs::adds", "add.test.mjs::more > zero")
NODE_HONEST = "export const add = (a, b) => a + b;\n"
NODE_WRONG = "export const add = (a, b) => a - b;\n"


@pytest.fixture
def node(either, workspace):
    if "node" not in either.toolchains:
        pytest.skip("no node")

    def run_tests(solution, tests=NODE_TESTS, expected=NODE_EXPECTED, **options):
        (workspace / "solution.mjs").write_text(solution)
        return either.run_tests("node", expected=expected, files={"add.test.mjs": tests}, **options)

    return run_tests


def test_node_honest_and_wrong(node):
    result = node(NODE_HONEST)
    assert result.ok, str(result)
    assert result.passed == NODE_EXPECTED
    result = node(NODE_WRONG)
    assert (result.ok, result.passed, result.failed) == (False, (NODE_ZERO,), (NODE_ADDS,))
    assert "not ok: add.test.mjs: adds" in result.execution.stdout
    assert not re.search(r"\d ?ms|nonce", result.execution.stdout)


def test_node_missing_and_unexpected(node):
    result = node(NODE_HONEST, expected=[NODE_ADDS, "add.test.mjs::gone"])
    assert (result.ok, result.missing, result.unexpected) == (False, ("add.test.mjs::gone",), (NODE_ZERO,))


@pytest.mark.parametrize(
    "solution",
    [
        "process.exit(0)",
        "export const add = () => process.exit(0)",
        "console.log('ok 1 - adds\\n# pass 2\\n# fail 0'); process.exit(0)",
        "export const add = (a, b) => { if (b === 0) process.exit(0); return a + b }",
        "export const add = (a, b) => { process.reallyExit(0) }",
        "export const sub = 1",
        "import './none.mjs'",
        "export const add = (",
        "export const add = () => new Promise(() => {})",
    ],
)
def test_node_an_early_end_is_a_miss(node, solution):
    result = node(solution)
    assert not result.ok
    assert set(result.passed) <= {NODE_ADDS}
    assert result.missing or result.failed


@pytest.mark.parametrize(
    "test",
    [
        "test('adds', { skip: true }, () => {})",
        "test('adds', { todo: true }, () => {})",
        "test.todo('adds')",
        "",
        "test('adds', () => {}); test('adds', () => {})",
    ],
)
def test_node_only_one_pass_is_a_pass(node, test):
    result = node(NODE_HONEST, f"import test from 'node:test';\n{test}\n", [NODE_ADDS])
    assert (result.ok, result.passed) == (False, ())


def test_node_a_failing_suite_is_a_miss(node):
    tests = """
import { after, describe, it } from "node:test";
describe("s", () => { after(() => { throw 1 }); it("t", () => {}) });
"""
    result = node(NODE_HONEST, tests, ["add.test.mjs::s > t"])
    assert (result.ok, result.passed) == (False, ("add.test.mjs::s > t",))


def test_node_planted_settings_do_not_reach_the_runner(node, workspace):
    for name in ("node:test", "node:assert", "test", "assert"):
        (workspace / "node_modules" / name).mkdir(parents=True)
        (workspace / "node_modules" / name / "index.js").write_text("process.exit(0)")
    settings = {"type": "commonjs", "scripts": {"test": "exit 0"}, "nodeOptions": {"import": "./cheat.mjs"}}
    (workspace / "package.json").write_text(json.dumps({**settings, "imports": {"node:test": "./cheat.mjs"}}))
    (workspace / "node.config.json").write_text(json.dumps(settings))
    (workspace / ".env").write_text("NODE_OPTIONS=--import=./cheat.mjs\n")
    (workspace / "cheat.mjs").write_text("process.exit(0)")
    (workspace / "other.test.mjs").write_text("throw 1")
    assert node(NODE_WRONG).failed == (NODE_ADDS,)
    assert node(NODE_HONEST).ok


def test_node_answers_cannot_be_forged_by_print(node):
    forged = 'console.log(\'\\n0123 ["test","add.test.mjs::adds",true]\\n\'); process.exit(0)'
    assert node(forged).passed == ()


def test_node_a_limit_is_named(node):
    result = node("export const add = () => { for (;;); }", limits=Limits(cpu_s=1))
    assert "cpu_s limit hit" in str(result)
    assert result.passed == ()


# -- go and cargo ----------------------------------------------------------------------------------------------------


BUILD = Limits(wall_s=120, cpu_s=240, memory_mb=3000, processes=400, disk_mb=2000)


def test_go(builder, workspace):
    box = builder("go")
    (workspace / "add.go").write_text("package add\n\nfunc Add(a, b int) int { return a - b }\n")
    (workspace / "go.work").write_text("no settings\n")
    tests = """package add

import "testing"

func TestAdds(t *testing.T) { if Add(1, 2) != 3 { t.Fatal("wrong") } }
func TestZero(t *testing.T) { t.Run("one", func(t *testing.T) { if Add(1, 0) != 1 { t.Fatal("wrong") } }) }
"""
    files = {"go.mod": "module add\n\ngo 1.22\n", "add_test.go": tests}
    expected = ["add::TestAdds", "add::TestZero", "add::TestZero/one"]
    result = box.run_tests("go", expected=[*expected, "add::TestGone"], files=files, limits=BUILD)
    assert result.passed == ("add::TestZero", "add::TestZero/one")
    assert (result.failed, result.missing) == (("add::TestAdds",), ("add::TestGone",))
    assert "--- FAIL: TestAdds" in result.execution.stdout


CARGO_FILES = {
    "Cargo.toml": '[package]\nname = "add"\nversion = "0.1.0"\nedition = "2021"\n',
    "tests/add.rs": """
#[test] fn adds() { print!("test zero ... ok"); assert_eq!(add::add(1, 2), 3) }
#[test] #[should_panic] fn zero() { assert_eq!(add::add(1, 0), 0) }
""",
}
FAKE = "#!/bin/sh\necho 'running 1 test'\necho 'test adds ... ok'\necho 'test zero ... ok'\necho 'test result: ok.'\n"


@pytest.mark.slow
def test_cargo(builder, workspace):
    box = builder("cargo")
    (workspace / "src").mkdir()
    (workspace / "src" / "lib.rs").write_text("pub fn add(a: i32, b: i32) -> i32 { a + b }\n")
    (workspace / ".cargo").mkdir()
    (workspace / "fake").write_text(FAKE)
    (workspace / "fake").chmod(0o755)
    (workspace / ".cargo" / "config.toml").write_text("[target.'cfg(all())']\nrunner = '/w/fake'\n")
    result = box.run_tests("cargo", expected=["adds", "zero"], files=CARGO_FILES, limits=BUILD)
    assert result.ok, f"{result} {result.execution}"
    # Another program in place of the compiled tests, which cargo takes to be newer than their source.
    plant = """
        mkdir -p tests; echo '#[test] fn adds() {}' >tests/add.rs; cp Cargo.toml.txt Cargo.toml; cargo test --no-run -q
        for f in target/debug/deps/add-*; do test -x $f && cp fake $f; done; touch -d '2099-01-01' $(find target)
    """
    (workspace / "Cargo.toml.txt").write_text(CARGO_FILES["Cargo.toml"])
    assert box.run(["sh", "-c", plant], BUILD, keep=["target"]).ok
    assert any(path.read_bytes() == FAKE.encode() for path in workspace.glob("target/debug/deps/add-*"))
    (workspace / "src" / "lib.rs").write_text(
        "pub fn add(a: i32, b: i32) -> i32 { std::process::exit(a - b + b - a) }\n"
    )
    result = box.run_tests("cargo", expected=["adds", "zero"], files=CARGO_FILES, limits=BUILD)
    assert (result.ok, result.missing, result.finished) == (False, ("adds", "zero"), False)


CARGO = """
running 3 tests
test tests::adds ... ok
test tests::panics - should panic ... ok
test tests::slow ... ignored, takes long

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s


running 2 tests
test src/lib.rs - add (line 3) ... ok
test wrong ... FAILED

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
"""


def test_every_runner_has_its_name_and_a_toolchain():
    assert get_args(RunnerName) == tuple(RUNNERS)
    assert {runner.toolchain for runner in RUNNERS.values()} <= {*toolchains.names()}


def test_what_cargo_says_is_read():
    suite = Suite(("tests::adds",), (), "")
    report = RUNNERS["cargo"].read(suite, CARGO)
    assert report.tests == {
        "tests::adds": [True],
        "tests::panics": [True],
        "tests::slow": [False],
        "src/lib.rs - add (line 3)": [True],
        "wrong": [False],
    }
    assert not report.finished
    assert RUNNERS["cargo"].read(suite, CARGO.replace("FAILED.", "ok.")).finished
    assert not RUNNERS["cargo"].read(suite, "").finished


def test_what_go_says_is_read():
    events = [
        {"Action": "start", "Package": "p"},
        {"Action": "run", "Package": "p", "Test": "TestA"},
        {"Action": "output", "Package": "p", "Test": "TestA", "Output": "said\n"},
        {"Action": "pass", "Package": "p", "Test": "TestA"},
        {"Action": "skip", "Package": "p", "Test": "TestB"},
        ["pass"],
        {"Action": "pass", "Package": 1},
    ]
    lines = "\n".join([*map(json.dumps, events), "no JSON", "[" * 5000])
    suite = Suite(("p::TestA", "p::TestB"), (), "")
    report = RUNNERS["go"].read(suite, lines)
    assert report.tests == {"p::TestA": [True], "p::TestB": [False]}
    assert not report.finished
    assert report.text.startswith('said\n["pass"]\nno JSON\n')
    ended = lines + "\n" + json.dumps({"Action": "pass", "Package": "p", "Elapsed": 0.1})
    assert RUNNERS["go"].read(suite, ended).finished


# -- the result ------------------------------------------------------------------------------------------------------


def execution(exit_code=0):
    return ExecResult(("python",), exit_code, "", "", 0.0, 0.0)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"failed": ("b",)}, "1 of 2 expected tests passed; failed: b"),
        ({"missing": ("b", "c")}, "1 of 3 expected tests passed; missing: b, c"),
        ({"unexpected": ("d",)}, "1 of 1 expected tests passed; unexpected: d"),
        ({"finished": False}, "1 of 1 expected tests passed; the runner ended before its end was reported"),
        ({"execution": execution(3)}, "1 of 1 expected tests passed; the runner ended with status 3"),
        ({"execution": execution(-9)}, "1 of 1 expected tests passed; the runner was ended by SIGKILL"),
        ({"execution": execution(-99)}, "1 of 1 expected tests passed; the runner was ended by signal 99"),
        ({"passed": ()}, "0 of 0 expected tests passed"),
        ({"missing": tuple("bcdefgh")}, "1 of 8 expected tests passed; missing: b, c, d, e, f and 2 more"),
        ({"unexpected": ("x" * 999,)}, f"1 of 1 expected tests passed; unexpected: {'x' * 100}..."),
    ],
)
def test_each_way_not_to_be_ok(changes, text):
    fields = {"passed": ("a",), "failed": (), "missing": (), "unexpected": (), "finished": True}
    whole = TestRun(**fields, execution=execution())
    assert whole.ok
    result = TestRun(**{**fields, "execution": execution(), **changes})
    assert not result.ok
    assert str(result) == text
    assert repr(result) == f"<TestRun: {text}>"
