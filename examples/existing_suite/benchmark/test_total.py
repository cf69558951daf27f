"""The module's function `total` is hidden, a model is asked to write it again, and the tests that it had decide."""

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
TESTS = (PROJECT / "tests/test_shop.py").read_text()
EXPECTED = [
    "test_an_empty_basket_is_free",
    "test_many_of_one_thing_are_cheaper",
    "test_the_code_takes_ten_off",
    "test_the_code_takes_at_most_half_off",
    *(f"test_other_codes_are_refused[{code}]" for code in ("", "spring", "WINTER")),
    "test_rounds_halves_up",
]


def hidden(source, name):
    """The source with one function's body taken out; its signature and docstring stay."""
    lines = source.splitlines()
    [function] = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name]
    first, last = function.body[1], function.body[-1]  # body[0] is the docstring
    return "\n".join([*lines[: first.lineno - 1], "    raise NotImplementedError", *lines[last.end_lineno :]])


pytestmark = pytest.mark.llm_task(
    id="shop-total",
    points=10,
    files=["shop.py"],
    toolchains=["python"],
    prompt_text="Write the body of `total` in shop.py, as its docstring says. Hand in the whole file in one block.\n\n"
    f"```python\n{hidden((PROJECT / 'shop.py').read_text(), 'total')}\n```",
)


@pytest.mark.rubric("old-tests", points=10)
def test_old_tests(sandbox):
    """All the tests that the module had pass, and nothing else ran."""
    expected = [f"test_shop.py::{name}" for name in EXPECTED]
    run = sandbox.run_tests("pytest", expected=expected, files={"test_shop.py": TESTS})
    assert run.ok, str(run)
