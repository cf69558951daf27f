"""Whatever the text: nothing raised, nothing invented, nothing that takes long. Single cases are in the corpus."""

import html
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.doubling import assert_linear

from pytest_llmbench.extraction.extract import MOST_NOTES, extract

EXPECTED = [["top_k.py"], ["task_queue.js"], ["src/main.rs", "src/store.rs", "Cargo.toml"], ["README.md"], ["a.b"], []]
PIECES = [
    "```python\n", "```\n", "````markdown\n", "~~~\n", "  ```js\n", "> ```rust\n", "- ```\n", "```python top_k.py\n",
    "### `top_k.py`\n", "**src/main.rs**\n", "// src/store.rs\n", "# top_k.py\n", "<think>", "</think>\n", "\n", "    ",
    "def f(a):\n    return a\n", "import os\n", "class A {}\n", "fn main() {}\n", "f(1)\n", "a &lt; b &amp;&amp; c\n",
    "@@ -1 +1 @@\n", "--- a\n+++ b\n", "Some prose.\n", "\r\n", "\t", "\ufeff", "\0", "\ud800", "\u2028", "\x0c", "> ",
]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=30).map("".join)), st.sampled_from(EXPECTED))
def test_any_text(text, expected):
    extraction = extract(text, expected)

    assert extraction.files.keys() <= set(expected)
    assert extraction.no_code is (extraction.files == {})
    assert [taken.name for taken in extraction.took] == [name for name in expected if name in extraction.files]
    written = {line.strip() for form in (text, html.unescape(text)) for line in form.lstrip("\ufeff").splitlines()}
    written |= {piece.strip() for line in written for piece in re.split("`{3,}|~{3,}", line)}
    written |= {line.lstrip("> -\t") for line in written} | {""}
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for taken in extraction.took:
        source = extraction.files[taken.name]
        assert source.endswith("\n")
        assert not source.endswith("\n\n")
        assert {line.strip().lstrip("> -\t") for line in source.splitlines()} <= {
            line.lstrip("> -\t") for line in written
        }
        assert 1 <= taken.start_line <= taken.end_line <= len(lines)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_line_ends_make_no_difference(text):
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    assert extract(unix, ["top_k.py"]) == extract(unix.replace("\n", "\r\n"), ["top_k.py"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        "`",
        "```\n",
        "```python\n",
        "> ```\n\n",
        "- ",
        "> ",
        "<think>",
        "</think>\n",
        "import x\n",
        "# top_k.py\n",
        "&lt;",
        "(",
        " ",
    ],
)
def test_a_megabyte_of_anything(piece):
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    extraction = extract(text, ["top_k.py"])
    assert time.process_time() - started < 10  # about 1 s at most where nothing else runs
    assert len(extraction.notes) <= MOST_NOTES + 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        "`", "```\n", "~~~\n", "```\nx\n", "> ", "> ```\nx\n", "<think></think>", "<think>\n</think>\n", "</think>\n",
        "[THINK][/THINK]", "\r\n", "\0", "\ud800", "\U0001f600", "# a\n", "**top_k.py**\n", "top_k.py ", "    a\n",
        "- ", "\t", " \n", "&lt;", "@@ -1 +1 @@\n", "--- a\n", "```python\nimport a\n```\n",
        "`top_k.py`\n```python\nimport a\n```\n", "````\n```python\nimport a\n```\n````\n",
        "```python\nx = a" + "+a" * 90,
    ],
    ids=ascii,
)  # fmt: skip
def test_the_work_grows_with_the_length(unit):
    for around in (("", ""), ("```\n", "\n```\n"), ("> " * 50 + "```\n", "")):
        assert_linear(lambda text: extract(text, ["top_k.py", "src/main.rs"]), unit, length=20_000, around=around)


def test_quotes_are_read_in_one_go():
    assert_linear(lambda text: extract(text * 2, ["top_k.py"]), "> ", length=240_000, around=("", "```\n"))


def test_file_that_nobody_asked_for_is_left():
    reply = "```python top_k.py\nimport a\n```\n```python other.py\nimport b\n```\n"
    assert extract(reply, ["top_k.py"]).files == {"top_k.py": "import a\n"}
    assert extract(reply, []).no_code


def test_a_name_expected_twice_is_one_file():
    assert len(extract("import a\n", ["a.py", "a.py"]).took) == 1


def test_warnings_about_the_code_stay_inside():
    assert extract('import re\nA = "\\d"\n', ["a.py"]).files == {"a.py": 'import re\nA = "\\d"\n'}


def test_code_too_long_for_a_parser_is_taken_by_its_label():
    code = "import a\n" * 20_000
    assert extract(f"```python\n{code}```\n", ["a.py"]).files == {"a.py": code}
    assert extract(f"```\n{code}```\n", ["a.py"]).no_code
    assert extract(code, ["a.py"]).no_code


def test_a_language_without_a_parser():
    assert extract("```\nall:\n\tmake\n```\n", ["Makefile"]).files == {"Makefile": "all:\n\tmake\n"}
    assert extract("```ruby\nputs 1\n```\n", ["a.rb"]).files == {"a.rb": "puts 1\n"}
    assert extract("```makefile\nall:\n```\n", ["Makefile"]).files == {"Makefile": "all:\n"}
    assert extract("puts 1\n", ["a.rb"]).no_code


def test_only_the_last_blocks_of_very_many():
    extraction = extract("```python\nimport a\n```\n" + "```\n\n```\n" * 300, ["a.py"])
    assert extraction.no_code
    assert extraction.notes[0] == "only 200 of 301 blocks were looked at"
    assert extraction.notes[-1] == "and 181 more"
