"""A run folder that somebody sent: nothing outside it is read or written, nothing in it ends a command badly."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.hostile_runs import (
    DAMAGED,
    NAMES,
    NOT_PLAIN,
    SECRET,
    copied,
    files_of_reply,
    plain_run,
    put,
    reply,
    tree,
)

from pytest_llmbench.attempts.submission import keep_files
from pytest_llmbench.cli.main import main
from pytest_llmbench.errors import HarnessError, StoreError
from pytest_llmbench.runs.report_data import write_html
from pytest_llmbench.runs.results import load_results, read_header
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, ItemRecord
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.store.completions import CompletionStore
from pytest_llmbench.store.guard import GUARDS, is_guard
from pytest_llmbench.store.records import RecordLog
from pytest_llmbench.store.run_dir import RunDir
from pytest_llmbench.toolchains.caches.store import VARIABLE, Entry

MOST_S, MOST_BYTES = 20, 3 * 2**30


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return plain_run(tmp_path_factory.mktemp("made") / ".llmbench")


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """Folder of somebody's files."""
    folder = tmp_path / "victim"
    folder.mkdir()
    (folder / "id_rsa").write_text(SECRET)
    (folder / "conftest.py").write_text(f"raise SystemExit({SECRET!r})")
    return folder


@pytest.fixture
def shared(pristine: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    """A copy that a test spoils, seen from a project of its own."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return copied(pristine, tmp_path / "shared")


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """A command that waits for ever, or takes all memory, fails its test alone."""

    def too_long(_number: int, _frame: object) -> None:
        raise TimeoutError(f"no end within {MOST_S} s of CPU, or {4 * MOST_S} s")

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES if soft == resource.RLIM_INFINITY else soft, hard))
    before = {number: signal.signal(number, too_long) for number in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, MOST_S)
    signal.alarm(4 * MOST_S)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.alarm(0)
    for number, handler in before.items():
        signal.signal(number, handler)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


READS = {
    "report": {"results.json"},
    "report --analysis": {"results.json"},
    "report --json": {"results.json"},
    "report --html report.html": {"results.json", "plan.json", "items.jsonl", "a reply", "files"},
    "show js-sse/qwen3-coder-3b-a": {"results.json", "plan.json", "items.jsonl", "a reply", "files"},
    "compare": {"results.json"},
    "leaderboard": {"results.json"},
    "query": {"results.json"},
    "merge": {*NAMES, "a reply", "files"},
    "report --write": {*NAMES},
}
"""Every command that reads a run, and what it reads of it."""


def commands(run: RunDir, other: RunDir, place: str = "") -> list[list[str]]:
    """Those that read something of that kind; without any, all of them."""
    made = []
    for words, reads in READS.items():
        command, *more = words.split()
        before = {"compare": [other.path], "merge": [other.path], "query": ["select count(*) from attempts", "--runs"]}
        where = before.get(command, [])
        if not place or place in reads:
            made.append([command, *(more if command == "show" else ()), *map(str, where), str(run.path)])
            made[-1] += more if command == "report" else []
    return made


def tried(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command says; it ends with a status of its own and shows nothing of anybody else's."""
    assert main(command) in (0, 1, 2), command
    said = capsys.readouterr()
    report = Path("report.html")
    text = said.out + said.err + (report.read_text() if report.exists() else "")
    assert SECRET not in text, command
    assert "Traceback" not in text
    return said.err


# -- what lies in the place of a file --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place", [(name, how) for name in (*NAMES, "a reply") for how in (*NOT_PLAIN, *DAMAGED)], ids=" ".join
)
def test_no_place_leads_anywhere(
    pristine: RunDir, shared: RunDir, victim: Path, place: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    name, how = place
    before = tree(victim)
    put(reply(shared) if name == "a reply" else shared.path / name, (NOT_PLAIN | DAMAGED)[how], victim / "id_rsa")
    told = {command[0]: tried(command, capsys) for command in commands(shared, pristine, name)}
    assert tree(victim) == before
    # All of it is read by this one; only a log may be empty.
    assert told["merge"].startswith("llmbench: ") or (how == "nothing" and name.endswith(".jsonl")), told


@pytest.mark.parametrize("where", ["replies", "files", "replies of a model", "files of a model", "files of an attempt"])
def test_no_folder_leads_anywhere(
    pristine: RunDir, shared: RunDir, victim: Path, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = {
        "replies": shared.path / "replies",
        "files": shared.path / "files",
        "replies of a model": reply(shared).parent,
        "files of a model": files_of_reply(shared).parent,
        "files of an attempt": files_of_reply(shared),
    }[where]
    attempt = victim / files_of_reply(shared).name
    put(folder, NOT_PLAIN["link"], victim)
    attempt.mkdir()
    (attempt / "kept").write_text(SECRET)
    before = tree(victim)
    for command in commands(shared, pristine, "files"):
        tried(command, capsys)
    for command in (["merge", str(pristine.path), str(shared.path)], ["merge", str(shared.path)]):
        tried(command, capsys)
    assert tree(victim) == before


@pytest.mark.parametrize("how", NOT_PLAIN)
def test_what_lies_among_the_files_is_passed_over(
    pristine: RunDir, shared: RunDir, victim: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    NOT_PLAIN[how](files_of_reply(shared) / "more.py", victim / "id_rsa")
    before = tree(victim)
    for command in commands(shared, pristine, "files"):
        tried(command, capsys)
    assert tree(victim) == before


def test_a_damaged_reply_costs_its_attempt_alone_and_is_told(
    shared: RunDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of = reply(shared)
    of.write_text("{")
    assert main(["merge", str(shared.path), "--json"]) == 0
    said = capsys.readouterr()
    merged = json.loads(said.out)
    assert "not copied" in said.err
    assert of.name in said.err
    assert len(merged["results"]["attempts"]) == 4
    replies = [path.name for path in Path(merged["run"], "replies").rglob("*.json")]
    assert len(replies) == len(list((shared.path / "replies").rglob("*.json"))) - 1
    assert (
        main(["show", f"{of.name.partition('.')[0]}/{of.parent.name}/{of.name.split('.')[1]}", str(shared.path)]) == 0
    )
    write_html(shared, load_results(shared), tmp_path / "r")


# -- merging ---------------------------------------------------------------------------------------------------------


def test_merging_writes_through_no_link_of_another_part(
    pristine: RunDir, shared: RunDir, victim: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case: a link in one part, and below it in the other the file to be written."""
    other = copied(pristine, tmp_path / "other")
    (shared.path / "files" / "x").symlink_to(victim)
    (other.path / "files" / "x").mkdir()
    (other.path / "files" / "x" / "conftest.py").write_text("print('written through a link')")
    before = tree(victim)
    said = tried(["merge", str(shared.path), str(other.path)], capsys)
    assert tree(victim) == before, said
    (merged,) = Path(".llmbench/runs").iterdir()
    assert not (merged / "files" / "x").exists()
    assert not [path for path in merged.rglob("*") if path.is_symlink()]
    assert list(merged.rglob("conftest.py*")) == [merged / "conftest.py"], "the one that keeps pytest out"
    assert is_guard(merged, "conftest.py")


def test_merging_takes_over_what_records_speak_of(
    pristine: RunDir, shared: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    (shared.path / "conftest.py").write_text("raise SystemExit")
    (files_of_reply(shared) / "conftest.py").write_text("raise SystemExit")
    (shared.path / "replies" / "stranger").mkdir()
    (shared.path / "replies" / "stranger" / "x.1.md").write_text("nobody's")
    assert main(["merge", str(shared.path)]) == 0
    (merged,) = Path(".llmbench/runs").iterdir()
    expected = {name for name in tree(pristine.path) if not name.endswith(".before")}
    assert {name.removesuffix(".reply") for name in tree(merged)} - GUARDS.keys() == expected
    assert all(is_guard(merged, name) for name in GUARDS)


HOSTILE_NAMES = [
    "../../../escaped", "/tmp/escaped", "a/../../escaped", "*", "?", "[a-z]", "a,b", "a=b", "--help", "-p", "a\nb",
    "a\0b", "~", "$(touch escaped)", "'; drop table files; --", "{0.__class__}", "%s%n", "\ud800", "", ".", "..",
    "x" * 5000, "a\x1b[31mb", "CON", "é" * 300,
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name)[:20])
def test_no_name_in_a_record_becomes_a_path_or_a_pattern(
    pristine: RunDir, shared: RunDir, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """All records speak of a model and of a task of that name."""
    for old in (read_header(shared).models[0].name, "js-sse"):
        for each in NAMES:
            path = shared.path / each
            path.write_text(path.read_text().replace(json.dumps(old), json.dumps(name)))
    before = tree(tmp_path)
    for command in commands(shared, pristine):
        tried(command, capsys)
    changed = set(tree(tmp_path)) - set(before)
    assert all(path.startswith(("project/.llmbench", "project/report.html")) for path in changed), changed
    assert not Path("/tmp/escaped").exists()


# -- names of run folders --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["*", "**", "?", "[ab]", "a'b", "a,b", "a\nb", "-x", "{a,b}", os.fsdecode(b"\xff")], ids=ascii
)
def test_a_query_counts_every_run_once(
    pristine: RunDir, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for each in ("honest", "b", name):
        copied(pristine, tmp_path / "runs" / each)
    assert main(["query", "select count(*) as n from runs", "--runs", str(tmp_path / "runs"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 3}]


# -- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["link", "hard link", "FIFO", "link to /dev/zero"])
@pytest.mark.parametrize("name", ["items.jsonl", "attempts.jsonl"])
def test_nothing_is_appended_to_what_is_not_the_runs(shared: RunDir, victim: Path, name: str, how: str) -> None:
    bashrc = victim / "bashrc"
    bashrc.write_text("export A=1\nalias x=y")
    put(shared.path / name, NOT_PLAIN[how], bashrc)
    log = RecordLog(shared.path / name, ItemRecord)
    with pytest.raises(StoreError, match="cannot write"):
        log.append(ItemRecord(task="t", model="m", epoch=1, point="p", outcome="earned"))
    with pytest.raises(StoreError, match="cannot read"):
        list(log.read())
    assert bashrc.read_text() == "export A=1\nalias x=y"


KEY = AttemptKey("t", "m", 1)
WRITES: dict[str, Callable[[RunDir], object]] = {
    "results.json": lambda run: run.write("results.json", "{}"),
    "replies": lambda run: run.write(f"{run.reply_stem(KEY.turn(1))}.md", "text"),
    "replies/m": lambda run: run.write(f"{run.reply_stem(KEY.turn(1))}.md", "text"),
    "files": lambda run: keep_files(run, KEY, {"conftest.py": "evil"}),
    "files/m": lambda run: keep_files(run, KEY, {"conftest.py": "evil"}),
    "files/m/t.1": lambda run: keep_files(run, KEY, {"conftest.py": "evil"}),
}


@pytest.mark.parametrize("name", WRITES)
def test_nothing_is_written_through_a_link(shared: RunDir, victim: Path, name: str) -> None:
    place = shared.path / name
    place.parent.mkdir(exist_ok=True, parents=True)
    if place.exists():
        put(place, NOT_PLAIN["link"], victim if place.is_dir() else victim / "id_rsa")
    else:
        place.symlink_to(victim)
    before = tree(victim)
    if name == "results.json":
        WRITES[name](shared)  # the link is replaced by a file
        assert not place.is_symlink()
    else:
        with pytest.raises(StoreError, match="a link, which is not followed"):
            WRITES[name](shared)
    assert tree(victim) == before


# -- the folder of runs ----------------------------------------------------------------------------------------------


def test_a_projects_gitignore_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("build/\n")
    RunDir.create(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "build/\n"


def test_a_project_without_one_gets_none_that_hides_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("")
    RunDir.create(tmp_path)
    assert not (tmp_path / ".gitignore").exists()


@pytest.mark.parametrize("name", [".llmbench", ".llmbench/runs"])
def test_a_link_in_the_place_of_the_folder_of_runs_is_not_followed(tmp_path: Path, victim: Path, name: str) -> None:
    place = tmp_path / name
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(victim)
    before = tree(victim)
    with pytest.raises(StoreError, match="a link, which is not followed"):
        RunDir.create(tmp_path / ".llmbench")
    assert tree(victim) == before


def test_a_gitignore_that_is_a_link_leads_to_no_new_file(tmp_path: Path, victim: Path) -> None:
    (tmp_path / ".gitignore").symlink_to(victim / "new")
    before = tree(victim)
    RunDir.create(tmp_path)
    assert tree(victim) == before


REQUEST = CompletionRequest(model="m", endpoint="e", messages=(), epoch=1)


@pytest.mark.parametrize("part", ["completions", "completions/ab"])
def test_stored_replies_are_kept_and_looked_for_behind_no_link(tmp_path: Path, victim: Path, part: str) -> None:
    fingerprint = REQUEST.fingerprint()
    place = tmp_path / part.replace("ab", fingerprint[:2])
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(victim)
    before = tree(victim)
    store = CompletionStore(tmp_path / "completions")
    with pytest.raises(StoreError, match="a link, which is not followed"):
        store.save(REQUEST, Completion(text="x"))
    assert store.load(REQUEST) is None
    assert store.models() == store.requests() == []
    assert all("a link, which is not followed" in why for why in store.damaged.values())
    assert store.damaged
    assert tree(victim) == before


@pytest.mark.parametrize("how", [*NOT_PLAIN, *(how for how in DAMAGED if how != "texts for numbers")])
def test_a_stored_reply_that_is_no_plain_file_counts_as_none_and_is_noted(
    tmp_path: Path, victim: Path, how: str
) -> None:
    store = CompletionStore(tmp_path / "completions")
    store.save(REQUEST, Completion(text="x"))
    (path,) = (tmp_path / "completions").rglob("*.json")
    put(path, (NOT_PLAIN | DAMAGED)[how], victim / "id_rsa")
    assert store.load(REQUEST) is None
    assert store.stored_by(REQUEST) is None or how in DAMAGED
    assert store.requests() == [] or how in DAMAGED
    assert len(store.damaged) == 1
    assert len(store.models()) <= 1


@pytest.mark.parametrize("how", ["folder", "link", "file"])
def test_what_is_called_latest_and_is_not_ours_stays(tmp_path: Path, victim: Path, how: str) -> None:
    place = tmp_path / "latest"
    if how == "file":
        place.write_text("mine")
    else:
        NOT_PLAIN[how](place, victim / "id_rsa")
    before = tree(tmp_path)
    with pytest.raises(StoreError, match="that is not ours is in its place"):
        RunDir.create(tmp_path)
    assert before.items() <= tree(tmp_path).items()


def test_latest_leads_to_runs_alone(shared: RunDir, tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "runs").mkdir(parents=True)
    (base / "latest").symlink_to(shared.path)
    with pytest.raises(StoreError, match="no run 'latest'"):
        RunDir.open(base, "latest")


def test_a_lock_of_a_cache_empties_nothing(victim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / "go-1.lock").symlink_to(victim / "id_rsa")
    with pytest.raises(HarnessError, match="a link, which is not followed"):
        Entry("go-1").make(lambda folder: None)
    os.link(victim / "id_rsa", tmp_path / "go-2.lock")
    with pytest.raises(HarnessError, match="a hard link"):
        Entry("go-2").make(lambda folder: None)
    assert (victim / "id_rsa").read_text() == SECRET
