"""Two turns: what the interpreter says of the first reply goes back to the model once; its last reply is graded."""

import pytest

from pytest_llmbench import Limits


def feedback(sandbox):
    """Say why the file cannot be imported, or that a sample goes wrong; say nothing of what is graded."""
    tried = sandbox.run(["python", "-c", "import roman; roman.to_roman(1)"], Limits(cpu_s=2))
    if tried.ok:
        return None
    return (
        f"`import roman; roman.to_roman(1)` {tried.ending}:\n\n{tried.stderr}\n\nHand in the whole file again, mended."
    )


pytestmark = pytest.mark.llm_task(
    id="roman",
    points=10,
    files=["roman.py"],
    toolchains=["python"],
    prompt_text="""Write a Python function to_roman(number) that gives the Roman numeral of a number from 1 to 3999, in
capital letters. For other numbers it raises ValueError.""",
    turns=2,
    feedback=feedback,
)


@pytest.mark.rubric("numerals", points=8)
@pytest.mark.parametrize(("number", "numeral"), [(1, "I"), (4, "IV"), (1994, "MCMXCIV"), (3888, "MMMDCCCLXXXVIII")])
def test_numerals(sandbox, number, numeral):
    assert sandbox.call("roman.py", "to_roman", number).value == numeral


@pytest.mark.rubric("range", points=2)
@pytest.mark.parametrize("number", [0, 4000])
def test_other_numbers_are_refused(sandbox, number):
    assert sandbox.call("roman.py", "to_roman", number).type_name == "ValueError"
