"""Writing hostile names, reading hostile files."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_llmbench.sandbox.files.workspace import write_files


def written(root):
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_files_and_folders_are_written(workspace):
    files = {"a.py": "x = 1\n", "src/deep/b.js": "grüße", "empty": "", "notes…/ü.md": "ok"}
    assert write_files(workspace, files) == []
    assert written(workspace) == files


def test_a_file_is_replaced(workspace):
    write_files(workspace, {"a.py": "long old text"})
    assert write_files(workspace, {"a.py": "new"}) == []
    assert written(workspace) == {"a.py": "new"}


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "../x", "a/../../x", "a/..", "./x", "a//b", "a/", "/etc/x", "~/x", "~root", "C:/x", "file:x",
        "a\\..\\x", "\\x", "a\0b", "a\nb", "a\x1b[2Jb", "a\x85b", "a\u202eb", "a\ud800b", "x" * 256, "ü" * 128,
        "/".join("d" * 21), "/".join(["d" * 200] * 6), "CON", "nul.txt", "a/COM1.js", "a.", "a ", ".GIT/config",
        ".git/hooks/pre-commit",
    ],
)  # fmt: skip
def test_unsafe_names_are_refused_and_the_rest_is_kept(workspace, tmp_path, name):
    before = sorted(tmp_path.iterdir())
    refused = write_files(workspace, {"first.py": "1", name: "x", "last.py": "2"})
    assert [entry.name for entry in refused] == [name]
    assert refused[0].reason
    assert written(workspace) == {"first.py": "1", "last.py": "2"}
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("files", "refused"),
    [
        ({"a.py": "1", "A.py": "2"}, ["A.py"]),
        ({"src/a": "1", "SRC/b": "2"}, ["SRC/b"]),
        ({"é": "1", "e\u0301": "2"}, ["e\u0301"]),
        ({"a": "1", "a/b": "2"}, ["a/b"]),
        ({"a/b": "1", "a": "2"}, ["a"]),
        ({"a": 7, "b": "\ud800"}, ["a", "b"]),
    ],
)
def test_files_that_do_not_go_together(workspace, files, refused):
    assert [entry.name for entry in write_files(workspace, files)] == refused


def test_sizes_and_numbers_are_limited(workspace):
    files = {"a": "x" * 6, "b": b"x" * 6, "c": "x" * 4, "d": ""}
    refused = write_files(workspace, files, most_files=2, most_bytes=10)
    assert [entry.name for entry in refused] == ["b", "d"]


def test_links_are_not_followed(workspace, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    (workspace / "folder").symlink_to(outside)
    (workspace / "file").symlink_to(outside / "kept")
    os.link(outside / "kept", workspace / "hard")
    os.mkfifo(workspace / "fifo")
    refused = write_files(workspace, {"folder/x": "1", "file": "2", "hard": "3", "fifo": "4"})
    assert [entry.name for entry in refused] == ["folder/x"]
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"kept": "kept"}
    assert (workspace / "file").read_text() == "2"
    assert not (workspace / "file").is_symlink()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.lists(st.sampled_from(["a", "..", ".", "/", "\\", "~", ":", "\0", "b.py", "ü", " "])).map("".join))
def test_no_name_leaves_the_workspace(workspace, tmp_path, name):
    before = sorted(tmp_path.iterdir())
    refused = write_files(workspace, {name: "x"})
    assert sorted(tmp_path.iterdir()) == before
    assert refused or (workspace / name).resolve().is_relative_to(workspace)
