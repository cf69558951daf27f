"""Trees of files, frozen in the run folder and read back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_llmbench.errors import HarnessError, StoreError
from pytest_llmbench.schema import tree as limits
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.task import LEFT_OUT
from pytest_llmbench.schema.tree import is_left_out
from pytest_llmbench.store import trees
from pytest_llmbench.store.run_dir import RunDir
from pytest_llmbench.store.trees import StoredTree, freeze

KEY = AttemptKey("t", "m", 1)


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir.create(tmp_path / "base")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    (made / "src").mkdir(parents=True)
    (made / "src/main.py").write_bytes(b"x = '\xff'\n")
    (made / "run.sh").write_text("#!/bin/sh\n")
    (made / "run.sh").chmod(0o755)
    return made


def test_a_folder_comes_back_with_any_bytes_and_what_is_a_program(run: RunDir, folder: Path) -> None:
    tree = freeze(run, KEY, folder)
    assert [(file.name, file.size, file.executable) for file in tree.files] == [
        ("run.sh", 10, True), ("src/main.py", 8, False)
    ]  # fmt: skip
    assert dict(StoredTree(run, KEY, tree)) == {"run.sh": b"#!/bin/sh\n", "src/main.py": b"x = '\xff'\n"}


def test_nothing_in_the_run_folder_has_a_name_that_a_tool_obeys(run: RunDir, folder: Path) -> None:
    (folder / "conftest.py").write_text("raise SystemExit")
    freeze(run, KEY, folder)
    kept = [path.name for path in (run.path / "files").rglob("*") if path.is_file()]
    assert sorted(kept) == ["conftest.py.reply", "main.py.reply", "run.sh.reply"]


def test_no_link_is_followed_and_each_is_noted(run: RunDir, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "up").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    tree = freeze(run, KEY, folder)
    assert [file.name for file in tree.files] == ["run.sh", "src/main.py"]
    assert tree.notes == ("link: a link", "pipe: not a regular file", "up: a link")


def test_what_a_task_leaves_out_is_not_a_part(run: RunDir, folder: Path) -> None:
    for name in (".git/config", "web/node_modules/x/index.js", "target/debug/app", "src/a.pyc", "targets/b"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    tree = freeze(run, KEY, folder, leave_out=LEFT_OUT)
    assert [file.name for file in tree.files] == ["run.sh", "src/main.py", "targets/b"]


@pytest.mark.parametrize(
    ("name", "pattern", "left_out"),
    [
        ("a/target/b", "target", True),
        ("a/target/b", "a/target", True),
        ("x/a/target", "a/target", False),
        ("log/app.log", "log/*.log", True),
        ("logs/app.log", "log/*.log", False),
        ("TARGET/x", "target", False),
    ],
)
def test_patterns(name: str, pattern: str, left_out: bool) -> None:
    assert is_left_out(name, (pattern,)) is left_out


def test_only_the_named_files_of_a_mapping_are_kept(run: RunDir) -> None:
    tree = freeze(run, KEY, {"a.py": "x", "b.py": b"y"}, names=("b.py", "c.py"))
    assert dict(StoredTree(run, KEY, tree)) == {"b.py": b"y"}


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a//b", "", "a/\0"])
def test_a_name_that_leads_elsewhere_is_refused(run: RunDir, name: str) -> None:
    with pytest.raises(HarnessError, match="cannot be kept"):
        freeze(run, KEY, {name: "x"})
    assert not [path for path in (run.path / "files").rglob("*") if path.is_file()]


def test_a_name_that_is_too_long_to_keep_is_noted(run: RunDir, folder: Path) -> None:
    (folder / ("x" * 255)).write_text("x")
    assert [note.partition(":")[2] for note in freeze(run, KEY, folder).notes] == [" File name too long"]


@pytest.mark.parametrize("limit", ["MOST_FILES", "MOST_BYTES"])
def test_a_tree_without_end_is_refused(run: RunDir, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.MOST_FILES > 3
    monkeypatch.setattr(trees, limit, 3)
    with pytest.raises(HarnessError, match="leave_out= of the task's marker"):
        freeze(run, KEY, {f"{number}.py": "xx" for number in range(4)})


@pytest.mark.parametrize("change", ["other text", "longer than it was", "gone", "a link"])
def test_a_file_that_is_not_what_was_handed_in_is_refused(run: RunDir, change: str, tmp_path: Path) -> None:
    tree = freeze(run, KEY, {"a.py": "first text"})
    path = run.path / "files/m/t.1/a.py.reply"
    if change in ("gone", "a link"):
        path.unlink()
    if change == "a link":
        (tmp_path / "a").write_text("first text")
        path.symlink_to(tmp_path / "a")
    elif change != "gone":
        path.write_text(change)
    with pytest.raises(StoreError, match=r"a\.py\.reply"):
        StoredTree(run, KEY, tree)["a.py"]
