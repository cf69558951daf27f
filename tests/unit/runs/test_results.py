"""A run written down as it goes, and its results worked out again from what lies there."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import answered, card, criterion, failed, header, plan, record, records, results

from pytest_llmbench.errors import StoreError
from pytest_llmbench.llm.solving import Files, Job
from pytest_llmbench.runs import report_data
from pytest_llmbench.runs.results import Recorder, load_results, make_results, to_json
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Failure, ItemRecord, Message, Usage
from pytest_llmbench.schema.keys import TurnKey
from pytest_llmbench.schema.outcome import Failed, HandedInFiles, Replied
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.schema.results import Results, RunInfo
from pytest_llmbench.store.run_dir import RunDir
from pytest_llmbench.store.trees import StoredTree

SORT = card("sort", criterion("right", 6), criterion("fast", 4, cases=("s", "m", "l")), floor=1)
PORT = card("port", criterion("builds", 15), criterion("extra", 5, "bonus"))
REQUEST = CompletionRequest(
    model="alpha", endpoint="http://127.0.0.1:1/v1", messages=(Message(role="user", content="Sort."),), epoch=1
)


def recorder(base: Path, of: Plan, *models: str) -> Recorder:
    found = Recorder(RunDir.create(base), header(*(models or ("alpha", "beta"))))
    found.planned(of)
    return found


def ended(made: Recorder, stopped_by: str = "") -> RunInfo:
    return made.header.run.model_copy(update={"finished": not stopped_by, "stopped_by": stopped_by})


# -- pure ------------------------------------------------------------------------------------------------------------

FULL = plan(SORT, PORT, models=("alpha", "beta", "gamma"), epochs=2)
OUTCOMES = st.sampled_from(["earned", "earned", "missed", "skipped", "grader", "not_reached", None])


@pytest.mark.slow
@given(st.data())
def test_results_do_not_hang_on_the_order_of_records(data):
    found = records(FULL, lambda ref: verdict and (verdict, f"{ref}") if (verdict := data.draw(OUTCOMES)) else None)
    shuffled = data.draw(st.permutations(found))
    generated = {
        key.turn(1): data.draw(st.sampled_from([answered(), failed("timeout"), failed("auth")]))
        for key in FULL.attempts()
        if data.draw(st.booleans())
    }
    shuffled_outcomes = dict(data.draw(st.permutations(list(generated.items()))))
    of = header("alpha", "beta", "gamma", stopped_by="stop")
    one, other = make_results(of, FULL, generated, found), make_results(of, FULL, shuffled_outcomes, shuffled)
    assert to_json(one) == to_json(other)
    assert len(one.attempts) == len(FULL.attempts())
    assert {row.model for row in one.leaderboard}.isdisjoint(row.model for row in one.incomplete)


def test_results_say_what_was_asked_of_which_tasks():
    found = results(FULL, records(FULL))
    assert [(t.id, t.max_points, t.fingerprint) for t in found.tasks] == [
        ("sort", 10, "f" * 64),
        ("port", 20, "f" * 64),
    ]
    assert [c["id"] for c in found.tasks[0].criteria] == ["right", "fast"]
    assert (found.run.selection.points, found.run.selection.of_points) == (30, 30)


def test_the_text_of_results_is_read_back_the_same():
    """But for lone surrogates, which are spelt out: ``tests/unit/cli/test_commands.py``."""
    hostile = plan(SORT, models=("\x1b[31m", "\u202e\N{GRINNING FACE}"))
    found = results(hostile, [record(ref, "missed", "\\udcff\n\0") for ref in hostile.items.values()])
    text = to_json(found)
    assert text.isascii()
    assert text.endswith("}\n")
    assert Results.model_validate(json.loads(text)) == found


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_json_does_not_have_is_never_written(number):
    found = results(FULL, records(FULL))
    broken = found.model_copy(update={"run": found.run.model_copy(update={"options": {"x": [number]}})})
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(broken)


def test_an_outcome_that_json_cannot_hold_leaves_room_for_its_failure(tmp_path):
    made, key = recorder(tmp_path, plan(SORT)), TurnKey("sort", "alpha", 1)
    deep = {}
    for _ in range(300):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="depth"):
        made.outcome(key, REQUEST, Replied(completion=Completion(text="x", timings=deep)))
    assert not (made.run.path / "replies").exists()
    made.outcome(key, REQUEST, Failed(failure=Failure(kind="grader", message="not kept")))
    assert load_results(made.run).attempts[0].error.message == "not kept"


def test_two_processes_may_merge_their_records():
    """Shards of one run: the records of each, in any order, give what one process would have given."""
    alpha = [r for r in records(FULL) if r.model == "alpha"]
    rest = [r for r in records(FULL) if r.model != "alpha"]
    assert results(FULL, [*rest, *alpha]) == results(FULL, records(FULL))


# -- written down ----------------------------------------------------------------------------------------------------


def test_a_reply_is_on_disk_with_what_was_asked(tmp_path):
    made = recorder(tmp_path, plan(SORT))
    key = TurnKey("sort", "alpha", 1)
    outcome = Replied(completion=Completion(text="a\r\nb", reasoning="why", usage=Usage(prompt_tokens=3), wall_s=2.0))
    made.outcome(key, REQUEST, outcome)
    assert (made.run.path / "replies/alpha/sort.1.md").read_bytes() == b"a\r\nb"
    stored = json.loads((made.run.path / "replies/alpha/sort.1.json").read_text())
    assert CompletionRequest.model_validate(stored["request"]) == REQUEST
    assert made.recall(key) == outcome


def test_the_log_of_attempts_holds_no_texts(tmp_path):
    made = recorder(tmp_path, plan(SORT))
    key = TurnKey("sort", "alpha", 1)
    made.outcome(key, REQUEST, Replied(completion=Completion(text="long text", reasoning="longer", wall_s=2.0)))
    log = (made.run.path / "attempts.jsonl").read_text()
    assert "long" not in log
    assert '"wall_s": 2.0' in log


def test_files_handed_in_make_no_reply_text(tmp_path):
    made = recorder(tmp_path, plan(SORT))
    key = TurnKey("sort", "alpha", 1)
    job = Job(key.attempt, (), ("answer.py",))
    outcome = HandedInFiles(tree=made.freeze(job, Files({"answer.py": "x = 1\n", "other.py": "y"})), solver="dir")
    made.outcome(key, None, outcome)
    assert not list(made.run.path.rglob("*.md"))
    assert made.recall(key) == outcome
    assert [file.name for file in outcome.tree.files] == ["answer.py"], "what the task asks for"
    assert dict(StoredTree(made.run, key.attempt, outcome.tree)) == {"answer.py": b"x = 1\n"}
    assert "answer.py" not in (made.run.path / "attempts.jsonl").read_text()


def test_a_failure_is_kept_with_what_the_server_sent(tmp_path):
    made = recorder(tmp_path, plan(SORT))
    key = TurnKey("sort", "alpha", 1)
    outcome = failed("invalid_response", "half \ud83d of a pair")
    made.outcome(key, REQUEST, outcome)
    assert made.recall(key) == outcome
    assert made.finish(ended(made)).attempts[0].error.message == "half \ud83d of a pair"
    assert load_results(made.run).attempts[0].error.message == "half \ud83d of a pair"


def test_nothing_to_recall_is_none(tmp_path):
    assert recorder(tmp_path, plan(SORT)).recall(TurnKey("sort", "alpha", 1)) is None


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"3", b"\xff", b"{}", b'{"outcome": {"x": 1}}'])
def test_a_damaged_outcome_is_not_recalled(tmp_path, damage):
    made = recorder(tmp_path, plan(SORT))
    key = TurnKey("sort", "alpha", 1)
    made.run.write("replies/alpha/sort.1.json", "").write_bytes(damage)
    assert made.recall(key) is None


def test_threads_may_record_side_by_side(tmp_path):
    of = plan(SORT, models=("alpha", "beta"), epochs=20)
    made = recorder(tmp_path, of)

    def work(model: str) -> None:
        for key in of.attempts():
            if key.model == model:
                made.outcome(key.turn(1), REQUEST, answered(text="x" * 1000))
        for each in records(of):
            if each.model == model:
                made.item(each)

    threads = [threading.Thread(target=work, args=(model,)) for model in ("alpha", "beta")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = made.finish(ended(made))
    assert made.trouble is None
    assert {a.status for a in found.attempts} == {"scored"}


# -- the same again from the folder ----------------------------------------------------------------------------------


def recorded(base: Path, stopped_by: str = "") -> tuple[Recorder, Results]:
    of = plan(SORT, PORT, models=("alpha", "beta"), epochs=2)
    made = recorder(base, of)
    for key in of.attempts():
        broken = (key.model, key.task) == ("beta", "port")
        made.outcome(key.turn(1), REQUEST, failed("server_error", "503") if broken else answered(2.0, "reply"))
    for each in records(of, lambda ref: "missed" if ref.case == "m" else "earned"):
        if (each.model, each.task) != ("beta", "port"):
            made.item(each)
    return made, made.finish(ended(made, stopped_by))


def test_a_stored_run_gives_the_same_results(tmp_path):
    made, found = recorded(tmp_path)
    assert made.trouble is None
    assert (made.run.path / "results.json").read_text() == to_json(found)
    assert load_results(made.run) == found
    (made.run.path / "results.json").write_text(to_json(found).replace('"rank": 1', '"rank": 7'))
    assert load_results(made.run) == found, "figures are worked out, not copied"


def test_a_killed_run_gives_what_it_has_and_says_so(tmp_path):
    made, found = recorded(tmp_path)
    (made.run.path / "results.json").unlink()
    again = load_results(made.run)
    assert again.attempts == found.attempts
    assert again.run.stopped_by.startswith("the session was killed")


def test_a_run_killed_in_the_middle_of_a_line_gives_the_rest(tmp_path):
    of = plan(SORT)
    made = recorder(tmp_path, of, "alpha")
    made.outcome(TurnKey("sort", "alpha", 1), REQUEST, answered())
    for each in records(of):
        made.item(each)
    items = made.run.path / "items.jsonl"
    items.write_bytes(items.read_bytes()[:-10])
    (attempt,) = load_results(made.run).attempts
    assert (attempt.status, attempt.reason.partition(",")[0]) == ("incomplete", "the session was killed")
    assert len([c for c in attempt.criteria if c.outcome == "earned"]) == 1


def test_a_run_killed_before_its_plan_is_empty(tmp_path):
    made = Recorder(RunDir.create(tmp_path), header("alpha"))
    found = load_results(made.run)
    assert (found.attempts, found.leaderboard, found.tasks) == ([], [], [])


def test_a_stopped_run_stays_stopped(tmp_path):
    made, _ = recorded(tmp_path, stopped_by="interrupted")
    assert load_results(made.run).run.stopped_by == "interrupted"


def test_a_later_record_wins_also_from_disk(tmp_path):
    of = plan(SORT)
    made = recorder(tmp_path, of)
    for verdict in ("grader", "earned"):
        for each in records(of, lambda ref, verdict=verdict: verdict):
            made.item(each)
    made.outcome(TurnKey("sort", "alpha", 1), REQUEST, failed("timeout"))
    made.outcome(TurnKey("sort", "alpha", 1), REQUEST, answered())
    made.finish(ended(made))
    (attempt,) = load_results(made.run).attempts
    assert (attempt.status, attempt.points) == ("scored", 10)


def test_a_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(StoreError, match=r"is not a run folder: .*run\.json is missing"):
        load_results(RunDir(tmp_path))


@pytest.mark.parametrize("name", ["run.json", "plan.json", "results.json"])
@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff", b'{"run": {"id": 1}}', b'{"tasks": 3}'])
def test_a_damaged_file_of_a_run_is_told_in_one_line(tmp_path, name, damage):
    made, _ = recorded(tmp_path)
    (made.run.path / name).write_bytes(damage)
    with pytest.raises(StoreError, match=rf"{name} is damaged: .+\. Restore the file\.$") as caught:
        load_results(made.run)
    assert "\n" not in str(caught.value)


# -- a disk that takes no more ---------------------------------------------------------------------------------------


def test_verdicts_that_cannot_be_written_stay_in_memory(tmp_path):
    of = plan(SORT)
    made = recorder(tmp_path, of, "alpha")
    made.outcome(TurnKey("sort", "alpha", 1), REQUEST, answered())
    (made.run.path / "items.jsonl").mkdir()
    for each in records(of):
        made.item(each)
    assert "cannot write" in str(made.trouble)
    found = made.finish(ended(made))
    assert [(row.model, row.total) for row in found.leaderboard] == [("alpha", 10)]
    assert found.attempts[0].wall_s == 1.0, "what could be written is used"


def test_an_outcome_that_cannot_be_written_is_an_error_of_ours(tmp_path):
    of = plan(SORT)
    made = recorder(tmp_path, of, "alpha")
    (made.run.path / "attempts.jsonl").mkdir()
    with pytest.raises(StoreError):
        made.outcome(TurnKey("sort", "alpha", 1), REQUEST, answered())
    assert "attempts.jsonl" in str(made.trouble)
    (attempt,) = made.finish(ended(made)).attempts
    assert attempt.error is not None
    assert (attempt.status, attempt.error.kind) == ("error", "grader")
    assert "cannot write" in attempt.error.message


def test_results_that_cannot_be_written_are_still_worked_out(tmp_path):
    of = plan(SORT)
    made = recorder(tmp_path, of, "alpha")
    for each in records(of):
        made.item(each)
    (made.run.path / "results.json").mkdir()
    assert [row.total for row in made.finish(ended(made)).leaderboard] == [10]
    assert "results.json" in str(made.trouble)


def test_a_log_damaged_by_others_keeps_what_came_before(tmp_path):
    of = plan(SORT, models=("alpha", "beta"))
    made = recorder(tmp_path, of)
    found = records(of)
    for each in found[:4]:
        made.item(each)
    with (made.run.path / "items.jsonl").open("a") as file:
        file.write("rubbish\n")
    for each in found[4:]:
        made.item(each)
    finished = made.finish(ended(made))
    assert "line 5 is damaged" in str(made.trouble)
    assert [a.status for a in finished.attempts] == ["scored", "not_run"]


FULL_DISK = """
import resource, sys
from pathlib import Path
from support.records import answered, card, criterion, header, plan, records
from pytest_llmbench.errors import StoreError
from pytest_llmbench.runs import report_data
from pytest_llmbench.runs.results import Recorder
from pytest_llmbench.schema.attempt import CompletionRequest
from pytest_llmbench.store.run_dir import RunDir

of = plan(card("sort", criterion("right", 6, cases=[str(n) for n in range(60)])))
made = Recorder(RunDir.create(Path(sys.argv[1])), header("alpha"))
made.planned(of)
made.outcome(of.attempts()[0].turn(1), CompletionRequest(model="m", endpoint="e", messages=(), epoch=1), answered())
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
for each in records(of):
    made.item(each)
found = made.finish(made.header.run)
print(found.leaderboard[0].total, found.leaderboard[0].avg_wall_s)
print(made.trouble)
"""


def test_a_disk_that_fills_up_costs_no_verdict(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    score, trouble = done.stdout.splitlines()
    assert score == "6.0 1.0"
    assert "items.jsonl" in trouble
    assert "Make space or make it writable" in trouble


def test_a_header_that_cannot_be_written_is_told(tmp_path):
    run = RunDir.create(tmp_path)
    (run.path / "run.json").mkdir()
    with pytest.raises(StoreError, match=r"cannot write .*run\.json"):
        Recorder(run, header("alpha"))


def test_a_record_of_the_wrong_task_is_no_harm(tmp_path):
    made = recorder(tmp_path, plan(SORT))
    made.item(ItemRecord(task="other", model="alpha", epoch=1, point="p", outcome="earned"))
    assert [a.task for a in made.finish(ended(made)).attempts] == ["sort"]


def test_a_report_shows_as_much_of_a_tree_as_a_page_can_hold(tmp_path, monkeypatch):
    made, key = recorder(tmp_path, plan(SORT)), TurnKey("sort", "alpha", 1)
    files = Files({f"{number}.py": f"x = {number}" for number in range(9)})
    tree = made.freeze(Job(key.attempt, ()), files)
    (made.run.path / "files/alpha/sort.1/1.py.reply").write_text("y = 1")
    monkeypatch.setattr(report_data, "_SHOWN_FILES", 3)
    shown = report_data.frozen_files(made.run, key.attempt, tree)
    assert (shown["0.py"], list(shown)) == ("x = 0", ["0.py", "1.py", "2.py", "(6 more)"])
    assert "its digest differs" in shown["1.py"]
    assert shown["(6 more)"] == "6 more files, 45 bytes in all, are not shown."
