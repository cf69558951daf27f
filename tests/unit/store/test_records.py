"""Append-only records: whole lines, torn ends, damage and a full disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.errors import StoreError
from pytest_llmbench.schema.attempt import Completion, Failure, ItemRecord, Usage
from pytest_llmbench.schema.outcome import Failed, OutcomeRecord
from pytest_llmbench.store.records import RecordLog


def item(point: str, **more) -> ItemRecord:
    return ItemRecord.model_validate(
        {"task": "t", "model": "m", "epoch": 1, "point": point, "outcome": "earned"} | more
    )


@pytest.fixture
def log(tmp_path) -> RecordLog[ItemRecord]:
    return RecordLog(tmp_path / "items.jsonl", ItemRecord)


def test_records_come_back_in_order_of_writing(log):
    written = [item("b", case="x", message="a\nb"), item("a", outcome="missed", labels=("no_code",), duration_s=0.5)]
    for each in written:
        log.append(each)
    assert list(log.read()) == written
    assert log.path.read_bytes().count(b"\n") == 2


def test_a_log_that_was_never_written_is_empty(log):
    assert list(log.read()) == []


def test_a_log_that_was_removed_is_begun_again(log):
    log.append(item("a"))
    log.path.unlink()
    log.append(item("b"))
    log.append(item("c"))
    assert [each.point for each in log.read()] == ["b", "c"]


def test_a_log_whose_folder_was_removed_writes_into_no_other_file(tmp_path):
    """The number of the file that was closed is the next one's."""
    log = RecordLog(tmp_path / "run" / "items.jsonl", ItemRecord)
    log.path.parent.mkdir()
    log.append(item("a"))
    shutil.rmtree(log.path.parent)
    with pytest.raises(StoreError, match="No such file or directory"):
        log.append(item("b"))
    with (tmp_path / "other").open("wb"), pytest.raises(StoreError, match="No such file or directory"):
        log.append(item("c"))
    assert (tmp_path / "other").read_bytes() == b""
    log.path.parent.mkdir()
    log.append(item("d"))
    assert [each.point for each in log.read()] == ["d"]


def test_a_log_closes_its_file(log):
    def held() -> list[str]:
        links = [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        return [target for target in map(os.readlink, links) if target.startswith(str(log.path))]

    log.append(item("a"))
    log.path.unlink()
    log.append(item("b"))
    assert len(held()) == 1
    other = RecordLog(log.path, ItemRecord)
    other.append(item("c"))
    assert len(held()) == 2
    del other
    assert len(held()) == 1


def test_records_are_there_the_moment_they_are_appended(log):
    log.append(item("a"))
    assert [each.point for each in RecordLog(log.path, ItemRecord).read()] == ["a"]


def test_threads_do_not_tear_each_others_lines(log):
    def append(name: str) -> None:
        for number in range(50):
            log.append(item(f"{name}{number}", message=name * 3000))

    threads = [threading.Thread(target=append, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(log.read())) == 200


def test_threads_that_open_a_log_at_once_lose_no_record(tmp_path):
    """The first append looks for a line torn by a kill: nobody else's new line may be taken for one, or cut off."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(50):
            log = RecordLog(tmp_path / f"{number}.jsonl", ItemRecord)
            start = threading.Barrier(4)

            def append(name: str, log=log, start=start) -> None:
                start.wait()
                log.append(item(name, message=name * 3000))

            threads = [threading.Thread(target=append, args=(name,)) for name in "abcd"]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(each.point for each in log.read()) == list("abcd")
    finally:
        sys.setswitchinterval(before)


TEXTS = st.text(st.characters(exclude_categories=()), max_size=50)


@given(message=TEXTS, model=TEXTS)
def test_any_text_survives(tmp_path_factory, message, model):
    """Replies of a server may hold line separators, NUL and lone halves of surrogate pairs."""
    log = RecordLog(tmp_path_factory.mktemp("log") / "items.jsonl", ItemRecord)
    log.append(item("a", message=message, model=model))
    assert [(each.message, each.model) for each in log.read()] == [(message, model)]


def test_an_outcome_survives_with_all_its_parts(tmp_path):
    log = RecordLog(tmp_path / "attempts.jsonl", OutcomeRecord)
    completion = Completion(
        text="", usage=Usage(prompt_tokens=3), timings={"predicted_ms": 2.5, "n": [1, None]}, wall_s=1.5
    )
    failure = Failure(kind="truncated", message="cut off", http_status=200, body="\ud800", stops_model=True)
    written = OutcomeRecord(task="t", model="m", epoch=2, outcome=Failed(completion=completion, failure=failure))
    log.append(written)
    assert list(log.read()) == [written]


# -- torn and damaged lines ------------------------------------------------------------------------------------------


def cut(log: RecordLog[ItemRecord], count: int) -> None:
    """Take bytes off the end, as a power cut does."""
    data = log.path.read_bytes()
    log.path.write_bytes(data[: len(data) - count])


@pytest.mark.parametrize("count", [1, 2, 30])
def test_a_torn_last_line_is_passed_over(log, count):
    for name in "abc":
        log.append(item(name))
    cut(log, count)
    assert [each.point for each in log.read()] == ["a", "b"]


def test_a_log_of_one_torn_line_is_empty(log):
    log.append(item("a"))
    cut(log, 5)
    assert list(log.read()) == []


def test_records_after_a_torn_line_are_whole(log):
    """A run that was killed goes on in the same file."""
    for name in "ab":
        log.append(item(name))
    cut(log, 4)
    again = RecordLog(log.path, ItemRecord)
    for name in "cd":
        again.append(item(name))
    assert [each.point for each in again.read()] == ["a", "c", "d"]


@pytest.mark.parametrize(
    "line",
    [b"{", b"", b"null", b"[]", b"\xff\xfe", b'{"task": "t"}', b'{"a": 1}', b"\0\0\0", b'{"task": "t",,}'],
)
def test_a_damaged_line_in_the_middle_is_told_with_its_number(log, line):
    for name in "ab":
        log.append(item(name))
    first, second, _ = log.path.read_bytes().split(b"\n")
    log.path.write_bytes(b"\n".join([first, line, second, b""]))
    found = log.read()
    assert next(found).point == "a"
    with pytest.raises(StoreError, match=r"items\.jsonl, line 2 is damaged: .+\. Restore the file\.$") as caught:
        next(found)
    assert "\n" not in str(caught.value)


# -- places that cannot be read or written ---------------------------------------------------------------------------


def test_a_folder_in_the_place_of_the_log_is_told(log):
    log.path.mkdir()
    with pytest.raises(StoreError, match=r"cannot write .*items\.jsonl: not a regular file\. Make space"):
        log.append(item("a"))
    with pytest.raises(StoreError, match=r"cannot read .*items\.jsonl: not a regular file"):
        list(log.read())


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(StoreError, match=r"cannot write .*items\.jsonl: No such file or directory"):
        RecordLog(tmp_path / "gone" / "items.jsonl", ItemRecord).append(item("a"))


FULL_DISK = """
import resource, sys
from pathlib import Path
from pytest_llmbench.errors import StoreError
from pytest_llmbench.schema.attempt import ItemRecord
from pytest_llmbench.store.records import RecordLog

log = RecordLog(Path(sys.argv[1]), ItemRecord)

def append(point, size):
    log.append(ItemRecord(task="t", model="m", epoch=1, point=point, outcome="missed", message="x" * size))

append("a", 100)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
for point in "bc":
    try:
        append(point, 2000)
    except StoreError as error:
        print(error)
append("d", 10)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
append("e", 10)
"""


def test_a_disk_that_fills_up_in_the_middle_of_a_line_spoils_nothing(log):
    """The kernel takes the part of a line that fits and says so only by its count."""
    command = [sys.executable, "-c", FULL_DISK, str(log.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("cannot write") == done.stdout.count("Make space or make it writable") == 2
    assert [each.point for each in log.read()] == ["a", "d", "e"]


def test_the_log_lies_where_it_was_told(tmp_path):
    assert RecordLog(tmp_path / "x.jsonl", ItemRecord).path == Path(tmp_path / "x.jsonl")
