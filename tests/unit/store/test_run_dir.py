"""Run folders: their names, whole files, and what an unwritable place is told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.errors import StoreError
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.store.run_dir import RunDir, slug, write_atomically, writing

# -- a new run -------------------------------------------------------------------------------------------------------


def test_a_run_folder_is_made_with_latest_and_gitignore(tmp_path):
    base = tmp_path / "project" / ".llmbench"
    run = RunDir.create(base)
    assert run.path == base / "runs" / run.id
    assert run.path.is_dir()
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}", run.id)
    assert (base / ".gitignore").read_text() == "*\n"
    assert (base / "latest").resolve() == run.path.resolve()


def test_latest_follows_and_may_be_moved_with_the_base(tmp_path):
    first, second = RunDir.create(tmp_path / "a"), RunDir.create(tmp_path / "a")
    assert first.path.is_dir()
    (tmp_path / "a").rename(tmp_path / "b")
    assert (tmp_path / "b" / "latest").resolve() == tmp_path / "b" / "runs" / second.id


def test_nothing_else_is_left_in_the_base(tmp_path):
    for _ in range(3):
        RunDir.create(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".gitignore", "latest", "runs"]


def test_many_runs_at_once_have_folders_of_their_own(tmp_path):
    found: list[RunDir] = []
    threads = [threading.Thread(target=lambda: found.append(RunDir.create(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run.path for run in found}) == 8
    assert (tmp_path / "latest").resolve() in {run.path.resolve() for run in found}


# -- places that cannot be written -----------------------------------------------------------------------------------

REMEDY = r"Make space or make it writable, or choose another place with --llm-run-dir=PATH\."


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / ".llmbench").write_text("")
    with pytest.raises(StoreError, match=rf"cannot write .*\.llmbench.*: Not a directory\. {REMEDY}"):
        RunDir.create(tmp_path / ".llmbench")


def test_a_folder_in_the_place_of_latest_is_told_and_nothing_left_behind(tmp_path):
    (tmp_path / "latest").mkdir()
    with pytest.raises(StoreError, match=rf"latest: a folder that is not ours is in its place\. {REMEDY}"):
        RunDir.create(tmp_path)
    assert not list(tmp_path.glob(".latest*"))


def test_a_read_only_folder_is_told(tmp_path):
    """A real read-only mount, because permissions do not bind root."""
    if shutil.which("bwrap") is None:
        pytest.skip("needs bubblewrap: apt-get install bubblewrap")
    script = (
        "import sys; from pathlib import Path; from pytest_llmbench.store.run_dir import RunDir\n"
        "from pytest_llmbench.errors import StoreError\n"
        "try: RunDir.create(Path(sys.argv[1]))\n"
        "except StoreError as error: print(error)\n"
    )
    command = ["bwrap", "--bind", "/", "/", "--dev", "/dev", "--ro-bind", str(tmp_path), str(tmp_path), "--"]
    done = subprocess.run(
        [*command, sys.executable, "-c", script, tmp_path / ".llmbench"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"bubblewrap does not work here: {done.stderr.strip()}")
    assert re.fullmatch(rf"cannot write .*: Read-only file system\. {REMEDY}\n", done.stdout)


def test_an_error_without_a_text_of_its_own_is_told_as_it_is():
    with pytest.raises(StoreError, match=r"cannot write place: odd\. Make space"), writing(Path("place")):
        raise OSError("odd")


# -- whole files -----------------------------------------------------------------------------------------------------


def test_write_makes_folders_and_gives_the_path(tmp_path):
    path = RunDir(tmp_path).write("replies/a/b.md", "text\r\n\n")
    assert path == tmp_path / "replies" / "a" / "b.md"
    assert path.read_bytes() == b"text\r\n\n"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    """Less room than the text needs: a limit on file size does what a full disk does."""
    (tmp_path / "results.json").write_text("old")
    script = (
        "import resource, sys; from pathlib import Path; from pytest_llmbench.store.run_dir import RunDir\n"
        "from pytest_llmbench.errors import StoreError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: RunDir(Path(sys.argv[1])).write('results.json', 'x' * 5000)\n"
        "except StoreError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True)
    assert re.fullmatch(rf"cannot write .*results\.json: File too large\. {REMEDY}\n", done.stdout)
    assert (tmp_path / "results.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    path.write_text("old")

    def interrupted(*_args, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_readers_see_whole_files_only(tmp_path):
    path = tmp_path / "results.json"
    texts = ["a" * 200_000, "b" * 200_000]
    write_atomically(path, texts[0])
    seen: set[str] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        write_atomically(path, texts[number % 2])
    done.set()
    reader.join()
    assert seen <= set(texts)


def test_a_text_that_utf8_cannot_hold_is_kept_escaped(tmp_path):
    write_atomically(tmp_path / "a", "half \ud83d of a pair")
    assert (tmp_path / "a").read_text() == "half \\ud83d of a pair"


# -- names -----------------------------------------------------------------------------------------------------------


def test_names_stay_readable(tmp_path):
    run = RunDir(tmp_path)
    assert run.reply_stem(TurnKey("js-bug-fix", "gpt-oss-20b", 2)) == "replies/gpt-oss-20b/js-bug-fix.2"
    assert run.files_dir(AttemptKey("t", "openai/gpt 4", 1)) == tmp_path / "files" / "openai%2Fgpt 4" / "t.1"


HOSTILE = [
    ".",
    "..",
    "...",
    ".git",
    "/",
    "a/b",
    "a%2Fb",
    "%2E",
    "%2E.",
    "",
    "%",
    "\0",
    "\n",
    "~",
    "a\\b",
    "\udcff",
    "C:",
    "\u202e",
]
NAMES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=30),
    st.text("./%~a", max_size=6),
    st.builds(
        lambda text, count, end: text * count + end,
        st.text("ab/ü", min_size=1),
        st.integers(50, 400),
        st.text("ab~0123"),
    ),
)


@given(NAMES)
def test_a_slug_is_one_plain_file_name(name):
    found = slug(name)
    assert re.fullmatch(r"[A-Za-z0-9_.\-~ ,+=@()%]{1,200}", found)
    assert not found.startswith(".")
    assert Path(found).name == found


@given(st.lists(NAMES, unique=True, min_size=2, max_size=20))
def test_different_names_have_different_slugs(names):
    assert len({slug(name) for name in names}) == len(names)


@pytest.mark.parametrize("ending", ["a" * 200, "ü" * 60])
def test_long_names_differ_by_what_lies_beyond_the_cut(ending):
    names = [f"{ending}{tail}" for tail in range(1000)]
    assert len({slug(name) for name in [*names, *map(slug, names)]}) == 2000
    assert slug(names[0]) == slug(names[0])


@given(NAMES.filter(lambda name: 0 < len(name) <= 16))
def test_a_short_slug_is_reversible(name):
    assert unquote(slug(name), errors="surrogatepass") == name


def test_every_attempt_has_its_own_files(tmp_path):
    """The epoch is set off by the last dot, so a task named like another one with an epoch does not clash."""
    run = RunDir(tmp_path)
    keys = [AttemptKey(task, "m", epoch) for task in ("t", "t.1", "t.1.1") for epoch in (1, 11, 2)]
    assert len({run.reply_stem(key.turn(1)) for key in keys}) == len({run.files_dir(key) for key in keys}) == len(keys)


def test_the_longest_names_can_be_written(tmp_path):
    key = AttemptKey("t" * 100, "m/" * 500, 10_000)
    run = RunDir(tmp_path)
    run.files_dir(key).mkdir(parents=True)
    assert run.write(f"{run.reply_stem(key.turn(1))}.json", "{}").is_file()


def test_what_holds_nothing_is_discarded_and_nothing_else(tmp_path):
    first, second = RunDir.create(tmp_path / "a"), RunDir.create(tmp_path / "a", latest=False)
    assert RunDir.open(tmp_path / "a", "latest").path == first.path
    second.write("run.json", ["{}"])
    second.discard()
    second.discard()
    assert not second.path.exists()
    first.write("notes.txt", ["mine"])
    first.discard()
    assert (first.path / "notes.txt").read_text() == "mine"
    assert (first.path / "conftest.py").exists()
