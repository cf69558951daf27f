"""A TypeScript module full of copies to be refactored: same behaviour, same exports, less code.

The TypeScript compiler looks at the reply in a process in which none of it runs (``compile.mjs``): types, exports and
measures over tokens cannot be forged. Behaviour is compared with that of the starter: both play the same scripts on a
virtual clock (``play.mjs``), each in a process of its own, in a world in which no text becomes code. How the module is
written is free: classes, closures, generated methods and tables all count, as long as each rule is written down once.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import pytest
from annotated_types import Interval
from typing_extensions import TypedDict

from pytest_llmbench import (
    Batches,
    CallResult,
    HarnessError,
    Label,
    Limits,
    Sandbox,
    Submission,
    checked,
    seeded,
    shortened,
)

FILE = "pipeline.ts"
CONSUMER = Path(__file__).with_name("consumer.ts.txt")
COMPILE = Path(__file__).with_name("compile.mjs")
PLAY = Path(__file__).with_name("play.mjs")
COMPILE_LIMITS = Limits(cpu_s=15, wall_s=30, memory_mb=2000)  # about ten times what the starter takes
PLAY_LIMITS = Limits(cpu_s=3)
PATIENCE_S = 60.0  # wall time for all batches that are played a second time, alone
MOST_HIDDEN = 2  # times as much text in literals and names as in the starter; what is shorter has about as much
AREAS = ("Logger", "CacheStore", "RequestPipeline")

TYPES = {
    *("LogLevel", "LogFields", "LogEntry", "LogSink", "LoggerOptions", "CacheOptions", "CacheStats", "HttpMethod"),
    *("PipelineRequest", "PipelineResponse", "Handler", "Middleware", "PipelineOptions", "RetryOptions"),
}
VALUES = {"LOG_LEVELS", "formatEntry", "cacheKey", "withRetry", "withCache"}
CLASSES = {"Logger", "CacheStore", "PipelineError", "RequestPipeline"}  # values and types
EXPORTS = [
    *((name, kind) for kind, names in (("type", TYPES | CLASSES), ("value", VALUES | CLASSES)) for name in names)
]

pytestmark = pytest.mark.llm_task(id="ts-refactor", suite="six", points=20, floor=2, files=[FILE], toolchains=["node"])


# -- what is looked at ------------------------------------------------------------------------------------------------


COUNTS = {
    "hidden": ("literals", "names"),
    "copied": ("module", *AREAS),
    "dated": ("loops", "sums", "copies", "defaults"),
}


def value_of(result: CallResult) -> Any:
    """What a call in the sandbox returned; a miss when it did not."""
    if result.outcome != "returned" or result.value is None:
        pytest.fail(f"{result.outcome}: {result.type_name} {result.message}")
    return result.value


Count = Annotated[int, Interval(ge=0, lt=10**9)]


class Error(TypedDict):
    """An error of the compiler, and the part of the module that it is in."""

    inside: str
    message: str
    line: Count


class Types(TypedDict):
    """What the types say: errors of the module and of code that uses it, and what kinds of thing a name stands for."""

    errors: list[Error]
    consumer: list[Error]
    exports: dict[str, list[str]]


Measures = TypedDict(
    "Measures",
    {
        "text": str,
        "making": list[str],
        **dict.fromkeys(("code", "branches", "methods", "searches"), Count),
        **{group: TypedDict(group, dict.fromkeys(keys, Count)) for group, keys in COUNTS.items()},
    },
)
SHAPES = {"script": str, "types": Types, "measures": Measures}


@pytest.fixture(scope="module")
def compiled(sandbox: Sandbox, submission: Submission) -> Callable[[str], Any]:
    """``compiled("types")`` and so on: what ``compile.mjs`` says of the reply. No code of the reply runs there."""

    @cache
    def results():
        if FILE not in submission.files:
            pytest.fail(f"{FILE} was not handed in")
        return looks(sandbox, submission.files[FILE])

    return lambda what: checked(value_of(results()[what]), SHAPES[what], f"what the compiler said of the {what}")


def looks(sandbox: Sandbox, text: str) -> dict[str, CallResult]:
    whats = ("script", "types", "measures")
    calls = [[what, text, CONSUMER.read_text(encoding="utf-8")] for what in whats]
    return dict(zip(whats, sandbox.calls(COMPILE, "look", calls, COMPILE_LIMITS), strict=True))


class Starter:
    """What the starter does and how it measures. It never changes, so that it is looked at once in a session."""

    measures = None
    logs = None

    @classmethod
    def meet(cls, sandbox: Sandbox, text: str) -> type["Starter"]:
        """Have a look at the starter, unless that was done. An error of ours is not a miss of the model."""
        if cls.logs is None:
            found = looks(sandbox, text)
            played = plays(sandbox, found["script"].value).together
            if any(one.outcome != "returned" for one in (*found.values(), *played.values())):
                raise HarnessError(f"the starter cannot be looked at: {shortened([found, played])}")
            cls.measures = found["measures"].value
            cls.logs = {key: result.value["logs"] for key, result in played.items()}
        return cls


@pytest.fixture(scope="module")
def original(sandbox: Sandbox, starter: Mapping[str, str]) -> type[Starter]:
    """The class above, after it has met the starter."""
    return Starter.meet(sandbox, starter[FILE])


@pytest.fixture(scope="module")
def played(sandbox: Sandbox, compiled: Callable[[str], Any]) -> Callable[[], Batches[tuple[str, str]]]:
    """Gives the results of all batches."""
    return cache(lambda: plays(sandbox, compiled("script")))


@pytest.fixture(scope="module")
def differences(played, original: type[Starter]) -> Callable[[str, str], str]:
    """``differences("Logger", "basic")``: the first script of a batch that the reply plays otherwise, or ""."""

    @cache
    def difference(area, batch):
        result = played()[area, batch]
        if result.outcome != "returned":
            return f"{area}: {result.outcome}: {result.type_name} {result.message}"
        match result.value:
            case {"error": error}:
                return f"{area}: {shortened(error)}"
            case {"logs": list(logs)}:
                return first_difference(SCRIPTS[area][batch], original.logs[area, batch], logs)
        return f"{area}: the module, which shares the probe's world, has put its logs otherwise"

    return difference


def plays(sandbox: Sandbox, script: str) -> Batches[tuple[str, str]]:
    """What a compiled module does in each batch of each area."""
    calls = {(area, batch): [script, area, SCRIPTS[area][batch]] for area in AREAS for batch in SCRIPTS[area]}
    return Batches(sandbox, PLAY, "play", calls, PLAY_LIMITS, alone_s=PATIENCE_S, canary=next(iter(calls)))


def first_difference(scripts, expected, logs):
    """Where logs differ, in words; "" if nowhere. The order of an object's keys does not count."""
    if len(logs) != len(scripts):
        return "the module, which shares the probe's world, has put its logs otherwise"
    for script, right, log in zip(scripts, expected, logs, strict=True):
        if is_same(log, right):
            continue
        told = log if isinstance(log, list) else []
        pairs = enumerate(zip(right, told, strict=False))
        at = next((index for index, pair in pairs if not is_same(*pair)), min(len(right), len(told)))
        return f"{shortened(told[at : at + 1])}, not {shortened(right[at : at + 1])} in {shortened(script)}"
    return ""


def is_same(a, b):
    """Equal with equal types throughout: 1 is not True."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(is_same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(is_same, a, b))
    return type(a) is type(b) and a == b


# -- scripts ----------------------------------------------------------------------------------------------------------


LEVELS = ("debug", "info", "warn", "error")
FIELDS = (None, {}, {"user": "ann", "n": 1}, {"late": None, "list": [1, 2]}, {"error": "own", "user": "bob"})


def logger_script(seed):
    rng = seeded(seed)
    names, steps = ["root"], []

    def fields():
        chosen = rng.choice(FIELDS)
        return [] if chosen is None else [chosen]

    for number in range(30):
        name, level, text = rng.choice(names), rng.choice(LEVELS), f"message {number}"
        kind = rng.choice(("log", "log", "log", "lazy", "failure", "shouldLog", "count", "child", "advance", "meddle"))
        if kind == "log":
            steps.append([level, name, text, *fields()])
        elif kind == "lazy":
            steps.append(["lazy", name, text, *fields()])
        elif kind == "failure":
            steps.append(["failure", name, rng.choice(("TypeError", "Odd")), text, *fields()])
        elif kind in ("shouldLog", "count"):
            steps.append([kind, name, level])
        elif kind == "child":
            names.append(f"child{number}")
            steps.append(["child", name, names[-1], rng.choice(("db", "http")), *fields()])
        else:
            steps.append(["advance", rng.randint(1, 5000)] if kind == "advance" else ["meddle"])
    options = {
        **({"level": rng.choice((*LEVELS, "silent", "debug"))} if seed % 5 else {}),
        **({"scope": "app"} if seed % 2 else {}),
        **({"fields": {"app": "x", "user": "root"}} if seed % 3 else {}),
        **({"sinks": seed % 4} if seed % 4 else {}),
        "clock": bool(seed % 2),
    }
    everything = [[what, name, level] for name in names for level in LEVELS for what in ("count", "shouldLog")]
    return {"options": options, "steps": [*steps, *everything]}


def format_script(seed):
    rng = seeded(seed)
    values = ("text", "with space", "", 0, 1.5, True, None, [1, "a"], {"a": {"b": 1}})
    entries = [
        {
            "time": 1_700_000_000_000 + rng.randint(0, 10**10),
            "level": level,
            "scope": rng.choice(("", "app", "app:db")),
            "message": rng.choice(("started", "a b c", "")),
            "fields": {name: rng.choice(values) for name in rng.sample("abcdef", rng.randint(0, 4))},
        }
        for level in LEVELS * 3
    ]
    return {"options": {}, "steps": [["levels"], *(["format", entry] for entry in entries)]}


def cache_script(seed):
    rng = seeded(seed)
    keys = ["a", "b", "c", "d", "10", "9", "__proto__", ""][: 4 + seed % 5]
    steps = []
    for _ in range(80):
        key, what = (
            rng.choice(keys),
            rng.choice(("get", "get", "has", "set", "set", "set", "delete", "keys", "advance")),
        )
        if what == "set":
            value = rng.choice((1, 0, "", "text", None, False, [1]))
            steps.append(["set", key, value, *([rng.choice((0, 5, 50))] if rng.random() < 0.3 else [])])
        elif what == "advance":
            steps.append(["advance", rng.choice((1, 5, 10, 40))])
        else:
            steps.append([what] if what == "keys" else [what, key])
        if rng.random() < 0.1:
            steps.append(["meddle"])
        if rng.random() < 0.2:
            steps.append(["stats"])
    options = {"capacity": 1 + seed % 4, "clock": bool(seed % 2), **({"ttl": 20} if seed % 3 else {})}
    return {"options": options, "steps": [*steps, ["keys"], ["stats"]]}


OUTCOMES = (
    *({"status": status, "body": {"n": status}} for status in (200, 200, 201, 204, 299, 300, 304, 399)),
    *({"status": status, "body": "no"} for status in (400, 404, 404, 499, 500, 503)),
    {"fails": "no route", "kind": "error"},
    {"fails": "just text", "kind": "text"},
    {"fails": "refused", "kind": "own"},
)
HEADERS = (None, {}, {"accept": "text"}, {"content-type": "text/plain", "x": "1"}, {"x": "2", "b": "1", "a": "2"})


def request_steps(rng, count):
    steps = []
    for number in range(count):
        what, headers = rng.choice(("get", "get", "post", "delete")), rng.choice(HEADERS)
        body = [rng.choice(({"n": number}, "text", None, 0))] if what == "post" else []
        steps.append([what, f"/{rng.choice('xyz')}", *body, *([] if headers is None else [headers])])
    return steps


def pipeline_script(seed, *, middleware=True):
    rng = seeded(seed)
    answers = [{"ms": rng.randint(0, 90), **rng.choice(OUTCOMES)} for _ in range(12)]
    uses = [
        ["use", "retry", {"attempts": 1 + seed % 4, "delay": 100}],
        ["use", "cache", {"capacity": 10}],
        ["use", "tag", "outer"],
        ["use", "tag", "inner"],
        *([["use", "breaks", "broken"], ["use", "answer", 404]] if seed % 4 == 0 else []),
    ]
    rng.shuffle(uses)
    options = {
        "answers": answers,
        "level": "debug",  # what Logger and CacheStore do wrong elsewhere is not to be met again here
        "clock": bool(seed % 2),
        **({"headers": {"content-type": "app", "x": "0"} if seed % 3 == 1 else {"x": "0"}} if seed % 3 else {}),
    }
    used = uses[: rng.randint(1, len(uses))] if middleware else []
    return {"options": options, "steps": [*used, *request_steps(rng, 14)]}


REQUESTS = [
    {"method": "GET", "url": "/x", "headers": dict(rng)} for rng in ({}, {"b": "1", "a": "2"}, {"B": "1", "a": ""})
]
PLAIN = {"answers": [{"ms": 5, "status": 200, "body": "fine"}], "level": "debug", "clock": True}
SCRIPTS = {
    "Logger": {
        "basic": [
            {
                "options": {"level": "debug", "sinks": 1, "clock": True, "scope": "app"},
                "steps": [[level, "root", f"a {level} message", {"n": 1}] for level in LEVELS],
            }
        ],
        "all": [*map(logger_script, range(30)), *map(format_script, range(3))],
    },
    "CacheStore": {
        "basic": [
            {
                "options": {"capacity": 2, "clock": True},
                "steps": [["set", "a", 1], ["set", "b", 2], ["get", "a"], ["set", "c", 3], ["get", "b"], ["get", "c"]],
            }
        ],
        "all": [
            *map(cache_script, range(30)),
            *({"options": {"capacity": capacity}, "steps": [["keys"]]} for capacity in (0, -1, 1)),
        ],
    },
    "RequestPipeline": {
        "basic": [{"options": PLAIN, "steps": [["get", "/x"], ["post", "/x", {"n": 1}], ["delete", "/x"]]}],
        "all": [
            *(pipeline_script(seed, middleware=False) for seed in range(12)),
            *(pipeline_script(seed) for seed in range(100, 130)),
            {"options": PLAIN, "steps": [["key", request] for request in REQUESTS]},
            {"options": PLAIN, "steps": [["fail", "text", REQUESTS[0]], ["fail", "text", REQUESTS[1], 500]]},
        ],
    },
}


# -- rubric: the compiler's view --------------------------------------------------------------------------------------


def told(errors):
    return "; ".join(f"line {error['line']}: {error['message']}" for error in errors[:5])


@pytest.mark.rubric("type-checks", points=4)
def test_type_checks(compiled):
    """The module compiles without an error under strict; comments that silence the compiler are not heeded."""
    types = compiled("types")
    assert types["exports"], f"{FILE} exports nothing"
    assert not types["errors"], told(types["errors"])


@pytest.mark.rubric("consumers-compile", points=2)
def test_consumers_compile(compiled):
    """Code that uses the exports compiles as before, however they are declared now."""
    errors = compiled("types")["consumer"]
    users = sorted({error["inside"][:60] for error in errors})[:9]
    assert not errors, f"using {', '.join(users)}: {told(errors)}"


def missing_exports(compiled):
    kinds = compiled("types")["exports"]
    return sorted({name for name, kind in EXPORTS if kind not in kinds.get(name, [])})


@pytest.mark.rubric("exports-all", cap=8)
def test_exports_all(compiled):
    """All 23 names are exported, as a value, a type or both, as before."""
    missing = missing_exports(compiled)
    assert not missing, f"not exported as before: {', '.join(missing)}"


@pytest.mark.rubric("exports-most", cap=4)
def test_exports_most(compiled):
    """Three quarters of the names are exported: else this is another module."""
    missing = missing_exports(compiled)
    assert len(missing) <= len(TYPES | VALUES | CLASSES) / 4, f"not exported as before: {', '.join(missing)}"


# -- rubric: behaviour ------------------------------------------------------------------------------------------------


@pytest.mark.rubric("logger-works", points=1)
def test_logger_works(differences):
    """Each level reaches the sink."""
    assert not differences("Logger", "basic"), differences("Logger", "basic")


@pytest.mark.rubric("cache-works", points=1)
def test_cache_works(differences):
    """A full store drops what was used least recently."""
    assert not differences("CacheStore", "basic"), differences("CacheStore", "basic")


@pytest.mark.rubric("pipeline-works", points=1)
def test_pipeline_works(differences):
    """Requests go out, answers come back, both are logged."""
    assert not differences("RequestPipeline", "basic"), differences("RequestPipeline", "basic")


@pytest.mark.rubric("keeps-logger", cap=8)
def test_keeps_logger(differences):
    """Levels, lazy messages, errors, fields, children, counts and the format are as before."""
    assert not differences("Logger", "all"), differences("Logger", "all")


@pytest.mark.rubric("keeps-cache", cap=8)
def test_keeps_cache(differences):
    """Order of use, expiry, counts and odd values are as before."""
    assert not differences("CacheStore", "all"), differences("CacheStore", "all")


@pytest.mark.rubric("keeps-pipeline", cap=8)
def test_keeps_pipeline(differences):
    """Headers, statuses, errors, log entries, middleware, retries and caching are as before."""
    assert not differences("RequestPipeline", "all"), differences("RequestPipeline", "all")


@pytest.mark.rubric("keeps-two-areas", cap=5)
def test_keeps_two_areas(differences):
    """At least two of logger, cache and pipeline are as before."""
    changed = [area for area in AREAS if differences(area, "all")]
    assert len(changed) <= 1, "; ".join(differences(area, "all") for area in changed)


@pytest.mark.rubric("runs", cap=4)
def test_runs(differences):
    """The module loads and some of it works: fine style around nothing is worth nothing."""
    broken = [differences(area, "basic") for area in AREAS]
    assert not all(broken), "; ".join(broken)


# -- rubric: the refactoring ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measures(compiled, played, original: type[Starter]):
    """Gives the reply's and the starter's measures, unless there may be code that was not measured."""

    def both():
        reply = compiled("measures")
        assert reply["code"], "there is no code, only types"
        made = [shortened(text) for text in reply["making"]]
        assert not made, f"makes code at run time, which cannot be measured: {', '.join(made)}"
        for result in played().together.values():
            match result.value:
                case {"made": made} if made:
                    pytest.fail("makes code at run time, which cannot be measured")
        # A program could be kept in texts, numbers or names and read from there. What there is to say and to name does
        # not grow like that.
        hidden, before = (sum(one["hidden"][kind] for kind in COUNTS["hidden"]) for one in (reply, original.measures))
        assert hidden <= MOST_HIDDEN * before, f"{hidden} characters in literals and names, {before} before"
        return reply, original.measures

    return both


def check_copies(measures, part):
    """A fifth may be left: one short piece that stands there a second time does not make a duplicate."""
    reply, starter = measures()
    count, before = reply["copied"][part], starter["copied"][part]
    assert count <= 0.2 * before, f"{part}: {count} of {before} repeated tokens are left"


def label_style(measures, label: Label) -> None:
    """Which way the level methods and the order of use went."""
    reply, starter = measures()
    if reply["copied"]["Logger"] > 0.2 * starter["copied"]["Logger"]:
        label("levels", "copies")
    else:
        label("levels", "methods" if reply["methods"] else "generated")
    label("order-of-use", "key-list" if reply["searches"] else "map-order")


@pytest.mark.rubric("anything-changed", cap=2)
def test_anything_changed(measures):
    """The code is not the starter's, token by token."""
    reply, starter = measures()
    assert reply["text"] != starter["text"], "the same code as before, comments and layout aside"


@pytest.mark.rubric("one-log-function", points=2)
def test_one_log_function(measures, label: Label):
    """The levels share what they do: by a function, generated methods, a table or otherwise."""
    label_style(measures, label)
    check_copies(measures, "Logger")


@pytest.mark.rubric("one-request-function", points=2)
def test_one_request_function(measures):
    """The methods that send a request share what they do."""
    check_copies(measures, "RequestPipeline")


@pytest.mark.rubric("one-cache-rule", points=2)
def test_one_cache_rule(measures):
    """That an entry expires, and how it is taken out or put last, is written down once."""
    check_copies(measures, "CacheStore")


@pytest.mark.rubric("should-log", points=1)
def test_should_log(measures):
    """Whether a level is logged is a comparison, not a tree of cases."""
    reply, starter = measures()
    assert reply["branches"] <= starter["branches"] / 3, f"{reply['branches']} branches, {starter['branches']} before"


@pytest.mark.rubric("modern", points=2)
@pytest.mark.parametrize("kind", ["loops", "sums", "copies", "defaults"])
def test_modern(measures, kind):
    """Of what the language has newer means for, at most a quarter is left."""
    reply, starter = measures()
    count, before = reply["dated"][kind], starter["dated"][kind]
    assert count <= before / 4, f"{kind}: {count} of {before} are left"


@pytest.mark.rubric("shorter", points=2)
@pytest.mark.parametrize("share", [0.9, 0.75])
def test_shorter(measures, share):
    """The module has clearly fewer tokens, types, comments and layout aside."""
    reply, starter = measures()
    assert reply["code"] <= share * starter["code"], f"{reply['code']} tokens, {starter['code']} before"


@pytest.mark.rubric("not-longer", cap=11)
def test_not_longer(measures):
    """Whatever was moved where, there is no more of it."""
    reply, starter = measures()
    assert reply["code"] <= starter["code"], f"{reply['code']} tokens, {starter['code']} before"


@pytest.mark.rubric("fewer-copies", cap=11)
def test_fewer_copies(measures):
    """Some of the duplication is gone: what else was tidied, also within the copies, does not make up for it."""
    reply, starter = (one["copied"]["module"] / one["code"] for one in measures())  # there is code: measures() looked
    assert reply <= 0.9 * starter, f"{reply:.0%} of all tokens are repeated ones, {starter:.0%} before"


@pytest.mark.rubric("few-copies", cap=15)
def test_few_copies(measures):
    """Most of the duplication is gone, not only in one or two of the three areas."""
    check_copies(measures, "module")
