"""An entry is whole or not there, made by one process, and the same for everybody."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.toolchains.caches.store import VARIABLE, Entry, base_folder, digest

pytestmark = pytest.mark.usefixtures("own_cache")


def test_the_base_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "x" / ".." / "mine"))
    assert base_folder() == (tmp_path / "mine").resolve()
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert base_folder() == (tmp_path / "xdg").resolve() / "pytest-llmbench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert base_folder() == tmp_path.resolve() / ".cache" / "pytest-llmbench"


def test_it_is_filled_once(own_cache):
    entry = Entry("thing")
    fills = []

    def fill(folder):
        fills.append(folder)
        assert not entry.made
        (folder / "file").write_text("content")

    assert not entry.made
    assert entry.make(fill) == entry.make(fill) == entry.path == own_cache / "thing"
    assert entry.made
    assert len(fills) == 1
    assert (entry.path / "file").read_text() == "content"


def test_what_fails_leaves_nothing(own_cache):
    def fill(folder):
        (folder / "half").touch()
        raise HarnessError("no network")

    with pytest.raises(HarnessError, match=r"^no network$"):
        Entry("thing").make(fill)
    assert [path.name for path in own_cache.iterdir()] == ["thing.lock"]


def test_what_a_killed_process_left_is_removed(own_cache):
    (own_cache / ".thing.abc" / "sub").mkdir(parents=True)
    (own_cache / ".thing-two.abc").mkdir()
    Entry("thing").make(lambda folder: None)
    assert sorted(path.name for path in own_cache.iterdir()) == [".thing-two.abc", "thing", "thing.lock"]


def test_a_full_or_forbidden_place_is_told_with_the_remedy(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file"))
    with pytest.raises(HarnessError, match=rf"file/thing cannot be made: .*name another folder in .* {VARIABLE}\.$"):
        Entry("thing").make(lambda folder: None)


def test_of_many_processes_one_fills_it(own_cache):
    source = """
import os, time
from pytest_llmbench.toolchains.caches.store import Entry
def fill(folder):
    time.sleep(0.3)
    (folder / "by").write_text(str(os.getpid()))
path = Entry("thing").make(fill)
print((path / "by").read_text())
"""
    several = [
        subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, env=os.environ, text=True)
        for _ in range(4)
    ]
    answers = [process.communicate(timeout=60)[0].strip() for process in several]
    assert len(set(answers)) == 1
    assert int(answers[0]) in [process.pid for process in several]


def test_everybody_may_read_and_nobody_write(own_cache, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("ours")
    outside.chmod(0o600)

    def fill(folder):
        (folder / "sub").mkdir(mode=0o700)
        (folder / "sub" / "plain").touch(mode=0o600)
        (folder / "sub" / "program").touch()
        (folder / "sub" / "program").chmod(0o6711)
        (folder / "sub" / "link").symlink_to(outside)
        (folder / "sub" / "away").symlink_to(tmp_path)
        (folder / "closed").mkdir()
        (folder / "closed" / "file").touch()
        (folder / "closed").chmod(0)
        os.mkfifo(folder / "pipe")

    before = os.umask(0o077)
    try:
        path = Entry("thing").make(fill)
    finally:
        os.umask(before)
    modes = {p.relative_to(path).as_posix(): oct(stat.S_IMODE(p.lstat().st_mode)) for p in path.rglob("*")}
    links = {name: modes.pop(name) for name in ("sub/link", "sub/away")}
    assert len(links) == 2
    assert modes == {
        "sub": "0o755",
        "sub/plain": "0o444",
        "sub/program": "0o555",
        "closed": "0o755",
        "closed/file": "0o444",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be given files of others")
def test_files_of_a_throw_away_user_become_ours():
    def fill(folder):
        (folder / "file").touch()
        (folder / "link").symlink_to("/etc/passwd")
        for name in ("file", "link"):
            os.chown(folder / name, 1_900_000_001, 1_900_000_001, follow_symlinks=False)

    path = Entry("thing").make(fill)
    assert {(path / name).lstat().st_uid for name in ("file", "link")} == {0}
    assert Path("/etc/passwd").stat().st_uid == 0


def test_a_digest_knows_where_a_part_ends():
    assert digest("ab", "c") != digest("a", "bc") != digest("a", b"bc", "")
    assert digest("a", "b") == digest(b"a", b"b")
