"""A reader of server-sent events: the format of the WHATWG standard, however the bytes are cut into chunks.

``actor.mjs`` lets the class read streams and reports what its handlers hear, so any sound way of writing it passes. It
runs in a process of the class's own. ``stage.mjs``, in another, sends it the next chunk of a stream when the one before
was dealt with: what was heard before a chunk was sent cannot come from it, and what is heard later came late.
What is right comes from ``interpret`` below. Each point has streams of its own, on which other rules do not
show: those of a rule come in one chunk, those of the cuts hold plain text only, and only line ends other than LF have
streams with CR. Everything at once is in the streams of the last cap. Left open, and so never asked, are malformed
UTF-8, when exactly the properties change within a block, and whether a listener hears an event before ``onmessage``.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from typing_extensions import TypedDict

from pytest_llmbench import Batches, Label, Limits, Row, Sandbox, SourceFile, SourceFinder, checked, seeded, shortened

FILE = "server_sent_events.js"
STAGE = Path(__file__).with_name("stage.mjs")
ACTOR = Path(__file__).with_name("actor.mjs").read_text(encoding="utf-8")
LIMITS = Limits(cpu_s=4, output_bytes=20_000_000)  # all groups together; a plain solution needs a tenth
LIMITS_ALONE = Limits(cpu_s=1, output_bytes=20_000_000)
PATIENCE_S = 20.0
"""Wall time for all groups that are asked for a second time, alone."""

pytestmark = pytest.mark.llm_task(id="js-sse", suite="six", points=20, floor=2, files=[FILE], toolchains=["node"])


# -- what is right ---------------------------------------------------------------------------------------------------


class Event(NamedTuple):
    type: str
    data: str
    id: str
    known: int
    """With how many bytes of the stream it has to be known. Behind a CR there may come an LF, which some wait for."""


class Meaning(NamedTuple):
    """What a stream says."""

    events: list[Event]
    id: str
    retry: int | None


def interpret(stream: bytes) -> Meaning:
    """The standard's sections on parsing and interpreting an event stream, rule by rule."""
    events: list[Event] = []
    data, kind, buffered_id, last_id, retry = "", "", "", "", None
    text = stream.decode()
    start = len("\ufeff") if text.startswith("\ufeff") else 0
    for end in re.finditer("\r\n|\r|\n", text):
        line = text[start : end.start()]
        start = end.end()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            last_id = buffered_id
            if data:
                behind = start + (end[0] == "\r")
                events.append(Event(kind or "message", data.removesuffix("\n"), last_id, len(text[:behind].encode())))
            data, kind = "", ""
        elif field == "data":
            data += f"{value}\n"
        elif field == "event":
            kind = value
        elif field == "id" and "\0" not in value:
            buffered_id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            retry = int(value)
    return Meaning(events, last_id, retry)


@dataclass(frozen=True)
class Scenario:
    """A stream, and what is done with it."""

    stream: bytes
    cuts: tuple[int, ...] = ()
    """Where chunks end, apart from the last."""
    burst: int = 1
    """How many chunks come together; the next ones come when nothing happens any more."""
    end: str = "close"
    """What comes after the last chunk: ``close``, ``error``, or nothing for ever (``open``)."""
    onmessage: bool = True
    """Whether ``onmessage`` and ``onerror`` are set."""
    listen: tuple[str, ...] = ()
    """The types that get a listener, one for each time that they are named."""
    close: str = ""
    """When ``close()`` is called: ``while waiting`` or ``in the first event``."""
    late: bytes = b""
    """What arrives when all else has been read."""
    error: str = ""
    """The message of the error in the end."""

    @property
    def chunks(self) -> list[bytes]:
        """The stream as it is cut."""
        ends = [*self.cuts, len(self.stream)]
        return [self.stream[start:end] for start, end in itertools.pairwise([0, *ends]) if end > start]

    @property
    def deliveries(self) -> list[list[bytes]]:
        """The chunks that come together."""
        return [self.chunks[start : start + self.burst] for start in range(0, len(self.chunks), self.burst)] or [[]]

    @property
    def commands(self) -> list[dict[str, Any]]:
        """As the actor takes them, one for each delivery first."""
        first, *rest = map(_hexadecimal, self.deliveries)
        closing = self.close == "in the first event"
        begin = {"what": "begin", "onmessage": self.onmessage, "listen": self.listen, "closing": closing}
        found = [begin | {"chunks": first}, *({"what": "feed", "chunks": each} for each in rest)]
        if self.close == "while waiting":
            found.append({"what": "close"})
        if self.late:
            found.append({"what": "feed", "chunks": _hexadecimal([self.late])})
        *others, last = found
        return [
            *(each | {"end": "open", "error": ""} for each in others),
            last | {"end": self.end, "error": self.error},
        ]

    @property
    def sent(self) -> list[int]:
        """How many bytes of the stream were sent by the end of each command."""
        sizes = [sum(map(len, chunks)) for chunks in self.deliveries]
        sizes += [0] * (len(self.commands) - len(sizes))
        return [*itertools.accumulate(sizes)]

    @property
    def events(self) -> list[Event]:
        """The events in the order in which they are to be heard, once for each place."""
        return [event for event, _ in self._heard]

    @property
    def notes(self) -> list[list[str]]:
        """Where each event is to be heard: place, type, data and last event ID."""
        return [[place, *event[:3]] for event, place in self._heard]

    @property
    def _heard(self) -> list[tuple[Event, str]]:
        heard = []
        for event in interpret(self.stream).events:
            places = ["onmessage"] if self.onmessage and event.type == "message" else []
            places += [f"listener for {kind}" for kind in self.listen if kind == event.type]
            heard += [(event, place) for place in places]
        return heard

    def __str__(self) -> str:
        return shortened(" | ".join(repr(chunk)[1:] for chunk in self.chunks))


def _hexadecimal(chunks: Iterable[bytes]) -> str:
    return "".join(f"{chunk.hex()} " for chunk in chunks)


@dataclass(frozen=True)
class Run:
    """What was seen of a scenario."""

    scenario: Scenario
    log: list[list[Any]]
    """``[place, type, data, last event ID]`` for each event, ``["onerror", the error's message]``, and
    ``["threw", message]`` for what nobody caught."""
    commands: list[int]
    """The command after which each entry of the log came."""
    read: bool
    """Whether all of it was asked for, and more."""
    cancelled: bool
    id: Any
    """The property ``lastEventId`` in the end."""
    time: Any
    """The property ``reconnectionTime`` in the end."""
    time_unset: bool
    """Whether that is what it was in the beginning."""

    @property
    def heard(self) -> list[list[Any]]:
        """The events."""
        return [entry for entry in self.log if entry[0] not in FAULTS]

    @property
    def data(self) -> list[Any]:
        """The events' data."""
        return [entry[2] for entry in self.heard]

    @property
    def faults(self) -> list[list[Any]]:
        """What is no event."""
        return [entry for entry in self.log if entry[0] in FAULTS]

    def __str__(self) -> str:
        return f"{self.scenario} gave {shortened(self.log)}"


# -- the streams -----------------------------------------------------------------------------------------------------

WORDS = ("alpha", "b", "gamma delta", '{"x": [1, 2]}', "10:30", "http://a.example/?q=1", "-", "0", "a: b : c")
WORLD = ("é", "ß", "日本語", "€ 5", "🙂", "👩‍👩‍👧", "naïve 🙂🙂", "Ж", "𝄞 = clef")
ODD = ("a\u2028b", "\u0085", "\ufeff", "\u00a0", "\0", "\v")
TYPES = ("price", "user-joined", "Message", "a.b", "ping")


def plain(*data: str, eol: str = "\n") -> bytes:
    """A stream of one-line events."""
    return "".join(f"data: {each}{eol}{eol}" for each in data).encode()


def whole(*streams: str, **rest: Any) -> list[Scenario]:
    """Streams that come in one chunk each."""
    return [Scenario(stream.encode(), **rest) for stream in streams]


def cut(stream: bytes, **rest: Any) -> list[Scenario]:
    """A stream cut in two at every place, and cut into single bytes."""
    places = [(place,) for place in range(1, len(stream))]
    singles = tuple(range(1, len(stream)))
    return [*(Scenario(stream, cuts, **rest) for cuts in places), Scenario(stream, singles, burst=3, **rest)]


def ordinary() -> list[Scenario]:
    """One-line events, in a chunk each, on a stream that stays open."""
    found = []
    for size in range(1, 7):
        data = WORDS[:size]
        ends = itertools.accumulate(len(plain(each)) for each in data[:-1])
        found.append(Scenario(plain(*data), tuple(ends), end="open"))
    return found


def lines_of(rng: random.Random) -> Iterator[str]:
    """The lines of a stream in which every rule is met. What is left open is not in it."""
    for _ in range(rng.randint(2, 7)):
        for _ in range(rng.choice((0, 1, 1, 2, 3, 5))):
            space = rng.choice(("", " ", " ", "  "))
            text = "".join(rng.sample(WORDS + WORLD + ODD, rng.choice((0, 1, 1, 2))))
            digits = str(rng.randint(1, 99999))
            yield from rng.choice(
                (
                    [f"data:{space}{text}"],
                    [f"data:{space}{text}"],
                    [f"data:{space}{text}", f"data:{space}{rng.choice(WORLD)}"],
                    [rng.choice(("data", "data:", "data: "))],
                    [f"event:{space}{rng.choice(TYPES)}"],
                    [rng.choice(("event", "event: ", "event: message"))],
                    [f"id:{space}{rng.choice((digits, rng.choice(WORDS)))}"],
                    [rng.choice(("id", f"id: {digits}\0", "id: \0"))],
                    [f"retry: {digits}"],
                    [f"retry: {rng.choice(NO_TIMES)}"],
                    [rng.choice((":", f": {text}", f":data: {text}", ": event: price"))],
                    [rng.choice((f"Data: {text}", f" data: {text}", f"dat: {text}", f"data : {text}", text or "x"))],
                )
            )
        yield from [""] * rng.choice((1, 1, 1, 2, 3))


def everything(seed: int) -> Scenario:
    """A stream of all rules, with line ends of all kinds, in chunks of any size, and perhaps an unfinished end."""
    rng = seeded(seed)
    ends = rng.choice((["\n"], ["\r\n"], ["\r"], ["\n", "\r\n", "\r"]))
    text = "\ufeff" * rng.choice((0, 0, 1)) + "".join(line + rng.choice(ends) for line in lines_of(rng))
    text += f"data: last{rng.choice(ends) * 2}"  # complete, whatever line ends have merged
    stream = (text + rng.choice(("", "", "data: never\n", "event: price\ndata: né"))).encode()
    most = rng.choice((1, 3, 8, 40))
    cuts, place = [], rng.randint(1, most)
    while place < len(stream):
        cuts.append(place)
        place += rng.randint(1, most)
    return Scenario(stream, tuple(cuts), burst=len(cuts) // 4 + 1, listen=TYPES[:3])


NO_TIMES = ("10x", "x10", "1.5", "-5", "+5", "1e3", "0x10", " 10", "10 ", "ten", "\uff11\uff10", "1_000", "1 0")

TIMES = (
    "retry: 1500\ndata: 1\n\n",
    "retry:250\ndata: 1\n\nretry: 3000\n\n",
    "data: 1\nretry: 7\nretry: 42\n\ndata: 2\n\n",
)

GROUPS: dict[str, list[Scenario]] = {
    "ordinary": ordinary(),
    "with fields": whole(
        "event: price\ndata: 1\nid: 7\n\ndata: 2\n\n",
        "id: 1\ndata: one\n\nid: 2\ndata: two\n\nevent: x\ndata: 3\n\n",
        listen=("price",),
    ),
    "fields": whole(
        "data:x\n\ndata: x\n\ndata:  x\n\ndata:\tx\n\ndata: x \n\n",
        "data:a:b\n\ndata: : c\n\ndata::\n\ndata: data: x\n\n",
        "dat: 1\ndata: 2\n\ndataset: 3\n\ndata-x: 4\ndata: 5\n\nfoo\ndata: 6\nbar: 7\n\n",
        "Data: 1\ndata: 2\n\nDATA: 3\n\n data: 4\n\ndata : 5\ndata: 6\n\n\tdata: 7\n\n",
        "data: 1\nEvent: a\nevents: b\n\ndata: 2\nevent : c\n event: d\n\n",
        "data: a\u2028b\u2029c\n\ndata: d\x0be\x0cf\u0085g\n\ndata: \u00a0h\u00a0\n\ndata: i\0j\n\n",
        'data: {"a": "b", "c": "\\n"}\n\ndata: <p>é 日本語 🙂</p>\n\n',
    ),
    "several lines": whole(
        "data: a\ndata: b\n\n",
        "data: a\ndata: b\ndata: c\n\ndata: d\n\ndata:e\ndata:  f\n\n",
        "data: \ndata: a\n\ndata: b\ndata: \n\ndata: c\ndata: \ndata: \ndata: d\n\n",
        *("".join(f"data: {word}\n" for word in _words) + "\n" for _words in itertools.permutations(WORDS[:4], 3)),
    ),
    "comments": whole(
        ": hello\ndata: a\n\n:\ndata: b\n\ndata: c\n: hello\n\ndata: d\n:\n\n",
        ":data: a\ndata: b\n\n: data: c\ndata: d\n\n:: e\ndata: f\n\n:data\ndata: g\n\n",
        ":event: x\ndata: a\n\n: event: x\ndata: b\n\ndata: c\n:hello: world\n:\n: \n\n",
    ),
    "types": [
        *whole(
            "event: price\ndata: 1\n\ndata: 2\n\nevent: ping\ndata: 3\n\nevent:price\ndata: 4\n\n",
            "data: 1\nevent: price\n\ndata: 2\n\nevent: price\nevent: ping\ndata: 3\n\nevent: Price\ndata: 4\n\n",
            "event: message\ndata: 1\n\nevent: \ndata: 2\n\nevent\ndata: 3\n\nevent: price\nevent:\ndata: 4\n\n",
            listen=("price", "ping", "price"),
        ),
        *whole(
            "data: 1\n\nevent: price\ndata: 2\n\nevent: message\ndata: 3\n\nevent: other\ndata: 4\n\n",
            listen=("message", "price"),
            onmessage=False,
        ),
    ],
    "no data": whole(
        "event: price\n\ndata: 1\n\n",
        "\n\n\ndata: 1\n\n\n\ndata: 2\n\n",
        "id: 1\n\ndata: 1\n\nretry: 5\n\nfoo: x\n\ndata: 2\n\n",
        "data\n\ndata: 1\n\ndata:\n\ndata: \n\nevent: price\n\ndata\n\n",
    ),
    "last ids": whole(
        "data: 0\n\nid: 1\ndata: 1\n\ndata: 2\n\ndata: 3\nid: 2\n\ndata: 4\n\n",
        "id: 1\n\ndata: 1\n\nid: a b:c\ndata: 2\n\nid:x\nid:y\ndata: 3\n\nid:  z\ndata: 4\n\n",
        "id: 1\ndata: 1\n\nid\ndata: 2\n\nid: 3\ndata: 3\n\nid:\ndata: 4\n\nid: 0\ndata: 5\n\nid: 007\ndata: 6\n\n",
    ),
    "ids with NUL": whole(
        "id: 1\ndata: 1\n\nid: 2\0\ndata: 2\n\n",
        "id: 1\ndata: 1\n\nid: \0\ndata: 2\n\nid: a\0b\ndata: 3\n\n",
        "id: 1\nid: \0002\ndata: 1\n\n",
        "id: 1\ndata: 1\n\nid: 2\0\ndata: 2\n\nid: 3\ndata: 3\n\n",
    ),
    "times": whole(
        *TIMES,
        *(f"retry: {time}\ndata: 1\n\n" for time in NO_TIMES),
        *(f"retry: 800\ndata: 1\n\nretry: {time}\ndata: 2\n\n" for time in NO_TIMES),
    ),
    "marks": whole(
        "\ufeffdata: 1\n\ndata: 2\n\n",
        "\ufeff\ufeffdata: 1\n\ndata: 2\n\n",
        "data: 1\n\n\ufeffdata: 2\n\ndata: 3\n\n",
        "data: a\ufeffb\n\ndata: 1\n\n",
        "\ufeff\ndata: 1\n\n",
    ),
    "ends": whole(
        "data: 1\n\ndata: 2",
        "data: 1\n\ndata: 2\n",
        "data: 1\n\ndata",
        "data: 1\n\nevent: price\ndata: 2\nid: 5",
        "data: 1",
        "data: 1\n",
        "data: 1\r\n\r\ndata: 2\r\n",
        "data: 1\r\r",
        "data: 1\n\r",
        "data: 1\n\ndata: 2\n:",
    ),
    "crlf": whole(
        *(plain(*_data, eol="\r\n").decode() for _data in itertools.combinations(WORDS, 2)),
        "data: a\r\n\r\n\r\n\r\ndata: b\r\n\r\n",
    ),
    "cr": whole(
        *((plain(*_data, eol="\r") + b"\r\r").decode() for _data in itertools.combinations(WORDS, 2)),
        "data: a\r\rdata: b\n\rdata: c\r\n\rdata: d\n\n",
        "data: a\r\n\rdata: b\r\r\ndata: c\r\n\ndata: d\n\r\n",
    ),
    "crlf whole": [Scenario(b"data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n\r\ndata: d\r\ndata: e\r\ndata: f\r\n\r\n")],
    "cut lines": [scenario for words in (WORDS[:4], WORDS[4:]) for scenario in cut(plain(*words))],
    "cut characters": [scenario for words in (WORLD[:5], WORLD[5:]) for scenario in cut(plain(*words))],
    "errors": [
        Scenario(stream, cuts, end="error", error=f"lost {number} times")
        for number, (stream, cuts) in enumerate([(plain("1", "2"), ()), (b"data: 1\n\ndata: 2\n", (7, 9)), (b"", ())])
    ],
    "close while waiting": [
        Scenario(stream, end=end, close="while waiting", late=late)
        for stream in (b"", plain("1"))
        for end, late in (("open", plain("2")), ("error", b""), ("close", plain("2", "3")))
    ],
    "close in a handler": [
        Scenario(plain("1", "2", "3"), end="open", close="in the first event", late=plain("4")),
        Scenario(plain("1", "2", "3"), (9, 20), close="in the first event"),
        Scenario(plain("1"), end="error", close="in the first event"),
    ],
    "everything": [everything(seed) for seed in range(120)],
}
GROUPS["crlf cut"] = cut(GROUPS["crlf whole"][0].stream)


# -- what was seen ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Report:
    """What there is to say of a group of scenarios."""

    exported: bool
    starter: str | None
    """What makes it begin: nothing but its construction (``""``), a method of this name, or nothing at all."""
    runs: list[Run]


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
        return _report(group, result.value)

    return report


FAULTS = ("onerror", "threw")
FORGED = "the module has answered in the probe's place"

Property = str | int | float | bool | None
Note = Row[tuple[Literal["onerror", "threw"], str]] | Row[tuple[str, Property, Property, Property]]


class Heard(TypedDict):
    """What the actor says after a command."""

    notes: list[Note]
    read: bool
    cancelled: bool
    id: Property
    time: Property
    timeUnset: bool


class Loaded(TypedDict):
    """What the actor says of the module."""

    exported: bool
    starter: str | None


class Answer(TypedDict):
    """What the stage says of a group: for each scenario what was heard after each of its commands."""

    loaded: Loaded
    reports: list[list[Heard]]


def _report(group: str, value: Any) -> Report:
    """A group as it was reported; a miss when that cannot come from the actor."""
    answer = checked(value, Answer, f"{group}: {FORGED}")
    if len(answer["reports"]) != len(GROUPS[group]):
        pytest.fail(f"{group}: {FORGED}")
    runs = list(map(_run, GROUPS[group], answer["reports"]))
    return Report(answer["loaded"]["exported"], answer["loaded"]["starter"], runs)


def _run(scenario: Scenario, scene: list[Heard]) -> Run:
    """One run as it was reported; a miss when there is not a report for each command."""
    if len(scene) != len(scenario.commands):
        pytest.fail(f"{scenario}: {FORGED}")
    log = [entry for report in scene for entry in report["notes"]]
    commands = [number for number, report in enumerate(scene) for _ in report["notes"]]
    last = scene[-1]
    state = (last["read"], last["cancelled"], last["id"], last["time"], last["timeUnset"])
    return Run(scenario, log, commands, *state)


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
        _decoder(source(FILE), works=all(run.data == [note[2] for note in run.scenario.notes] for run in runs)),
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


# -- labels ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def parser_label(source: SourceFinder, label: Label) -> None:
    """How it cuts text into lines."""
    label("parser", _parser(source(FILE)))


LEAVES = ("identifier", "number", "property_identifier", "regex_pattern", "string")
"""Nodes that hold no other of these: all their texts together are no longer than the file, however it is nested."""
LINE_FEEDS = {"'\\n'", '"\\n"', "10", "0x0a", "0xa", "lf"}


def _leaf(node: Any) -> str:
    """The text of a small node; nothing of one that may hold others, or is not there."""
    return node.text() if node is not None and node.kind() in LEAVES else ""


def _decoder(file: SourceFile, *, works: bool) -> str:
    """How it decodes, for reports."""
    made = {_leaf(node.field("constructor")) for node in file.find_all(kind="new_expression")}
    if "TextDecoderStream" in made:
        return "decoder-stream"
    if "TextDecoder" not in made:
        return "other"
    for pair in file.find_all(kind="pair"):
        if _leaf(pair.field("key")) == "stream" and pair.field("value").kind() == "true":
            return "streaming"
    return "other" if works else "per-chunk"


def _parser(file: SourceFile) -> str:
    """How it parses, for reports."""
    methods = file.find_all(kind="method_definition")
    if file.find_all(kind="generator_function_declaration") or any(
        child.kind() == "*" for method in methods for child in method.children()
    ):
        return "generator"
    cuts = [_leaf(node) for node in file.find_all(kind="regex_pattern")]
    for call in file.find_all(kind="call_expression"):
        function, arguments = call.field("function"), call.field("arguments")
        if function.kind() == "member_expression" and _leaf(function.field("property")) in ("split", "indexOf"):
            cuts += map(_leaf, arguments.children())
    if any(end in text for end in ("\\n", "\\r") for text in cuts):
        return "lines"
    compared = file.find_all(kind="binary_expression") + file.find_all(kind="switch_case")
    if LINE_FEEDS & {_leaf(side).lower() for node in compared for side in node.children()}:
        return "state-machine"
    return "other"
