"""Right code in replies as models write them is found, whatever surrounds it; the grammar is ``support/written.py``.

A few hundred of its replies here, thousands in ``tests/fuzz``; below, each habit by itself.
"""

from __future__ import annotations

import pytest
from support.doubling import assert_linear
from support.found import misses

from pytest_llmbench.extraction.extract import extract

BODY = 'def slug(title):\n    return "-".join(re.findall("[a-z0-9]+", title.lower()))\n'
CODE = f"import re\n\n\n{BODY}"
USAGE = 'from slug import slug\n\nprint(slug("A b"))\n'
DRAFT = "def slug(title):\n    return title\n\n\n" + "".join(f"def h{n}(x):\n    return x\n\n\n" for n in range(5))


def found(reply: str, code: str = CODE) -> bool:
    extraction = extract(reply, ["slug.py"])
    assert extraction.files == {"slug.py": code}, extraction.notes
    return True


def test_known_code_is_found() -> None:
    assert misses(range(400)) == []


ENDS = [
    "<|im_end|>",
    "<|eot_id|>",
    " </s>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
    "</answer>",
    "</code></pre>",
    "[/INST]",
    "**",
    ".",
    "}",
    " That's it.",
    " This joins the words.",
    " Done, I hope!",
    "\u200b",
    "\u00a0",
    "<|end|><|im_start|>user\nThanks<|im_end|>\n<|im_start|>assistant\n```python\n" + DRAFT + "```",
]


@pytest.mark.parametrize("end", ENDS)
def test_behind_the_closing_fence(end: str) -> None:
    assert found(f"Here:\n\n```python\n{CODE}```{end}")
    assert found(f"Here:\n\n```python\n{CODE.rstrip()}```{end}")
    assert found(f"```python\n{CODE}```{end}\n\nUsage:\n\n```python\n{USAGE}```\n")


@pytest.mark.parametrize(
    "end", ["<|im_end|>", "</answer>", " Explanation:", " This is all that it takes.", "**", "<|eot_id|>"]
)
def test_behind_a_closing_fence_without_a_parser(end: str) -> None:
    for reply in (f"```lua\nreturn 1\n```{end}", f"```lua\nreturn 1\n```{end}\n\nRun:\n\n```bash\nlua a.lua\n```\n"):
        assert extract(reply, ["a.lua"]).files == {"a.lua": "return 1\n"}


OPENINGS = [
    "Sure! Here is the code: ```python",
    "<answer>```python",
    "**```python",
    "Code: ~~~python",
    "| ```python",
    "<pre>```python",
    "Here: ```",
    "Final answer:```py slug.py",
    "1.```python",
    "\u200b```python",
    "\u00a0\u00a0```python",
    "\ufeff```python\u00a0",
    "```\u2060python",
    "\u3000```python",
    "```python\u200b",
    "Answer: ```answer",
    ">```python",
]


@pytest.mark.parametrize("opening", OPENINGS, ids=ascii)
def test_the_opening_fence(opening: str) -> None:
    mark = "~~~" if "~~~" in opening else "```"
    assert found(f"{opening}\n{CODE}{mark}\n")
    assert found(f"{opening}\n{CODE}")
    assert found(f"{opening}\n{CODE}{mark}\n\nUsage:\n\n```python\n{USAGE}```\n")


@pytest.mark.parametrize("head", ["", "python\n", "Python\nCopy code\n", "python\nCopy\nEdit\n", "slug.py\n", "py\n"])
@pytest.mark.parametrize(
    "tail", ["", "```", "```\n<|im_end|>", "<|im_end|>", "```<|im_end|>", "```\n\nThis joins the words.", "~~~\n"]
)
def test_without_an_opening_fence(head: str, tail: str) -> None:
    assert found(f"{head}{CODE}{tail}")


def test_why_bare_code_is_taken() -> None:
    (taken,) = extract(f"python\n{CODE}```\n", ["slug.py"]).took
    assert taken.why == "whole reply parses as python, no opening fence"
    assert (taken.start_line, taken.end_line) == (2, 6)


@pytest.mark.parametrize("head", ["python\n", "Python\n", "py\n", "python\nCopy code\n", "python3\n\n", "slug.py\n"])
@pytest.mark.parametrize("label", ["", "python", "code"])
def test_a_label_on_its_own_line(head: str, label: str) -> None:
    assert found(f"```{label}\n{head}{CODE}```\n")


def test_a_word_that_is_no_label_of_the_block_stays() -> None:
    assert extract("```\ngo\nrust\n```\n", ["words.txt"]).files == {"words.txt": "go\nrust\n"}
    assert extract("```python\nfile\n```\n", ["slug.py"]).files == {"slug.py": "file\n"}
    assert extract("```lua\nlua\nreturn 1\n```\n", ["a.lua"]).files == {"a.lua": "return 1\n"}


@pytest.mark.parametrize(
    "label",
    [
        "ipython",
        "tool_code",
        "file",
        "\u4ee3\u7801",
        "answer",
        "solution",
        "python-repl",
        "python_3",
        "lang=python",
        "{code-cell} ipython3",
        "slug.py#L1-L20",
        "Python:slug.py",
        "output_code",
        "python title=slug.py",
        "solution.py",
    ],
)
def test_a_label_that_says_nothing_hides_no_code(label: str) -> None:
    assert found(f"```{label}\n{CODE}```\n\nUsage:\n\n```python\n{USAGE}```\n")


@pytest.mark.parametrize("label", ["javascript", "bash", "json", "output", "mermaid", "diff"])
def test_a_label_of_another_language_is_none(label: str) -> None:
    assert extract(f"```{label}\n{CODE}```\n", ["slug.py"]).no_code


@pytest.mark.parametrize(
    "inner",
    ["```\nslug 'A b'\n```", "```python\nslug('A')\n```", "```bash\n$ x\n```\n\n```\nout\n```", "~~~\nx\n~~~", "```"],
)
@pytest.mark.parametrize("end", ["```\n", "```<|im_end|>", "``` This joins.", ""])
def test_fences_inside_a_string(inner: str, end: str) -> None:
    code = f'import re\n\nHELP = """\n{inner}\n"""\n\n\n{BODY}'
    assert found(f"Here:\n\n```python\n{code}{end}", code)


def test_fences_inside_a_comment() -> None:
    code = "/*\n```ts\nnew A()\n```\n*/\nexport class A {}\n"
    extraction = extract(f"```ts\n{code}```\n", ["a.ts"])
    assert extraction.files == {"a.ts": code}
    assert extraction.notes == ("block 1: a fence in it is part of the code, which parses only so",)


@pytest.mark.parametrize("quote", ["&#34;", "&#x22;", "&#034;", "&quot;", "&amp;quot;", "&#X22;"])
def test_html_entities(quote: str) -> None:
    assert found("```python\n" + CODE.replace('"', quote) + "```\n")


def test_entities_that_belong_to_the_code_stay() -> None:
    code = "def plain(text):\n    return text.replace('&#34;', '&lt;')\n"
    assert found(f"```python\n{code}```\n", code)


@pytest.mark.parametrize(
    "reply",
    [
        f"```\n```python\n{CODE}```\n```\n",
        f"```python\n```python\n{CODE}```\n",
        f"```python\ndef slug(\n\nWait.\n\n```python\n{CODE}```\n",
        f"```bash\npip install x\n\n```python\n{CODE}```\n",
    ],
)
def test_a_fence_that_another_one_follows(reply: str) -> None:
    assert found(reply)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("A.kt", "kotlin"),
        ("a.lua", "lua"),
        ("a.php", "php"),
        ("A.cs", "c#"),
        ("Main.hs", "haskell"),
        ("a.R", "r"),
        ("a.cxx", "cpp"),
        ("App.svelte", "svelte"),
        ("out.csv", "csv"),
        ("out.jsonl", "jsonl"),
        ("a.h", "cpp"),
        ("a.hpp", "c"),
        ("prog.zzz", "zzz"),
        ("prog.zzz", "anything"),
        ("LICENSE", "text"),
        ("CMakeLists.txt", "cmake"),
        ("Gemfile", "ruby"),
    ],
)
def test_languages_without_a_parser(name: str, label: str) -> None:
    assert extract(f"Here:\n\n```{label}\nx 1\n```\n", [name]).files == {name: "x 1\n"}
    assert extract(f"Run:\n\n```bash\nmake\n```\n\nHere:\n\n```{label}\nx 1\n```\n", [name]).files == {name: "x 1\n"}


@pytest.mark.parametrize(
    ("name", "label"), [("A.kt", "java"), ("a.lua", "python"), ("prog.zzz", "rust"), ("a.c", "cpp")]
)
def test_another_known_language_is_none_of_theirs(name: str, label: str) -> None:
    assert extract(f"```{label}\nx 1\n```\n", [name]).no_code


@pytest.mark.parametrize(
    ("name", "label"),
    [("go.mod", "go"), ("ring.c", "cpp"), ("a.ts", "js"), ("App.vue", "html"), (".env", "bash"), ("setup.cfg", "toml")],
)
def test_a_name_above_outweighs_a_kindred_label(name: str, label: str) -> None:
    assert extract(f"**{name}**\n\n```{label}\nx 1\n```\n", [name]).files == {name: "x 1\n"}
    assert extract(f"**{name}**\n\n```diff\nx 1\n```\n", [name]).no_code


@pytest.mark.parametrize(
    "unit",
    [
        "x: ```python\n",
        "x: ```\n",
        "```python\nx``` y\n",
        "``` That is it.\n",
        "```<|im_end|>\n",
        "<|im_end|>\n",
        "python\n",
        "import x\n```\n",
        "````\n```python\n",
        "~~~~~\n```a\n",
        "'''\n```\n",
        "`\n```js\n",
        "> ```python\n",
        "```lua\nx```\n",
        "&#34;",
        "slug.py\n",
        "\u200b",
        "</s>",
        "file: ",
    ],
    ids=ascii,
)
def test_the_work_grows_with_the_length(unit: str) -> None:
    for around in (("", ""), ("```python\n", "\n```\n")):
        assert_linear(lambda text: extract(text, ["slug.py", "a.lua"]), unit, length=20_000, around=around)


def test_fences_of_falling_length_are_read_in_one_go() -> None:
    def stairs(text: str) -> None:
        count = int(len(text) ** 0.5)
        extract("".join(f"{'`' * (count - n)}\nx\n{'`' * (count - n)}\n" for n in range(count - 3)), ["slug.py"])

    assert_linear(stairs, "x", length=60_000)
