"""Removing what a hostile program left."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmbench.sandbox.files.rmtree import remove_tree

NOBODY = 65534


@contextmanager
def ordinary_user():
    """Root becomes somebody whom modes bind; anybody else stays who they are."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def place():
    """A folder that also an ordinary user reaches, with a canary beside the tree."""
    with ordinary_user():
        folder = Path(tempfile.mkdtemp(prefix="llmbench-test-"))
        (folder / "root").mkdir()
        (folder / "canary").mkdir(mode=0o750)
        (folder / "canary" / "file").write_text("alive")
    yield folder
    shutil.rmtree(folder)


def alive(folder):
    canary = folder / "canary"
    return (canary / "file").read_text() == "alive" and canary.stat().st_mode & 0o777 == 0o750


def nest(folder, name, levels, modes=0o700):
    """Folders in folders, deeper than any path can say."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.fchmod(here, modes)
        os.close(here)
        here = below
    os.close(here)


NAMES = st.one_of(
    st.binary(min_size=1, max_size=12).filter(lambda name: name not in (b".", b"..") and not set(name) & set(b"/\0")),
    st.sampled_from([b"x" * 255, b"-rf", b"\n", b"root", b"canary", b"\xff\xfe"]),
)
LEAVES = st.sampled_from(["file", "locked", "fifo", "link", "folder link", "loop", "dangling", "hard link"])
TREES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=4),
    lambda inner: st.dictionaries(
        NAMES, LEAVES | st.tuples(inner, st.sampled_from([0o000, 0o300, 0o500, 0o777, 0o1777])), max_size=4
    ),
    max_leaves=30,
)


def grow(tree, folder, canary):
    for name, kind in tree.items():
        path = folder / os.fsdecode(name)
        match kind:
            case "file" | "locked":
                path.touch(0o600 if kind == "file" else 0)
            case "fifo":
                os.mkfifo(path)
            case "link":
                path.symlink_to(canary / "file")
            case "hard link":
                path.hardlink_to(canary / "file")
            case "folder link":
                path.symlink_to(canary)
            case "loop":
                path.symlink_to("..")
            case "dangling":
                path.symlink_to("nowhere")
            case (inner, mode):
                path.mkdir()
                grow(inner, path, canary)
                path.chmod(mode)


@settings(max_examples=60, deadline=None)
@given(tree=TREES)
def test_every_tree_goes_and_nothing_else(tree):
    with ordinary_user(), tempfile.TemporaryDirectory(prefix="llmbench-test-") as name:
        folder = Path(name)
        (folder / "root").mkdir()
        (folder / "canary").mkdir(mode=0o750)
        (folder / "canary" / "file").write_text("alive")
        grow(tree, folder / "root", folder / "canary")
        remove_tree(folder / "root")
        assert [path.name for path in folder.iterdir()] == ["canary"]
        assert alive(folder)


@pytest.mark.slow
@pytest.mark.parametrize("modes", [0o700, 0o000])
def test_ten_thousand_levels_of_long_names(place, modes):
    with ordinary_user():
        nest(place / "root", "d" * 255, 10_000, modes)
        remove_tree(place / "root")
    assert not (place / "root").exists()
    assert alive(place)


@pytest.mark.slow
def test_many_files_and_folders(place):
    with ordinary_user():
        for number in range(30):
            folder = place / "root" / str(number % 7) / str(number)
            folder.mkdir(parents=True)
            handle = os.open(folder, os.O_RDONLY)
            for entry in range(300):
                os.mkdir(str(entry), dir_fd=handle)
            for entry in range(300, 700):
                os.mknod(str(entry), dir_fd=handle)
            os.close(handle)
        remove_tree(place / "root")
    assert not (place / "root").exists()


def test_what_is_not_there_is_gone_already(tmp_path):
    remove_tree(tmp_path / "root")


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_root_that_is_no_folder_is_left(place, kind):
    (place / "root").rmdir()
    if kind == "link":
        (place / "root").symlink_to(place / "canary")
    else:
        (place / "root").write_text("")
    with pytest.raises(NotADirectoryError):
        remove_tree(place / "root")
    assert alive(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what its user cannot remove")
def test_what_remains_is_told_at_the_end(place):
    theirs = place / "root" / "theirs"
    theirs.mkdir()
    theirs.chmod(0o755)
    (theirs / "kept").write_text("")
    (place / "root" / "other").mkdir()
    with ordinary_user(), pytest.raises(PermissionError, match=r"'kept'.*\d more problems.*root"):
        remove_tree(place / "root")
    assert [path.name for path in place.joinpath("root").iterdir() if path.name == "other"] == []
    assert (place / "root").exists()
