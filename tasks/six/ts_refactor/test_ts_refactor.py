"""A TypeScript module full of copies to be refactored: same behaviour, same exports, less code.

The TypeScript compiler looks at the reply in a process in which none of it runs (``compile.mjs``): types, exports and
measures over tokens cannot be forged. Behaviour is compared with that of the starter: both play the same scripts on a
virtual clock (``play.mjs``), each in a process of its own, in a world in which no text becomes code. How the module is
written is free: classes, closures, generated methods and tables all count, as long as each rule is written down once.

The scripts are in ``scripts.py``, ``compiler.py`` and ``behaviour.py`` have them looked at and played. Here are the
points.
"""

import runpy
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_llmbench import (
    Batches,
    CallResult,
    HarnessError,
    Label,
    Sandbox,
    Submission,
    checked,
    shortened,
)

FILE = "pipeline.ts"
HERE = Path(__file__).parent
COMPILER, BEHAVIOUR = (SimpleNamespace(**runpy.run_path(str(HERE / name))) for name in ("compiler.py", "behaviour.py"))
SCRIPTS = runpy.run_path(str(HERE / "scripts.py"))["SCRIPTS"]
AREAS, COUNTS = COMPILER.AREAS, COMPILER.COUNTS
MOST_HIDDEN = 2  # times as much text in literals and names as in the starter; what is shorter has about as much

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


def value_of(result: CallResult) -> Any:
    """What a call in the sandbox returned; a miss when it did not."""
    if result.outcome != "returned" or result.value is None:
        pytest.fail(f"{result.outcome}: {result.type_name} {result.message}")
    return result.value


@pytest.fixture(scope="module")
def compiled(sandbox: Sandbox, submission: Submission) -> Callable[[str], Any]:
    """``compiled("types")`` and so on: what ``compile.mjs`` says of the reply. No code of the reply runs there."""

    @cache
    def results():
        if FILE not in submission.files:
            pytest.fail(f"{FILE} was not handed in")
        return COMPILER.looks(sandbox, submission.files[FILE])

    return lambda what: checked(
        value_of(results()[what]), COMPILER.SHAPES[what], f"what the compiler said of the {what}"
    )


class Starter:
    """What the starter does and how it measures. It never changes, so that it is looked at once in a session."""

    measures = None
    logs = None

    @classmethod
    def meet(cls, sandbox: Sandbox, text: str) -> type["Starter"]:
        """Have a look at the starter, unless that was done. An error of ours is not a miss of the model."""
        if cls.logs is None:
            found = COMPILER.looks(sandbox, text)
            played = BEHAVIOUR.plays(sandbox, found["script"].value, SCRIPTS).together
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
    return cache(lambda: BEHAVIOUR.plays(sandbox, compiled("script"), SCRIPTS))


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
                return BEHAVIOUR.first_difference(SCRIPTS[area][batch], original.logs[area, batch], logs)
        return f"{area}: the module, which shares the probe's world, has put its logs otherwise"

    return difference


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


@pytest.mark.rubric("no-any", penalty=4)
@pytest.mark.parametrize("most", [0, 2, 6, 20])
def test_no_any(compiled, original: type[Starter], most):
    """No type is `any`: what it is given to, the compiler is silent about. Few of them cost less than many."""
    count, before = (measured["anys"] for measured in (compiled("measures"), original.measures))
    assert count - before <= most, f"{count} types are `any`, {before} before"


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
