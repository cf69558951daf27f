"""Fenced blocks: the same as a CommonMark parser sees in well-formed text, and kinder in ill-formed text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmbench.extraction.scanning import scan

PROSE = st.sampled_from(
    ["Some text.", "# A title", "Text with `code` in it,\nover two lines.", "**bold**", "- an item"]
)
INFO = st.sampled_from(["", "python", "js:task_queue.js", 'py title="a.py"'])
CODE = st.lists(
    st.sampled_from(
        ["def f():", "    return 1", "", "\tx", "  y = `z`", "# - > 1. not markup", "        deep", "    ```"]
    ),
    max_size=6,
)
CONTAINERS = {"": "", "- ": "  ", "* ": "  ", "1. ": "   ", "12) ": "    ", "> ": "> ", "> - ": ">   "}


@st.composite
def fenced(draw):
    mark = draw(st.sampled_from(["```", "````", "~~~", "~~~~~"]))
    return [mark + draw(INFO), *draw(CODE), mark + draw(st.sampled_from(["", mark[0], " "]))]


@st.composite
def documents(draw):
    """Paragraphs and fences, some of the fences in a list item or a quote, all of them well formed."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        parts.append(draw(PROSE))
        first = draw(st.sampled_from(list(CONTAINERS)))
        rest = CONTAINERS[first]
        lines = draw(fenced())
        if first:
            lines = [first + "Item:", (rest + "").rstrip(" "), *(rest + line for line in lines)]
            lines = [line if line.strip() else rest.rstrip() for line in lines]
        parts.append("\n".join(lines))
        parts.append("And then:")
    return "\n\n".join(parts) + draw(st.sampled_from(["", "\n"]))


@settings(deadline=None)  # the first call loads the other parser
@given(documents())
def test_same_as_commonmark(text):
    markdown_it = pytest.importorskip("markdown_it")
    tokens = [token for token in markdown_it.MarkdownIt("commonmark").parse(text) if token.type == "fence"]

    blocks = scan(text)

    assert [(block.info, block.source) for block in blocks] == [(token.info.strip(), token.content) for token in tokens]
    assert [block.first_line - 1 for block in blocks] == [token.map[0] for token in tokens]
    assert all(block.closed for block in blocks)


@given(st.text(alphabet="`~ \t\n>-1.ax", max_size=300))
def test_any_text(text):
    blocks = scan(text)
    lines = text.removesuffix("\n").split("\n")
    for block in blocks:
        assert 1 <= block.first_line <= block.last_line <= len(lines)
        inside = lines[block.first_line : block.last_line]
        assert block.source.count("\n") == len(inside)
        for written, taken in zip(inside, block.source.split("\n"), strict=False):
            assert written.endswith(taken.lstrip(" "))
    assert [block.number for block in blocks] == list(range(1, len(blocks) + 1))


def test_lines_and_text_above():
    blocks = scan("One\n\n```a\n1\n2\n```\nTwo\n~~~b\n~~~\n")
    assert [(block.first_line, block.last_line, block.above) for block in blocks] == [
        (3, 5, ("One", "")),
        (8, 8, ("Two",)),
    ]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("   ```\ndef f():\n    pass\n```", "def f():\n    pass\n"),
        ("   ```\n   def f():\n       pass\n```", "def f():\n    pass\n"),
        ("      ```\n      a\n      ```", "a\n"),
        ("- x\n\n\t```\n\ta\n\t\tb\n\t```", "a\n\tb\n"),
        ("> ```\n> a\nb", "a\n"),
        ("```\na\n    ```\nb\n```", "a\n    ```\nb\n"),
        ("````\n```\na\n```\n````", "```\na\n```\n"),
        ("```\na\n~~~\n```", "a\n~~~\n"),
    ],
)
def test_one_block(text, source):
    assert [block.source for block in scan(text)] == [source]


@pytest.mark.parametrize("text", ["", "``", "`` ` ``", "text ```python", "```a`b```", "```python x``` is inline"])
def test_no_block(text):
    assert scan(text) == []
