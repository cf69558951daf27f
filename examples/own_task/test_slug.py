"""A whole task in one file: a function that turns a title into a URL slug."""

import pytest

from pytest_llmbench import Limits

pytestmark = pytest.mark.llm_task(
    id="slug",
    points=10,
    files=["slug.py"],
    toolchains=["python"],
    prompt_text="""Write a Python function slug(title) that turns a title into a URL slug: lower case, one hyphen for
every run of other characters than a-z and 0-9, none at either end.""",
)


def slug(sandbox, title):
    """Call the model's function in the sandbox; an exception, or a process that died, is a miss."""
    result = sandbox.call("slug.py", "slug", title, limits=Limits(cpu_s=1))
    assert result.outcome == "returned", f"slug({title!r}) {result.outcome}: {result.type_name} {result.message}"
    return result.value


@pytest.mark.rubric("words", points=4)
def test_joins_words_by_hyphens(sandbox):
    assert slug(sandbox, "Hello World") == "hello-world"


@pytest.mark.rubric("runs", points=4)
@pytest.mark.parametrize("title", ["a,  b", "a -- b"])
def test_a_run_is_one_hyphen(sandbox, title):
    assert slug(sandbox, title) == "a-b"


@pytest.mark.rubric("ends", points=2)
def test_no_hyphen_at_the_ends(sandbox):
    assert slug(sandbox, " (Hello) ") == "hello"
