"""Going through folders of any shape."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.sandbox.files.rmtree import remove_tree
from pytest_llmbench.sandbox.files.tree_walk import walk

names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
trees = st.recursive(st.none(), lambda below: st.dictionaries(names, below, max_size=4), max_leaves=20)


def build(folder: Path, tree: dict[str, object]) -> int:
    """Make the tree, True for as many entries as it could; returns their number."""
    count = 0
    for name, below in tree.items():
        path = folder / name
        if isinstance(below, dict):
            path.mkdir()
            count += build(path, below)
        else:
            path.write_text("x")
        count += 1
    return count


@given(st.dictionaries(names, trees, max_size=4))
def test_every_entry_is_met_once(tree):
    with tempfile.TemporaryDirectory() as folder:
        expected = build(Path(folder), tree)
        assert sum(1 for _ in walk(Path(folder))) == expected


@pytest.fixture
def deep(tmp_path):
    """A folder that pytest's own way of removing folders cannot cope with."""
    folder = tmp_path / "deep"
    folder.mkdir()
    yield folder
    remove_tree(folder)


def test_any_depth(deep):
    descriptor = os.open(deep, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d" * 100, dir_fd=descriptor)
        below = os.open("d" * 100, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert [name for _, name, _ in walk(deep)][-1] == "file"
    assert sum(1 for _ in walk(deep)) == 3001
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_links_are_not_followed(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").touch()
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path / "outside")
    assert [name for _, name, _ in walk(inside)] == ["link"]


def test_leaving_early_closes_what_is_open(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    before = len(list(Path("/proc/self/fd").iterdir()))
    entries = walk(tmp_path)
    next(entries)
    entries.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
