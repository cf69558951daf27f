"""Replies and files taken from this machine."""

import asyncio
import os
from typing import NamedTuple

import pytest

from pytest_llmbench.llm.solving import Job
from pytest_llmbench.llm.targets import OfflineTarget
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.outcome import HandedInReply
from pytest_llmbench.solvers import handed_in
from pytest_llmbench.solvers.handed_in import Builtin, Folder


class Access(NamedTuple):
    """All that these solvers look at."""

    target: OfflineTarget


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "replies"
    folder.mkdir()
    return folder


def read(root, task="fizz", epoch=1, files=("fizz.py", "src/util.py")):
    access = Access(OfflineTarget("mine", "dir", str(root)))
    return asyncio.run(Folder().solve(Job(AttemptKey(task, "mine", epoch), (), files), access))


def builtin(which, data, files=("fizz.py",)):
    access = Access(OfflineTarget("reference", "builtin", which))
    job = Job(AttemptKey("fizz", "reference", 1), (), files, data=data)
    return asyncio.run(Builtin().solve(job, access))


def test_reply_is_taken_as_it_is(root):
    (root / "fizz.md").write_bytes("Voilà:\r\n```py\nx = 1\n```\n".encode())
    outcome = read(root)
    assert isinstance(outcome, HandedInReply)
    assert outcome.completion.text == "Voilà:\r\n```py\nx = 1\n```\n"
    assert outcome.completion.finish_reason == "stop"
    assert outcome.completion.wall_s is None


def test_reply_of_the_epoch_wins(root):
    (root / "fizz.md").write_text("any")
    (root / "fizz.1.md").write_text("first")
    assert read(root).completion.text == "first"


def test_one_reply_is_not_two_attempts(root):
    (root / "fizz.md").write_text("any")
    failure = read(root, epoch=2).failure
    assert failure.kind == "missing_reply"
    assert f"{root} has no fizz.2.md or fizz.2/" in failure.message
    assert "Near: fizz.md" in failure.message


@pytest.mark.parametrize("folder", ["fizz", "fizz.1"])
def test_folder_gives_the_expected_files_that_are_there(root, folder):
    (root / folder).mkdir()
    (root / folder / "fizz.py").write_text("x = 1\n")
    (root / folder / "other.py").write_text("not asked for")
    assert read(root).files == {"fizz.py": "x = 1\n"}


def test_folder_with_files_in_subfolders(root):
    (root / "fizz" / "src").mkdir(parents=True)
    (root / "fizz" / "src" / "util.py").write_text("y = 2\n")
    assert read(root).files == {"src/util.py": "y = 2\n"}


def test_folder_without_any_expected_file_names_what_is_near(root):
    (root / "fizz").mkdir()
    (root / "fizz" / "Fizz.py").write_text("x = 1\n")
    failure = read(root).failure
    assert failure.kind == "missing_reply"
    assert "none of the expected files: fizz.py, src/util.py" in failure.message
    assert "Near: Fizz.py" in failure.message


def test_missing_reply_names_where_it_was_looked_for(root):
    failure = read(root).failure
    assert failure.kind == "missing_reply"
    assert f"{root} has no fizz.1.md or fizz.1/ or fizz.md or fizz/ for fizz / mine #1." in failure.message


def test_missing_folder_is_a_missing_reply(tmp_path):
    assert read(tmp_path / "gone").failure.kind == "missing_reply"


def test_empty_reply_is_an_error_with_what_came(root):
    (root / "fizz.md").write_text(" \n")
    outcome = read(root)
    assert outcome.failure.kind == "empty_content"
    assert outcome.completion.text == " \n"


def test_reply_that_is_not_utf8(root):
    (root / "fizz.md").write_bytes(b"abc\xff")
    failure = read(root).failure
    assert failure.kind == "invalid_response"
    assert "fizz.md is not UTF-8 text (byte 3)" in failure.message


def test_reply_that_is_too_large(root, monkeypatch):
    monkeypatch.setattr(handed_in, "MAX_BYTES", 10)
    (root / "fizz.md").write_text("x" * 11)
    assert "is larger than" in read(root).failure.message


def test_link_out_of_the_folder_is_refused_and_its_content_never_shown(root, tmp_path):
    (tmp_path / "secret").write_text("hush")
    (root / "fizz.md").symlink_to(tmp_path / "secret")
    outcome = read(root)
    assert outcome.failure.kind == "invalid_response"
    assert "leads out of" in outcome.failure.message
    assert "hush" not in outcome.model_dump_json()


def test_linked_folder_out_of_the_folder_is_refused(root, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "fizz.py").write_text("hush")
    (root / "fizz").symlink_to(tmp_path / "elsewhere")
    assert "leads out of" in read(root).failure.message


def test_link_within_the_folder_is_fine(root):
    (root / "shared.txt").write_text("text")
    (root / "fizz.md").symlink_to("shared.txt")
    assert read(root).completion.text == "text"


def test_expected_name_that_leaves_the_folder_is_refused(root, tmp_path):
    (root / "fizz").mkdir()
    (tmp_path / "secret").write_text("hush")
    assert "leads out of" in read(root, files=("../../secret",)).failure.message


def test_fifo_is_refused_and_not_waited_for(root):
    os.mkfifo(root / "fizz.md")
    assert "no regular file" in read(root).failure.message


@pytest.mark.parametrize("task", ["../fizz", "a/b", "a\\b", "..", ".", ""])
def test_task_id_that_is_no_file_name(root, task):
    assert "is no file name" in read(root, task=task).failure.message


def test_unreadable_reply(root):
    (root / "fizz.md").symlink_to("fizz.md")
    failure = read(root).failure
    assert failure.kind in ("invalid_response", "missing_reply")
    assert "fizz.md" in failure.message


@pytest.mark.parametrize("which", ["reference", "starter"])
def test_builtin_reads_the_task_s_own_files(tmp_path, which):
    (tmp_path / which).mkdir()
    (tmp_path / which / "fizz.py").write_text("x = 1\n")
    (tmp_path / which / "notes.md").write_text("not handed in")
    outcome = builtin(which, tmp_path)
    assert outcome.files == {"fizz.py": "x = 1\n"}


def test_builtin_without_files_says_what_to_do(tmp_path):
    failure = builtin("reference", tmp_path).failure
    assert failure.kind == "missing_reply"
    assert (
        f"task fizz has no reference files: {tmp_path / 'reference'} is missing. Put fizz.py there" in failure.message
    )


def test_builtin_without_data_folder():
    failure = builtin("starter", None).failure
    assert failure.kind == "missing_reply"
    assert "no starter files" in failure.message


def test_a_task_without_starter_has_a_stub(tmp_path):
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub" / "fizz.py").write_text("def fizz(): ...\n")
    outcome = builtin("starter", tmp_path)
    assert outcome.files == {"fizz.py": "def fizz(): ...\n"}


THOUGHT = "<think>\n```py\nx = 0\n```\n</think>\n\n```py\nx = 1\n```\n"


def test_a_thought_is_no_part_of_the_answer(root):
    (root / "fizz.md").write_text("\ufeff" + THOUGHT, encoding="utf-8")
    completion = read(root).completion
    assert completion.text == "```py\nx = 1\n```\n"
    assert completion.reasoning == "```py\nx = 0\n```"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<think>\nnever ends", "unparsed_format"),
        ("<think>\nhm\n</think>\n", "reasoning_only"),
        (" \n", "empty_content"),
    ],
)
def test_what_is_an_error_of_a_server_is_one_here(root, text, kind):
    (root / "fizz.md").write_text(text)
    failure = read(root).failure
    assert failure.kind == kind
    assert str(root / "fizz.md") in failure.message
    assert failure.http_status is None
