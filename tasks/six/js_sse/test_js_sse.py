"""A reader of server-sent events: the format of the WHATWG standard, however the bytes are cut into chunks.

``actor.mjs`` lets the class read streams and reports what its handlers hear, so any sound way of writing it passes. It
runs in a process of the class's own. ``stage.mjs``, in another, sends it the next chunk of a stream when the one before
was dealt with: what was heard before a chunk was sent cannot come from it, and what is heard later came late. What is
right comes from ``interpret`` in ``standard.py``. Each point has streams of its own, on which other rules do not show:
those of a rule come in one chunk, those of the cuts hold plain text only, and only line ends other than LF have streams
with CR. Everything at once is in the streams of the last cap. Left open, and so never asked, are malformed UTF-8, when
exactly the properties change within a block, and whether a listener hears an event before ``onmessage``.

``scenarios.py`` and ``streams.py`` have the streams, ``reports.py`` reads what was heard of them. Here are the points.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_llmbench import Batches, Label, Limits, Sandbox, SourceFinder, shortened

FILE = "server_sent_events.js"
HERE = Path(__file__).parent
STREAMS, REPORTS, LABELS = (
    SimpleNamespace(**runpy.run_path(str(HERE / name))) for name in ("streams.py", "reports.py", "labels.py")
)
STAGE = HERE / "stage.mjs"
ACTOR = (HERE / "actor.mjs").read_text(encoding="utf-8")
LIMITS = Limits(cpu_s=4, output_bytes=20_000_000)  # all groups together; a plain solution needs a tenth
LIMITS_ALONE = Limits(cpu_s=1, output_bytes=20_000_000)
PATIENCE_S = 20.0
"""Wall time for all groups that are asked for a second time, alone."""

pytestmark = pytest.mark.llm_task(id="js-sse", suite="six", points=20, floor=2, files=[FILE], toolchains=["node"])

GROUPS, TIMES, interpret = STREAMS.GROUPS, STREAMS.TIMES, STREAMS.interpret
FAULTS, Report, Run = REPORTS.FAULTS, REPORTS.Report, REPORTS.Run


@pytest.fixture(scope="module")
def seen(sandbox: Sandbox) -> Callable[[str], Report]:
    """Reports by group: ``seen("cr")``. All groups share a process while it lives."""
    requests = {name: [ACTOR, FILE, [each.commands for each in group]] for name, group in GROUPS.items()}
    results = Batches(
        sandbox, STAGE, "perform", requests, LIMITS, alone=LIMITS_ALONE, alone_s=PATIENCE_S, canary="ordinary"
    )

    def report(group: str) -> Report:
        result = results[group]
        if result.outcome != "returned":
            pytest.fail(f"{group}: {result.outcome}: {result.type_name} {result.message}")
        return REPORTS.report_of(group, GROUPS[group], result.value)

    return report


# -- rubric: one rule each -------------------------------------------------------------------------------------------


@pytest.mark.rubric("reads-the-stream", points=3)
def test_reads_the_whole_stream(seen):
    """From its construction on, the stream is read to its end, something comes of it, and nothing fails."""
    runs = []
    for group in ("ordinary", "with fields", "crlf"):
        report = seen(group)
        assert report.starter == "", f"reading does not start by itself: {report.starter or 'no method starts it'}"
        runs += report.runs
    for run in runs:
        assert run.read, f"{run}, and was not read to its end"
        assert not run.faults, str(run)
    if not any(run.data for run in runs):  # when no event is heard, right times show that something was read
        for run in seen("times").runs[: len(TIMES)]:
            assert run.time == interpret(run.scenario.stream).retry, f"nothing came of it: {run}"


@pytest.mark.rubric("fields", points=1)
def test_fields(seen):
    """A name ends at the first colon, one space after it goes, and unknown fields are ignored."""
    _same(seen("fields").runs)


@pytest.mark.rubric("several-data-lines", points=1)
def test_several_data_lines(seen):
    """The data lines of a block are joined by LF."""
    _same(seen("several lines").runs)


@pytest.mark.rubric("comments", points=1)
def test_comments(seen):
    """Lines that begin with a colon say nothing."""
    _same(seen("comments").runs)


@pytest.mark.rubric("event-types", points=1)
def test_event_types(seen):
    """An event goes to the listeners of its type, and to onmessage only when that is ``message``."""
    for run in seen("types").runs:
        expected = sorted(note[:3] for note in run.scenario.notes)
        assert sorted((entry[:3] for entry in run.heard), key=str) == sorted(expected, key=str), str(run)
        assert not run.faults, str(run)


@pytest.mark.rubric("blocks-without-data", points=1)
def test_blocks_without_data(seen):
    """A block without a data line dispatches nothing and resets the type; an empty data line is data."""
    _same(seen("no data").runs)


@pytest.mark.rubric("last-event-id", points=1)
def test_last_event_id(seen):
    """An event carries the last ID there was, until another one, or an empty one, comes."""
    for run in seen("last ids").runs:
        assert run.heard == run.scenario.notes, f"{run}, right is {shortened(run.scenario.notes)}"


@pytest.mark.rubric("id-with-nul", points=1)
def test_id_with_nul(seen):
    """An ID that holds a NUL is ignored; the object's lastEventId stays as it was."""
    for run in seen("ids with NUL").runs:
        expected = interpret(run.scenario.stream).id
        assert run.id == expected, f"{run.scenario}: lastEventId is {run.id!r:.80}, not {expected!r}"


@pytest.mark.rubric("retry", points=1)
def test_retry(seen):
    """A retry field of digits alone sets the reconnection time; any other is ignored."""
    for run in seen("times").runs:
        expected = interpret(run.scenario.stream).retry
        right = run.time_unset if expected is None else type(run.time) is int and run.time == expected
        assert right, f"{run.scenario}: reconnectionTime is {run.time!r:.80}, not {expected or 'what it was'}"


@pytest.mark.rubric("byte-order-mark", points=1)
def test_byte_order_mark(seen):
    """One BOM at the start goes; any other is part of the text."""
    _same(seen("marks").runs)


@pytest.mark.rubric("unfinished-event", points=1)
def test_unfinished_event(seen):
    """At the end of the stream, an event without its blank line is dropped, and one with it is not."""
    _same(seen("ends").runs)


@pytest.mark.rubric("crlf", points=1)
def test_crlf(seen):
    """Lines may end with CR LF."""
    _check_crlf(seen)


@pytest.mark.rubric("cr", points=1)
def test_cr(seen):
    """Lines may end with CR, and with all three in one stream."""
    _check_cr(seen)


@pytest.mark.rubric("crlf-cut", points=1)
def test_crlf_cut_across_chunks(seen):
    """A CR LF that two chunks share is one line end."""
    _check_crlf_cut(seen)


@pytest.mark.rubric("characters-cut", points=1)
def test_characters_cut_across_chunks(seen, source: SourceFinder, label: Label):
    """A character of several bytes survives any cut."""
    runs = seen("cut characters").runs
    label(
        "decoder",
        LABELS.decoder(source(FILE), works=all(run.data == [note[2] for note in run.scenario.notes] for run in runs)),
    )
    _same(runs)


@pytest.mark.rubric("stream-errors", points=1)
def test_stream_errors(seen):
    """The stream's error reaches onerror, once; the end of a stream is no error."""
    for run in seen("errors").runs:
        assert run.faults == [["onerror", run.scenario.error]], f"{run}, right is onerror with {run.scenario.error!r}"
    for run in seen("ends").runs:
        assert not run.faults, str(run)


@pytest.mark.rubric("close-cancels", points=1)
def test_close_cancels_the_stream(seen):
    """close(), and nothing else, cancels a stream, also while it is waited for; nothing is heard afterwards."""
    for run in seen("close while waiting").runs:
        assert run.cancelled is True, f"{run}, and close() did not cancel the stream"
        assert not run.faults, f"{run} after close()"
        assert run.data in ([], ["1"]), f"{run}: heard after close()"
    for run in seen("ordinary").runs:
        assert run.cancelled is False, f"{run}, and was cancelled without a call of close()"


@pytest.mark.rubric("close-silences", points=1)
def test_close_in_a_handler(seen):
    """After close() in a handler no event of the same chunk is heard, nor one of a later chunk."""
    for run in seen("close in a handler").runs:
        assert [entry[:3] for entry in run.log] == [run.scenario.notes[0][:3]], f"{run}, right is the first event alone"


# -- rubric: how far a fault reaches ---------------------------------------------------------------------------------


@pytest.mark.rubric("exported", penalty=2)
def test_exported(seen):
    """The file exports the class."""
    assert seen("ordinary").exported, "the class is there, but not exported"


@pytest.mark.rubric("survives", cap=4)
def test_survives_ordinary_streams(seen):
    """Nothing throws on an ordinary stream."""
    for run in seen("ordinary").runs:
        assert not run.faults, str(run)


@pytest.mark.rubric("ordinary-streams", cap=10)
def test_ordinary_streams(seen):
    """One-line events are heard as they arrive, on a stream that stays open."""
    runs = seen("ordinary").runs
    _same(runs)
    for run in runs:
        _in_time(run)


@pytest.mark.rubric("lines-cut", cap=10)
def test_lines_cut_across_chunks(seen):
    """A line survives any cut."""
    _same(seen("cut lines").runs)


@pytest.mark.rubric("line-ends", cap=12)
def test_every_line_end(seen):
    """CR, LF and CR LF end a line, wherever a chunk ends."""
    _check_crlf(seen)
    _check_cr(seen)
    _check_crlf_cut(seen)


@pytest.mark.rubric("everyday", cap=13)
def test_everyday_streams(seen):
    """Comments and data of several lines are in any real stream."""
    _same(seen("several lines").runs + seen("comments").runs)


@pytest.mark.rubric("starts-by-itself", cap=13)
def test_starts_by_itself(seen):
    """No method has to be called."""
    starter = seen("ordinary").starter
    assert starter == "", f"reading starts by {starter}()" if starter else "nothing starts it"


@pytest.mark.rubric("whole-characters", cap=14)
def test_whole_characters(seen):
    """Text that is not ASCII is not damaged."""
    _same(seen("cut characters").runs)


@pytest.mark.rubric("everything-together", cap=18)
def test_everything_together(seen):
    """Streams of all rules at once, in chunks of any size, lead to exactly the right events and properties."""
    for run in seen("everything").runs:
        expected = run.scenario.notes
        assert run.log == expected, f"{run}, right is {shortened(expected)}"
        _in_time(run)
        _, last_id, retry = interpret(run.scenario.stream)
        assert run.id == last_id, f"{run.scenario}: lastEventId is {run.id!r:.80}, not {last_id!r}"
        right = run.time_unset if retry is None else type(run.time) is int and run.time == retry
        assert right, f"{run.scenario}: reconnectionTime is {run.time!r:.80}, not {retry}"


# -- how runs are compared with what is right --------------------------------------------------------------------------


def _same(runs: Iterable[Run]) -> None:
    """Every run has exactly the right events, in their types and data."""
    for run in runs:
        expected = [note[:3] for note in run.scenario.notes]
        assert [entry[:3] for entry in run.heard] == expected, f"{run}, right is {shortened(expected)}"


def _in_time(run: Run) -> None:
    """The right events were heard before more was sent than it takes to know them."""
    sent = run.scenario.sent
    heard = [command for command, entry in zip(run.commands, run.log, strict=True) if entry[0] not in FAULTS]
    for command, event in zip(heard, run.scenario.events, strict=True):
        late = any(event.known <= size < sent[command] for size in sent)
        assert not late, f"{run}: {event.data!r} was heard when more than that had been sent"


def _check_crlf(seen: Any) -> None:
    _one_of_its_lines(seen("crlf").runs)


def _check_cr(seen: Any) -> None:
    _one_of_its_lines(seen("cr").runs)


def _check_crlf_cut(seen: Any) -> None:
    [uncut] = seen("crlf whole").runs
    _one_of_its_lines([uncut])
    for run in seen("crlf cut").runs:
        assert run.heard == uncut.heard, f"{run}, uncut {shortened(uncut.heard)}"


def _one_of_its_lines(runs: Iterable[Run]) -> None:
    """Every run has the right events. That several data lines make one text is another point's business."""
    for run in runs:
        expected = [note[2] for note in run.scenario.notes]
        assert len(run.data) == len(expected), f"{run}, right is {shortened(expected)}"
        for data, right in zip(run.data, expected, strict=True):
            assert data == right or data in right.split("\n"), f"{run}, right is {shortened(expected)}"


# -- how it decodes and parses, for reports ----------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def parser_label(source: SourceFinder, label: Label) -> None:
    """How it cuts text into lines."""
    label("parser", LABELS.parser(source(FILE)))
