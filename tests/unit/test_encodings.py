"""Text has a named encoding wherever the package reads or writes it: a project may make ``EncodingWarning`` an error.

The linter's rule PLW1514 overlooks a path that is no literal ``Path(...)``, and processes.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from support.bench import Bench

import pytest_llmbench

PACKAGE = Path(pytest_llmbench.__file__).parent
_ENCODING_AT = {"read_text": 0, "write_text": 1, "open": 2, "fdopen": 2}
"""Where the encoding is among a call's arguments."""


def unnamed(source: str) -> list[int]:
    """Lines with a call that reads or writes text in an encoding that it does not name."""
    return [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and _is_unnamed(node)]


def _is_unnamed(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if given.keys() & {"text", "universal_newlines"} and given.keys() & {"stdout", "capture_output", "stdin"}:
        return "encoding" not in given
    if name not in _ENCODING_AT or "encoding" in given or ast.unparse(call.func) in ("os.open", "RunDir.open"):
        return False
    if "open" not in name:
        return len(call.args) <= _ENCODING_AT[name]
    modes = [given.get("mode"), *call.args]
    return not any(isinstance(mode, ast.Constant) and "b" in str(mode.value) for mode in modes)


@pytest.mark.parametrize(
    "call",
    [
        "p.read_text()",
        "(a / b).write_text(c)",
        "open(p)",
        "p.open('w')",
        "fdopen(3, 'w')",
        "run(a, text=True, stdin=b)",
    ],
)
def test_calls_that_name_no_encoding_are_seen(call: str) -> None:
    assert unnamed(call) == [1]


@pytest.mark.parametrize(
    "call",
    ["p.read_text('utf-8')", "p.write_text(c, encoding='utf-8')", "open(p, 'rb')", "p.open(mode='b')", "os.open(p, 0)"],
)
def test_calls_that_need_none_or_name_one_are_not(call: str) -> None:
    assert unnamed(call) == []


def test_the_package_names_every_encoding() -> None:
    found = {str(path.relative_to(PACKAGE)): unnamed(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}
    assert len(found) > 100
    assert {path: lines for path, lines in found.items() if lines and "suites/" not in path} == {}


@pytest.mark.slow
def test_a_project_may_make_encoding_warnings_an_error(bench: Bench) -> None:
    """With the self-test of the sandbox and a call in it; only a process that is started so has such warnings."""
    bench.cold = True
    bench.file("pytest.ini", "[pytest]\nllm_taskpaths = tasks\nfilterwarnings = error\n")
    bench.file("tasks/double/starter/double.py", "def double(n):\n    raise NotImplementedError\n")
    bench.file("tasks/double/reference/double.py", "def double(n):\n    return 2 * n\n")
    bench.file(
        "tasks/double/test_double.py",
        """\
        import pytest

        pytestmark = pytest.mark.llm_task(
            id="double", points=1, files=["double.py"], toolchains=["python"], prompt_text="Double.", data="."
        )


        @pytest.mark.rubric("doubles", points=1)
        def test_doubles(sandbox):
            assert sandbox.call("double.py", "double", 4).value == 8
        """,
    )
    run = bench.run("--llm-model=builtin/reference", PYTHONWARNDEFAULTENCODING="1")
    assert run.exit == 0, run.out + run.err
