"""What file a name near a block means, and what language a label means."""

import pytest

from pytest_llmbench.extraction.filenames import Wanted
from pytest_llmbench.extraction.languages import language_of_block, language_of_file


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("src/main.rs", "src/main.rs"),
        ("./src/main.rs", "src/main.rs"),
        (".\\src\\main.rs", "src/main.rs"),
        ("main.rs", "src/main.rs"),
        ("tasks/src/main.rs", "src/main.rs"),
        ("tests/main.rs", None),
        ("xmain.rs", None),
        ("/src/main.rs", None),
        ("C:\\src\\main.rs", None),
        ("~/src/main.rs", None),
        ("../src/main.rs", None),
        ("a/../src/main.rs", None),
        ("mod.rs", None),
        ("a/mod.rs", "a/mod.rs"),
        ("Src/Main.rs", None),
        ("Makefile", "Makefile"),
        ("", None),
        (".", None),
    ],
)
def test_resolve(written, meant):
    assert Wanted(["src/main.rs", "a/mod.rs", "b/mod.rs", "Makefile"]).resolve(written) == meant


def test_expected_names_are_kept_as_they_are():
    assert Wanted(["./a.py", "src\\b.py"]).resolve("a.py") == "./a.py"
    assert Wanted(["./a.py", "src\\b.py"]).resolve("src/b.py") == "src\\b.py"


@pytest.mark.parametrize(
    "line",
    [
        "top_k.py",
        "top_k.py:",
        "### top_k.py",
        "### 1. File: `top_k.py`",
        "**top_k.py**",
        "**`src/top_k.py`** (new file)",
        "1. **top_k.py**",
        "- `top_k.py`",
        "Here's the complete, updated `top_k.py`:",
        "[top_k.py](top_k.py)",
        "Save this as **top_k.py**.",
        "**\u6587\u4ef6\uff1atop_k.py**",
        "\u300ctop_k.py\u300d\u306e\u5168\u6587\uff1a",
        "\u4fee\u6539\u540e\u7684`top_k.py`\uff1a",
        '<file path="top_k.py">',
        "\u201ctop_k.py\u201d:",
        "# New file: top_k.py",
        "# File 1: top_k.py",
        "**top\\_k.py**",
        "__top_k.py__",
        "Datei: top_k.py",
        "\U0001f4c4top_k.py",
    ],
)
def test_naming_line(line):
    name = Wanted(["top_k.py"]).above(["Text.", line, ""])
    assert name is not None
    assert name.wanted == "top_k.py"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Text.",
        "### Usage of `top_k.py`",
        "Run it with `python top_k.py`:",
        "The difference between `top_k.py` and `old.py`:",
        "### Node.js",
        "Output: top_k.py",
        "x" * 500 + " top_k.py",
    ],
)
def test_no_naming_line(line):
    assert Wanted(["top_k.py"]).above([line]) is None


def test_underscores_are_part_of_a_name():
    name = Wanted(["pkg/__init__.py"]).above(["**`pkg/__init__.py`**"])
    assert name is not None
    assert name.wanted == "pkg/__init__.py"


def test_heading_further_up():
    wanted = Wanted(["top_k.py"])
    assert wanted.above(["### `top_k.py`", "", "Explained at length."]) is not None
    assert wanted.above(["`top_k.py`", "", "Explained at length."]) is None


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("# top_k.py", "top_k.py"),
        ("#top_k.py", "top_k.py"),
        ("// file: top_k.py", "top_k.py"),
        ("# === top_k.py ===", "top_k.py"),
        ("/* top_k.py */", "top_k.py"),
        ("<!-- top_k.py -->", "top_k.py"),
        ("# Filename: ./top_k.py", "top_k.py"),
        ("# filepath: top_k.py", "top_k.py"),
        ("// filepath: src/top_k.py", "top_k.py"),
        ("# file_path: top_k.py", "top_k.py"),
        ("# File Path = top_k.py", "top_k.py"),
        ("# New file: top_k.py", "top_k.py"),
        ("# File 1: `top_k.py`", "top_k.py"),
        ("# \u6587\u4ef6\uff1atop_k.py", "top_k.py"),
        ("-- path: top_k.py", "top_k.py"),
        ('"""\nFile: top_k.py\n"""', "top_k.py"),
        ("/*\n * top_k.py\n */", "top_k.py"),
        ("# filepath: other.py", None),
        ("# top_k.py - the k most frequent", "top_k.py"),
        ("# top_k.py: the k most frequent", "top_k.py"),
        ("# other.py", None),
    ],
)
def test_comment(line, meant):
    name = Wanted(["top_k.py"]).in_comment(f"\n{line}\nx = 1\n")
    assert name is not None
    assert name.wanted == meant


@pytest.mark.parametrize(
    "line",
    [
        "x = 1",
        "# The k most frequent",
        "# top_k.py: usage example",
        "# top_k.py holds it",
        "#",
        "#!top_k.py",
        "# Depends on: top_k.py",
    ],
)
def test_no_comment(line):
    assert Wanted(["top_k.py"]).in_comment(f"{line}\n") is None


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("", ""),
        ("text", ""),
        ("py", "python"),
        ("python3", "python"),
        ("Python3.12", "python"),
        ("{.python .numberLines}", "python"),
        ("lang-js", "javascript"),
        ("js:task_queue.js", "javascript"),
        ("cjs", "javascript"),
        ("Node.js", "javascript"),
        ("typescript", "typescript"),
        ("tsx", "tsx"),
        ("rust,ignore", "rust"),
        ("golang", "go"),
        ("top_k.py", "python"),
        ("3:9:src/main.rs", "rust"),
        ("bash", "shell"),
        ("patch", "diff"),
        ("mermaid", "mermaid"),
        ("ipython", "python"),
        ("python-repl", "python"),
        ("es6", "javascript"),
        ("typescriptreact", "tsx"),
        ("js/node", "javascript"),
        ("rust-lang", "rust"),
        ("lang=python", "python"),
        ("{code-cell} ipython3", "python"),
        ("slug.py#L1-L20", "python"),
        ("C++17", "cpp"),
        ("c#", "csharp"),
        ("text/x-python", "python"),
        ("\uff30ython", "python"),
        ("python\u200b", "python"),
        ("answer", ""),
        ("\u4ee3\u7801", ""),
        ("output_code", ""),
    ],
)
def test_language_of_block(info, language):
    assert language_of_block(info) == language


def test_language_of_file():
    assert language_of_file("src\\Main.RS") == "rust"
    assert language_of_file("src.d/Makefile") == "make"
    assert language_of_file("src.d/LICENSE") == ""
