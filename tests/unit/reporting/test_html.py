"""The report as text: what it holds, what it cuts, and that nothing in it can act."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
import shutil
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import answered, card, criterion, failed, plan, record, results
from support.synthetic import HOSTILE, synthetic_run

from pytest_llmbench.errors import StoreError
from pytest_llmbench.reporting.html.details import MOST_CHARACTERS, AttemptEvidence, Turn, pack_attempt
from pytest_llmbench.reporting.html.diff import MOST_LINES, MOST_SHOWN, file_changes
from pytest_llmbench.reporting.html.figures import level, seconds, usd
from pytest_llmbench.reporting.html.heat import heat_rows
from pytest_llmbench.reporting.html.page import ROOM, pieces
from pytest_llmbench.reporting.html.text import all_shown, cut, json_block, link, packed, shown
from pytest_llmbench.reporting.html.troubles import troubles
from pytest_llmbench.runs.report_data import gather, write_html
from pytest_llmbench.runs.results import load_results
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.store.run_dir import RunDir

BLOCK = re.compile(r'<script type="application/json" id="([a-z0-9-]+)">(.*?)</script>', re.DOTALL)


def unpacked(text: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(text)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return synthetic_run(tmp_path_factory.mktemp("run"), models=6, tasks=2, epochs=2)[0]


@pytest.fixture(scope="module")
def text(run: RunDir, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "below" / "report.html"
    write_html(run, load_results(run), path)
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def blocks(text: str) -> dict[str, Any]:
    return {name: json.loads(content) for name, content in BLOCK.findall(text)}


# -- the file --------------------------------------------------------------------------------------------------------


def test_one_run_folder_gives_one_text(run, text, tmp_path):
    moved = tmp_path / "runs" / run.id
    shutil.copytree(run.path, moved)
    write_html(RunDir(run.path), load_results(run), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == text


def test_nothing_but_its_own_scripts_and_styles_is_allowed(text):
    policy = html.unescape(re.search(r'Content-Security-Policy" content="(.*?)"', text).group(1))
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    inline = {kind: re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL) for kind in ("script", "style")}
    assert {kind: len(found) for kind, found in inline.items()} == {"script": 2, "style": 1}
    for kind, found in inline.items():
        hashes = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in found]
        assert rules[f"{kind}-src"] == " ".join(f"'sha256-{digest}'" for digest in hashes)


def test_nothing_is_loaded_from_anywhere(text):
    without_blocks = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)
    assert not re.findall(
        r"<(?:link|img|iframe|object|embed|base|form)\b|\ssrc=|\sstyle=|\son[a-z]+=\"", without_blocks
    )
    assert {address[:1] for address in re.findall(r'<a [^>]*href="(.*?)"', without_blocks)} == {"#"}


def test_hostile_texts_are_data(text, blocks):
    scripts = re.findall(r"<script[^>]*>", text)
    assert len(scripts) == len(blocks) + 2
    assert "window.hacked = 1" not in text, "all of it is packed"
    assert '<b onclick="window' not in text
    assert "&lt;b onclick=" in text
    hostile = next(n for n, each in enumerate(blocks["data"]["attempts"]) if "evil" in each["model"])
    page = unpacked(blocks[f"attempt-{hostile}"])
    assert "</script><script>window.hacked = 3</script>" in page["turns"][0]["reply"]
    assert not {c for c in text if c != "\n" and not c.isprintable()}


def test_every_attempt_has_a_page_that_says_what_the_folder_has(run, blocks):
    attempts = load_results(run).attempts
    assert [each["link"] for each in blocks["data"]["attempts"]] == [
        link(AttemptKey(each.task, each.model, each.epoch)) for each in attempts
    ]
    for number, attempt in enumerate(attempts):
        page = unpacked(blocks[f"attempt-{number}"])
        assert page["status"] == attempt.status
        assert [point["id"] for point in page["points"]] == [point.id for point in attempt.criteria]
        stem = run.reply_stem(TurnKey(attempt.task, attempt.model, attempt.epoch))
        assert page["where"] == f"{stem}.json"
        if attempt.status == "scored":
            said = (run.path / f"{stem}.md").read_text(encoding="utf-8", errors="surrogatepass")
            assert page["turns"][0]["reply"].startswith(shown(said)[:200])
            missed = [case for point in page["points"] for case in point["cases"] if case["outcome"] == "missed"]
            assert all("last command: node" in case["evidence"] and case["message"] for case in missed)
            assert page["files"][0]["state"].startswith("changed: ")
            module = f"tasks/six/test_{attempt.task}.py"
            plain = not set(attempt.model) & set("=,")
            assert page["again"].startswith(f"pytest {module} " if plain else "llmbench regrade "), page["again"]
            assert module in page["again"]
        else:
            assert page["error"].startswith(f"{attempt.error.kind}: ")
            assert page["files"] == []


def test_the_prompt_is_kept_once_for_a_task(run, blocks):
    prompts = json.loads((run.path / "plan.json").read_text())["tasks"]
    assert unpacked(blocks["task-0"])["messages"][0]["text"] == prompts[0]["messages"][0]["content"]
    assert "task-2" not in blocks


@pytest.mark.slow
def test_memory_does_not_grow_with_the_run(tmp_path):
    """What is held is one attempt, however many there are."""
    peaks = []
    for epochs in (1, 6):
        made, found = synthetic_run(tmp_path / str(epochs), models=4, tasks=2, epochs=epochs, size=4)
        tracemalloc.start()
        for _ in gather(made, found, Plan.model_validate_json((made.path / "plan.json").read_text())):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


def test_a_place_that_cannot_be_written_is_said(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write the report .*report\.html: "):
        write_html(run, load_results(run), tmp_path / "file" / "report.html")


def test_an_old_report_stays_when_a_new_one_fails(run, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def breaks(*_: object) -> Any:
        yield "<!DOCTYPE html>"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pytest_llmbench.runs.report_data.pieces", breaks)
    with pytest.raises(StoreError, match="No space left"):
        write_html(run, load_results(run), path)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("report.html", "old")]


def test_a_killed_run_is_reported_as_far_as_it_got(tmp_path):
    made, _ = synthetic_run(tmp_path, models=2, tasks=1, epochs=1)
    (made.path / "results.json").unlink()
    with (made.path / "items.jsonl").open("ab") as file:
        file.write(b'{"task": "js-s')
    write_html(made, load_results(made), tmp_path / "report.html")
    assert "stopped before the end: the session was killed" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"task": 3}', b"\xff"])
def test_damaged_records_are_said(tmp_path, line):
    made, found = synthetic_run(tmp_path, models=1, tasks=1, epochs=1, hostile=False)
    with (made.path / "items.jsonl").open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(StoreError, match=r"items\.jsonl, line \d+ is damaged: "):
        write_html(made, found, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_point_graded_twice_counts_once(tmp_path):
    made, found = synthetic_run(tmp_path, models=1, tasks=1, epochs=1, hostile=False)
    first = (made.path / "items.jsonl").read_text().splitlines()[0]
    again = {**json.loads(first), "outcome": "missed", "message": "the later one"}
    with (made.path / "items.jsonl").open("a") as file:
        file.write(json.dumps(again) + "\n")
    ((_, evidence),) = gather(made, found, Plan())
    said = [item.message for item in evidence.items if item.point == again["point"]]
    assert said == ["the later one"]


def test_links_out_of_the_run_folder_are_not_followed(tmp_path):
    made, found = synthetic_run(tmp_path, models=1, tasks=1, epochs=1, hostile=False)
    (tmp_path / "secret").write_text("key")
    folder = made.files_dir(AttemptKey(*[getattr(found.attempts[0], name) for name in ("task", "model", "epoch")]))
    (folder / "stolen").symlink_to(tmp_path / "secret")
    ((_, evidence),) = gather(made, found, Plan())
    assert list(evidence.files) == ["answer.js"]


# -- runs of every kind ----------------------------------------------------------------------------------------------

SORT = card("sort", criterion("right", 6), criterion("fast", 4, cases=("s", "m")), criterion("neat", 1, "bonus"))


def page_of(found: Any, of: Plan) -> str:
    return "".join(pieces(found, of.tasks, [(each, AttemptEvidence()) for each in found.attempts]))


def test_incomplete_models_stand_apart_with_a_plus():
    port = card("port", criterion("builds", 5))
    of = plan(SORT, port, models=("alpha", "beta"))
    outcomes = {AttemptKey("port", "beta", 1): failed("timeout", "no <reply>")}
    verdicts = [record(ref) for ref in of.items.values() if (ref.model, ref.task) != ("beta", "port")]
    text = page_of(results(of, verdicts, outcomes), of)
    ranked, _, rest = text.partition("Incomplete, not ranked")
    assert "16 / 16" in ranked
    assert "11+ / 16" in rest.partition("</table>")[0]
    assert "beta" not in ranked.partition("<main")[2]
    assert "no &lt;reply&gt;" in rest


def test_a_run_without_anything_is_a_page_too():
    of = plan()
    assert "Every attempt was scored" in page_of(results(of, []), of)


def test_a_cell_says_why_there_is_no_figure():
    of = plan(SORT, models=("alpha", "beta", "gamma"))
    keys = of.attempts()
    outcomes = {keys[0]: failed("rate_limited"), keys[1]: answered()}
    verdicts = [record(ref) for ref in of.items.values() if ref.model == "beta" and ref.point == "right"]
    found = results(of, verdicts, outcomes, stopped_by="Ctrl-C")
    cells = {row.model: row.cells[0] for row in heat_rows(found)}
    assert (cells["alpha"].text, cells["alpha"].shade) == ("rate limited", "none")
    assert cells["beta"].text == "6+"
    assert cells["gamma"].text == "not run"
    assert {each.status for each in troubles(found)} == {"error", "incomplete", "not run"}


def test_points_of_one_epoch_and_of_several():
    one = plan(SORT, models=("alpha",))
    verdicts = [
        record(ref, "missed" if ref.case == "m" or ref.point == "neat" else "earned") for ref in one.items.values()
    ]
    ((cell,),) = [row.cells for row in heat_rows(results(one, verdicts))]
    assert [text for text, _, _ in cell.points] == ["\u2713 6", "\u25d0 2", "\u00b7 0"]
    three = plan(SORT, models=("alpha",), epochs=3)
    verdicts = [record(ref, "missed" if ref.epoch == 2 else "earned") for ref in three.items.values()]
    ((cell,),) = [row.cells for row in heat_rows(results(three, verdicts))]
    assert [text for text, _, _ in cell.points] == ["2/3"] * 3
    assert [each.epoch for each in cell.epochs] == [1, 2, 3]


# -- cuts ------------------------------------------------------------------------------------------------------------


def test_a_long_attempt_is_cut_to_its_share_and_says_so():
    of = plan(SORT)
    found = results(of, [record(ref) for ref in of.items.values()]).attempts[0]
    noise = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(4000))
    files = {"answer.py": "\n".join(re.findall(".{80}", noise))}
    evidence = AttemptEvidence(turns=[Turn(noise, reasoning=noise)], files=files)
    whole = unpacked(pack_attempt(found, SORT, evidence, ROOM))
    assert len(whole["turns"][0]["reply"]) == MOST_CHARACTERS
    text = pack_attempt(found, SORT, evidence, 20_000)
    assert 10_000 < len(text) <= 20_000
    page = unpacked(text)
    (turn,), (file,) = page["turns"], page["files"]
    said = f"cut here: the first {len(turn['reply']):,} of {len(noise):,} characters are shown"
    assert turn["replyCut"] == turn["reasoningCut"] == said
    assert file["cut"].startswith(f"cut here: the first {len(file['lines']):,} of ")


def test_short_texts_are_not_cut():
    assert cut("abc", 3) == ("abc", "")
    assert cut("abcd", 3) == ("abc", "cut here: the first 3 of 4 characters are shown")


# -- texts -----------------------------------------------------------------------------------------------------------


@given(st.text(st.characters(), max_size=60) | st.sampled_from([HOSTILE, "\ud83d", "\u2028", "</script>", "<!--"]))
def test_any_text_stands_in_a_block_and_comes_out_as_it_was(value):
    block = json_block({"x": [value]})
    assert block.isascii()
    assert not set("<>&") & set(block)
    assert json.loads(block) == {"x": [value]}
    assert unpacked(packed(value)) == value
    assert all_shown({value: (value, 1)}) == {shown(value): [shown(value), 1]}


@given(*[st.text(st.characters(), max_size=20)] * 2, st.integers(1, 9))
def test_links_tell_attempts_apart(task, model, epoch):
    found = link(AttemptKey(task, model, epoch))
    assert re.fullmatch(r"#attempt=[\w.~%-]*/[\w.~%-]*/\d", found, re.ASCII)
    assert found != link(AttemptKey(task, f"{model}/", epoch))
    assert found != link(AttemptKey(f"{task}/{model}", "", epoch))


# -- files -----------------------------------------------------------------------------------------------------------


def test_files_beside_the_starter():
    starter = {"same.py": "a\n", "changed.py": "a\nb\nc\n", "end.py": "a\n", "gone.py": "x\n"}
    handed_in = {"same.py": "a\n", "changed.py": "a\nB\nc\n", "end.py": "a", "new.py": "n\r\n", "extra.py": "e"}
    found = file_changes(starter, handed_in, ("same.py", "changed.py", "end.py", "gone.py", "new.py"))
    assert [(each["name"], each["state"]) for each in found] == [
        ("same.py", "same as the starter"),
        ("changed.py", "changed: 1 lines added, 1 removed"),
        ("end.py", "changed in its last line end only"),
        ("gone.py", "not handed in"),
        ("new.py", "new file"),
        ("extra.py", "new file"),
    ]
    assert found[1]["lines"] == [["@", "@@ -1,3 +1,3 @@"], [" ", "a"], ["-", "b"], ["+", "B"], [" ", "c"]]
    assert found[4]["lines"] == [["+", "n\r"]]


def test_a_file_of_many_lines_is_not_compared():
    (found,) = file_changes({"a": "x\n" * MOST_LINES}, {"a": "x\n" * (MOST_LINES + 1)}, ("a",))
    assert "not compared" in found["state"]
    assert len(found["lines"]) == MOST_LINES + 1


@pytest.mark.parametrize("starter", [{}, {"a": "x\n"}])
def test_of_very_many_lines_the_first_are_kept_and_all_are_counted(starter):
    (found,) = file_changes(starter, {"a": "y\n" * 1_000_000}, ("a",))
    assert len(found["lines"]) == MOST_SHOWN
    assert found["state"].endswith("; the first 20,000 of 1,000,000 lines")


@pytest.mark.slow
@pytest.mark.parametrize("pattern", [1, 7, 150, 151])
def test_comparing_texts_made_to_be_slow_ends_soon(pattern):
    old = [f"l{number % 150}\n" for number in range(MOST_LINES)]
    new = [f"l{number * pattern % 150}\n" for number in range(MOST_LINES)]
    for texts in (old, new), (old, new[:199]), (old[::-1], new), (["x\n", "y\n"] * 1000, ["y\n"] * 99 + ["x\n"] * 100):
        began = time.thread_time()
        file_changes({"a": "".join(texts[0])}, {"a": "".join(texts[1])}, ("a",))
        assert time.thread_time() - began < 5, "a fifth of a second on a quick machine"


# -- figures ---------------------------------------------------------------------------------------------------------


def test_figures_are_written_as_people_read_them():
    assert [seconds(value) for value in (None, 0.0123, 5.04, 125)] == ["-", "12 ms", "5.0 s", "2 min 05 s"]
    assert [usd(value) for value in (None, 0, 0.00123, 2.5)] == ["-", "$0.00", "$0.0012", "$2.50"]
    assert [level(points, 20) for points in (-1, 0, 9, 20, 25)] == [0, 0, 4, 10, 10]
    assert level(1, 0) == 0


def test_the_bundled_library_has_its_licence_beside_it():
    folder = Path(pieces.__code__.co_filename).parent / "assets" / "vendor"
    (library,) = folder.glob("chart-*.umd.min.js")
    version = library.name.removeprefix("chart-").removesuffix(".umd.min.js")
    assert f"Chart.js v{version}" in library.read_text(encoding="utf-8")[:200]
    assert "MIT" in (folder / "chart-LICENSE.md").read_text(encoding="utf-8")


def test_errors_of_one_cause_are_one_row():
    of = plan(card("t", criterion("a", 1)), models=("m",), epochs=3)
    said = {key: failed("timeout", f"no end after {key.epoch * 367} characters") for key in of.attempts()}
    (row,) = troubles(results(of, [], said))
    assert row.message == "no end after 367 characters"
    assert [name for _, name in row.attempts] == ["t #1", "t #2", "t #3"]
