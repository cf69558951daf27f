"""Hostile replies: files with names that lead elsewhere, texts that a terminal or a reader of reports would obey."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from support.bench import Bench
from support.evil import EVIL

from pytest_llmbench.attempts.submission import (
    LONGEST_FILE,
    READING_S,
    Submission,
    fill_workspace,
    from_reply,
    read_submission,
)
from pytest_llmbench.extraction.extract import (
    LONGEST_NOTE,
    LONGEST_REPLY,
    MOST_BLOCKS,
    MOST_NOTES,
    Extraction,
    extract,
)
from pytest_llmbench.sandbox.files.workspace import MAX_FILES, refusals, write_files
from pytest_llmbench.schema.attempt import Completion
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.outcome import HandedInFiles
from pytest_llmbench.schema.task import Task
from pytest_llmbench.store.guard import GUARDS
from pytest_llmbench.store.run_dir import RunDir
from pytest_llmbench.store.trees import freeze

GOOD = "def add(a, b):\n    return a + b\n"
GOOD_BLOCK = f"```python add.py\n{GOOD}```\n"
KEY = AttemptKey("add", "mine", 1)
TASK = Task(
    id="add", suite="tests", points=1, floor=0, prompt="", files=("add.py",), module=Path("test_add.py"), rubric=()
)

# -- names -----------------------------------------------------------------------------------------------------------

NAMES = [
    "../add2.py", "../../../../../../tmp/evil.py", "/etc/cron.d/evil.py", "/tmp/evil.py", "~/.bashrc.sh",
    "~root/evil.py", "..\\..\\evil.py", "C:\\Windows\\evil.py", "c:/evil.py", "file:///tmp/evil.py", "file:evil.py",
    "\\\\host\\share\\evil.py",
    "nul.py", "CON.py", "a\0b.py", "a\x1b[31mb.py", "a\x1b]0;title\x07.py", "a\u202eyp.exe.py", "a\x9b31m.py",
    "ADD.PY", "Add.py", "add.py/evil.py", "add.py.py", "x" * 300 + ".py", "d/" * 200 + "evil.py",
    "conftest.py", "tests/conftest.py", "sitecustomize.py", "pyproject.toml", "pytest.ini.cfg", "setup.cfg", "build.rs",
    ".cargo/config.toml", "package.json", ".npmrc.env", "node_modules/x/index.js", ".git/hooks/post-checkout.sh",
    ".git/config.ini", ".github/workflows/evil.yml", ".vscode/tasks.json", "Makefile.mk", "go.mod", "evil.pth.txt",
    "link -> /etc/passwd.txt", ".llmbench/latest/results.json", "results.json",
]  # fmt: skip
"""Of files that nobody asked for; some as no system takes them."""
WORD = "import os; os.system('touch /tmp/executed; touch ~/executed')"


def block(name: str, text: str = WORD) -> str:
    language = {"py": "python", "rs": "rust", "js": "javascript"}.get(name.rpartition(".")[2], "")
    return f"`{name}`:\n\n```{language} {name}\n{text}\n```\n"


def submitted(text: str) -> Submission:
    return from_reply(KEY, TASK, Completion(text=text))


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("order", ["before", "after"])
def test_a_file_that_nobody_asked_for_is_passed_over_with_a_reason(name: str, order: str) -> None:
    text = block(name) + GOOD_BLOCK if order == "before" else GOOD_BLOCK + block(name)
    submission = submitted(text)
    assert dict(submission.files) == {"add.py": GOOD}
    number = 1 if order == "before" else 2
    (note,) = [note for note in submission.notes if note.startswith(f"block {number} ")]
    assert len(note) <= LONGEST_NOTE + 3


@pytest.mark.parametrize("name", [name for name in NAMES if "add.py" not in name.lower()], ids=ascii)
def test_such_a_file_alone_is_never_written_under_its_own_name(tmp_path: Path, name: str) -> None:
    submission = submitted(block(name))
    assert set(submission.files) <= {"add.py"}, "one block of the right language may be taken for the file"
    assert write_files(tmp_path, submission.files) == []
    assert {path.name for path in tmp_path.rglob("*")} <= {"add.py"}


def test_thousands_of_files_are_passed_over_in_few_words() -> None:
    many = [block(f"../evil{number}.py") for number in range(8000)]
    for parts in ([*many, GOOD_BLOCK], [GOOD_BLOCK, *many], [*many[:4000], GOOD_BLOCK, *many[4000:]]):
        submission = submitted("".join(parts))
        assert dict(submission.files) == {"add.py": GOOD}
        assert any(note.startswith(f"only {MOST_BLOCKS} of 8001 ") for note in submission.notes)
        assert submission.notes[-1] == f"and {MOST_BLOCKS - MOST_NOTES} more"
        assert len(submission.notes) <= MOST_NOTES + 2


def test_ten_thousand_names_are_refused_one_by_one_and_the_rest_is_written(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    names = [f"{start}evil{number}.py" for number in range(2500) for start in ("../", "/", "~/", "a\\")]
    files = {**dict.fromkeys(names, "evil"), "kept.py": "good", "kept.py/below.py": "no", "KEPT.py": "no"}
    files |= {f"many/{number}.py": "" for number in range(MAX_FILES)}
    refused = write_files(root, files)
    assert [entry.name for entry in refused] == [*names, "kept.py/below.py", "KEPT.py", f"many/{MAX_FILES - 1}.py"]
    assert all(entry.reason for entry in refused)
    assert (root / "kept.py").read_text() == "good"
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == MAX_FILES
    assert {entry.name for entry in tmp_path.iterdir()} == {"workspace"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("x = 1\n" * 2_000_000, f"longer than {LONGEST_FILE} characters"),
        ("a" * (LONGEST_FILE + 1), f"longer than {LONGEST_FILE} characters"),
    ],
)
def test_a_file_that_cannot_be_written_was_not_handed_in(content: str, reason: str, tmp_path: Path) -> None:
    task = replace(TASK, files=("add.py", "other.py"))
    run = RunDir.create(tmp_path / "base")

    def handed_in(files: dict[str, str]) -> Submission:
        return read_submission(KEY, task, HandedInFiles(tree=freeze(run, KEY, files)), run)

    submission = handed_in({"add.py": GOOD, "other.py": content})
    assert dict(submission.files) == {"add.py": GOOD}
    assert [note for note in submission.notes if note.startswith("other.py: refused: ") and reason in note]
    alone = handed_in({"other.py": content})
    assert alone.no_code
    assert alone.labels == {"no_code"}


def test_of_a_whole_workspace_a_name_that_cannot_be_written_is_told_and_the_rest_is_laid_out(tmp_path: Path) -> None:
    task = replace(TASK, files=())
    run = RunDir.create(tmp_path / "base")
    files = {"kept.py": GOOD, "con.txt": "a device", "web/.git/hooks/post-checkout": "run me", "Kept.py": "again"}
    submission = read_submission(KEY, task, HandedInFiles(tree=freeze(run, KEY, files)), run)
    assert list(submission.files) == ["Kept.py"]
    refused = [note.partition(":")[0] for note in submission.notes if ": refused: " in note]
    assert refused == ["con.txt", "kept.py", "web/.git/hooks/post-checkout"]
    (tmp_path / "workspace").mkdir()
    fill_workspace(tmp_path / "workspace", task, submission)
    assert [path.name for path in (tmp_path / "workspace").rglob("*")] == ["Kept.py"]


def test_refusals_are_told_without_writing(tmp_path: Path) -> None:
    files = {"../a": "1", "b": "2", "B": "3", "c": "\ud800", "d": "4"}
    assert refusals(files) == write_files(tmp_path, files)
    assert [entry.name for entry in refusals(files)] == ["../a", "B", "c"]


# -- shapes ----------------------------------------------------------------------------------------------------------

SHAPES: dict[str, Callable[[], str]] = {
    "one line": lambda: "```python\nx = '" + "a" * 990_000 + "'\n```\n",
    "no fence": lambda: "x = 1\n" * 166_000,
    "the same again and again": lambda: "```python\n" + "def f(): pass\n" * 70_000 + "```\n",
    "fences in fences": lambda: "".join("`" * (3 + depth) + "markdown\n" for depth in range(1300)) + GOOD_BLOCK,
    "fences of all lengths": lambda: "".join("`" * (3 + number % 50) + "\n" for number in range(34_000)),
    "fences alone": lambda: "```\n" * 249_000,
    "small blocks": lambda: "```\nx\n" * 166_000,
    "quotes in quotes": lambda: ("> " * 200 + "```python\n") * 2400,
    "quotes in quotes on one line": lambda: "> " * 240_000 + "```\n" + "> " * 240_000 + "x\n",
    "lists in lists": lambda: "- " * 490_000 + "```python\nx\n",
    "thoughts": lambda: "<think>\n" * 55_000 + "</think>\n" * 55_000,
    "thoughts on one line": lambda: "<think></think>" * 66_000,
    "entities": lambda: "```python\n" + "&lt;" * 240_000 + "\n```\n",
    "a long label": lambda: "```" + "x" * 990_000 + "\ncode\n```\n",
    "headings above": lambda: "# add.pyx\n" * 99_000 + "```\ncode\n```\n",
    "hard to parse": lambda: ("```\nx = f'" + "{a}" * 33_000 + "'\n```\n") * 9,
    "hard to parse, wrapped": lambda: (
        ("````\n" + "# pad\n" * 17_000 + "```\nx = f'" + "{a}" * 30_000 + "'\n```\n````\n") * 5
    ),
    "deeply nested code": lambda: "```python\nx = " + "(" * 49_000 + ")" * 49_000 + "\n```\n",
    "chained code": lambda: ("```python\nx = a" + ".b" * 49_000 + "\n```\n") * 4,
    "chained code, small": lambda: ("```python\nx = a" + "+b" * 900 + "\n```\n") * 200,
    "flat code": lambda: ("```python\n" + "a;" * 49_000 + "\n```\n") * 4,
    "carriage returns": lambda: "\r" * 990_000,
    "lone surrogates": lambda: "```python\nx = '" + "\ud800" * 1000 + "'\n```\n",
    "control characters": lambda: f"```python {EVIL[:150]}\n{EVIL}\n```\n",
}
"""Up to the longest reply that is read."""


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_a_reply_of_any_shape_is_read_in_reasonable_time(shape: str) -> None:
    text = SHAPES[shape]()
    assert len(text) <= LONGEST_REPLY
    began = time.thread_time()
    extraction = extract(text, ["add.py"])
    assert time.thread_time() - began < READING_S, "2 s at most on a quick machine; minutes without bounds"
    assert sum(map(len, extraction.notes)) < (MOST_NOTES + 2) * (LONGEST_NOTE + 10)


def test_a_reply_that_is_too_long_holds_no_code_and_says_so() -> None:
    submission = submitted(GOOD_BLOCK + "x" * LONGEST_REPLY)
    assert submission.no_code
    assert submission.notes == ("over budget: a reply of more than 1,000,000 characters is not read",)


def test_a_reply_that_takes_too_long_to_read_holds_no_code_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_text: str, _expected: Sequence[str]) -> Extraction:
        while True:
            pass

    monkeypatch.setattr("pytest_llmbench.attempts.submission.extract", endless)
    monkeypatch.setattr("pytest_llmbench.attempts.submission.READING_S", 0.2)
    submission = submitted(GOOD_BLOCK)
    assert submission.no_code
    assert submission.notes == ("over budget: reading the reply took more than 0.2 s of CPU",)


# -- through the whole command ---------------------------------------------------------------------------------------

SHOW = """\
import pytest

pytestmark = pytest.mark.llm_task(
    id="show", points=2, files=["add.py"], toolchains=["python"], prompt_text="Write add."
)


@pytest.mark.rubric("adds", points=1)
def test_adds(sandbox):
    assert sandbox.call("add.py", "add", 1, 2).value == 3


@pytest.mark.rubric("alone", points=1)
def test_alone(sandbox):
    assert sandbox.run(["/bin/ls", "-a"]).stdout.split() == [".", "..", "add.py"]
"""


@pytest.mark.slow
def test_a_reply_with_every_name_touches_nothing_outside(bench: Bench) -> None:
    (bench.root / "tasks/test_show.py").write_text(SHOW)
    home = bench.root.parent / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".bashrc").write_text("# mine\n")
    (home / "kept").symlink_to(bench.root)
    text = "".join(block(name) for name in NAMES if "\0" not in name) + GOOD_BLOCK
    bench.file("replies/show.md", "").write_text(text, encoding="utf-8")
    bench.file("folder/show/add.py/add.py", GOOD)
    (bench.root / "linked/show").mkdir(parents=True)
    (bench.root / "linked/show/add.py").symlink_to(home / ".bashrc")
    temporary = bench.root.parent / "temporary"
    temporary.mkdir()
    before = listing(bench.root.parent)
    run = bench.run(
        *(f"--llm-model={name}=dir:{name}" for name in ("replies", "folder", "linked")),
        "--junitxml=junit.xml",
        "--json-report",
        "--json-report-file=report.json",
        HOME=str(home),
        TMPDIR=str(temporary),
    )
    after = listing(bench.root.parent)
    assert run.attempt("show", "replies")["points"] == 2
    for name in ("folder", "linked"):
        assert run.attempt("show", name)["error"]["kind"] == "invalid_response"
    new = {path for path in after if after[path] != before.get(path)} | (before.keys() - after.keys())
    ours = (
        "project/.llmbench",
        "project/.pytest_cache",
        "temporary/",
        "pytest-temporary/",
        "project/report.json",
        "project/junit.xml",
    )
    assert not {path for path in new if not path.startswith(ours) and "__pycache__" not in path}
    assert [path.name for path in run.folder.glob("files/*/*/*")] == ["add.py.reply"]
    own = ("run.json", "plan.json", "attempts.jsonl", "items.jsonl", "results.json")
    assert {path.name for path in run.folder.rglob("*") if path.is_file()} == {
        *own,
        *GUARDS,
        "add.py.reply",
        "show.1.md",
        "show.1.json",
    }
    assert not any(Path(place, "executed").exists() for place in ("/tmp", home, Path.home()))


def listing(root: Path) -> dict[str, str]:
    """Every path below a folder with what it is."""
    return {
        str(path.relative_to(root)): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes().hex()[:1000]
        if path.is_file()
        else "folder"
        for path in root.rglob("*")
    }
