"""What is tried: groups of scenarios, for each point streams on which the other rules do not show."""

from __future__ import annotations

import itertools
import random
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_llmbench import seeded

_SCENARIOS = runpy.run_path(str(Path(__file__).with_name("scenarios.py")))
Scenario, interpret = _SCENARIOS["Scenario"], _SCENARIOS["interpret"]

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
