"""Logging, a rate limit for each IP and a graceful shutdown for a ``net/http`` server.

The program is built once. ``probe.py`` then runs it several times side by side and sends real requests; what it saw is
judged here. A program that cannot be built is mended where the compiler says how (``repair.py``), and the rest of it is
judged like any other, under a cap.

No verdict against a program depends on the machine's speed. A limiter may let 10 + 10 t requests through in t seconds,
and t is what the probe measured: whatever delays a request makes it longer. Where such a delay hides what a wrong
limiter does, the probe tries again.
"""

import json
import re
import runpy
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_llmbench import (
    CallResult,
    ExecResult,
    HarnessError,
    Label,
    Limits,
    Row,
    Sandbox,
    SourceFile,
    SourceFinder,
    fits,
    seeded,
    shortened,
)

HERE = Path(__file__).parent
PROBE = HERE / "probe.py"
REPAIR, LIMITER, SHAPES = (
    SimpleNamespace(**runpy.run_path(str(HERE / name))) for name in ("repair.py", "limiter.py", "shapes.py")
)
ROUNDS = 4
"""Of repairs: a compiler may say the next thing only when the first is mended."""
BUILDS_CPU_S = 60
"""For all builds of one reply together."""
BUILD_LIMITS = Limits(cpu_s=30, wall_s=30, memory_mb=2048, processes=200)
RUN_LIMITS = Limits(cpu_s=10, wall_s=45, processes=400)
STARVED_S = 0.5
"""Servers and probe together must have waited so long for a CPU that other work had, before that excuses them."""

LIMIT = LIMITER.LIMIT
SHUTDOWN_MS = 800
PARALLEL_MS = 400
STRANGERS = 1000
CROWD = 4000
TTL_S = 1
"""As the probe sets it for every server."""
GROWS_KB = 160
"""40 bytes for each IP of a crowd, which is less than the smallest table needs; a server that forgets grows by less."""

pytestmark = pytest.mark.llm_task(
    id="go-middleware", suite="six", points=20, floor=2, files=["main.go"], toolchains=["go", "python"]
)


class Build:
    """The built program."""

    def __init__(self, said, *, ok, repairs):
        self.said = said
        """The compiler's words about the file as it was handed in."""
        self.ok = ok
        self.repairs = repairs


@pytest.fixture(scope="module")
def build(sandbox: Sandbox, workspace: Path, source: SourceFinder) -> Build:
    """Build the server, as it is or mended, while the budget lasts."""
    file = source("main.go")
    (workspace / "rate").mkdir(exist_ok=True)
    (workspace / "rate" / "rate.go").write_bytes((HERE / "rate.go").read_bytes())
    text, first, left_s = file.text, None, BUILDS_CPU_S
    for repairs in range(ROUNDS + 1):
        result = go_build(sandbox, replace(BUILD_LIMITS, cpu_s=min(BUILD_LIMITS.cpu_s, left_s)))
        first = result.stderr if first is None else first
        left_s -= result.cpu_s
        if result.ok:
            return Build(first, ok=True, repairs=repairs)
        if result.limit_hit or left_s <= 0:
            return Build(f"over budget: go build {result.ending}; {first}", ok=False, repairs=repairs)
        mended = REPAIR.repaired(text, result.stderr, lambda text: SourceFile(file.name, text).root)
        if mended is None:
            break
        text = mended
        (workspace / "main.go").write_text(text, encoding="utf-8")
    return Build(first, ok=False, repairs=repairs)


def go_build(sandbox: Sandbox, limits: Limits) -> ExecResult:
    """Build what is in the workspace; the one place where a command makes something that later ones need."""
    return sandbox.run(["go", "build", "-gcflags=-e", "-ldflags=-s -w", "-o", "server", "."], limits, keep=["server"])


@pytest.fixture(scope="module")
def asked(source: SourceFinder) -> "Questions":
    """What the server is asked, another thing for every reply, so that no answer can be known beforehand."""
    return Questions(source("main.go").text)


@pytest.fixture(scope="module")
def observed(build: Build, sandbox: Sandbox, asked: "Questions") -> CallResult | None:
    """What the probe saw, as a ``CallResult``; None when there is no program."""
    if not build.ok:
        return None
    plan = {
        "limit": [],
        "steady": [],
        "strangers": [STRANGERS],
        "windows": [],
        "parallel": [PARALLEL_MS],
        "api": [[[method, path, body] for method, path, body, *_ in asked.requests], asked.unknown, asked.report_ms],
        "shutdown": [SHUTDOWN_MS],
        "crowd": [CROWD, GROWS_KB],
    }
    result = sandbox.call(PROBE, "observe", plan, limits=RUN_LIMITS, loopback=True)
    if result.outcome == "returned" and isinstance(result.value, dict):
        broken = [name for name in plan if not fits(result.value.get(name), OBSERVATIONS[name])]
        # Once more, so that no accident counts. A collector of garbage that waits for a CPU lets a heap grow: memory
        # that grew while everything ran side by side is measured with nothing beside it.
        grown = ["crowd"] if "crowd" not in broken and grows(result.value["crowd"]["memory_kb"]) else []
        if again := {name: plan[name] for name in (*broken, *grown)}:
            repeated = sandbox.call(PROBE, "observe", again, limits=RUN_LIMITS, loopback=True)
            if repeated.outcome == "returned" and isinstance(repeated.value, dict):
                for name in again:
                    value = repeated.value.get(name)
                    if name in broken or fits(value, OBSERVATIONS[name]):
                        result.value[name] = value
    return result


def grows(memory_kb: list[int]) -> list[float]:
    """By how much each wave of new IPs made the server larger, on average; empty for one that does not grow so.

    Whoever keeps every IP grows whenever their number doubles: with the second wave, and with the two after it.
    """
    if len(memory_kb) not in (2, 4):
        return []
    first, *waves = memory_kb
    grown_kb: list[float] = [waves[0] - first]
    if len(waves) == 3:  # a wave each, of two
        grown_kb.append((waves[2] - waves[0]) / 2)
    return grown_kb if min(grown_kb) >= GROWS_KB else []


@pytest.fixture(scope="module")
def seen(build, observed):
    """One scenario's observations: ``seen("limit")``; a miss where the program spoilt it."""

    def scenario(name):
        if observed is None:
            pytest.fail(f"the program cannot be built: {shortened(build.said)}")
        if observed.outcome != "returned":
            pytest.fail(f"the servers ended the probe: {observed.outcome}: {observed.message}")
        value = observed.value.get(name) if isinstance(observed.value, dict) else None
        if not fits(value, OBSERVATIONS[name]):
            pytest.fail(f"{name}: the server did not start, or broke the exchange: {shortened(value)}")
        return value

    return scenario


@pytest.fixture(scope="module")
def timely(observed):
    """Make sure that a scenario went as planned, where one that did not would hide what is asked."""

    def check(scenario):
        if scenario["timely"]:
            return
        explained = scenario["waited"] > scenario["excess"] / 2
        if explained and observed.execution.waited_s > STARVED_S:
            raise HarnessError("the machine was too busy to judge the server's timing: run fewer workers (-n)")
        pytest.fail("the server answered too slowly")

    return check


# -- what the probe may report ---------------------------------------------------------------------------------------

Number, Whole, Text, Some, record = SHAPES.Number, SHAPES.Whole, SHAPES.Text, SHAPES.Some, SHAPES.record
Status = Whole | Text
Sent = Row[tuple[Number, Number, Status]]
Answer = Row[tuple[Number, Number, Status, SHAPES.Headers, Text]]
TRIED = {"timely": bool, "excess": Number, "waited": Number}
BURSTS = {"first": Some[Sent], "second": Some[Sent], **TRIED}
Bursts, Around = record(**BURSTS), record(opener=Some[Sent], **BURSTS)
OBSERVATIONS = {
    "limit": record(burst=Some[Sent], forged=Some[Sent], other=Some[Sent], again=Some[Sent], **TRIED),
    "steady": record(below=Some[Sent], beyond=Some[Sent]),
    "strangers": record(asked=Some[Sent], answers=Some[Row[tuple[Text, Whole]]]),
    "windows": record(around=Row[tuple[(Around,) * 4]], within=Row[tuple[(Bursts,) * 4]]),
    "parallel": record(reports=Row[tuple[(Answer,) * 3]], **TRIED),
    "api": record(answers=Some[Answer], burst=Some[Sent], report=Answer, exit=Whole | None, log=Text),
    "shutdown": record(
        answer=Answer,
        signalled=Number,
        refused=Number | None,
        alive=bool,
        accepted=bool,
        exit=Whole | None,
        **TRIED,
    ),
    "crowd": record(memory_kb=Some[Whole], let_through=Some[Whole]),
}


# -- the program as a whole ------------------------------------------------------------------------------------------


@pytest.mark.rubric("builds", cap=11)
def test_builds(build):
    """The program is built as it was handed in."""
    assert build.ok, f"not built: {shortened(build.said)}"
    assert not build.repairs, f"built only after {build.repairs} rounds of repairs: {shortened(build.said)}"


STATUSES = {"200", "201", "204", "400", "404", "405", "422", "429"}
WORDS = [
    "tea",
    "milk",
    "bread",
    "lamp",
    "river",
    "stone",
    "cloud",
    "paper",
    "garden",
    "window",
    "copper",
    "button",
    "ladder",
    "candle",
]


class Questions:
    """What the server is asked of notes, and what it has to answer; drawn by the text of the reply."""

    def __init__(self, text):
        rng = seeded(text)
        first, second = (
            {"title": " ".join(rng.sample(WORDS, 2)), "text": " ".join(rng.sample(WORDS, rng.randint(2, 6)))}
            for _ in range(2)
        )
        third = {"title": rng.choice(WORDS), "id": rng.randint(20, 90)}
        error = "no such note"
        kept = [{"id": 1, **first}, {"id": 3, "title": third["title"], "text": ""}]
        self.requests = [
            ("GET", "/notes", "", 200, []),
            ("POST", "/notes", json.dumps(first), 201, kept[0]),
            ("POST", "/notes", json.dumps(second), 201, {"id": 2, **second}),
            ("POST", "/notes", json.dumps(third), 201, kept[1]),
            ("GET", "/notes/2", "", 200, {"id": 2, **second}),
            ("POST", "/notes", rng.choice(["{", "[1, 2]", '"tea"', '{"title": 3}']), 400, {"error": BAD_BODY}),
            ("POST", "/notes", json.dumps({"title": " " * rng.randint(0, 3)}), 422, {"error": "a note needs a title"}),
            ("DELETE", "/notes/2", "", 204, None),
            ("DELETE", "/notes/2", "", 404, {"error": error}),
            ("GET", f"/notes/{rng.choice(WORDS)}", "", 404, {"error": error}),
            ("GET", "/notes", "", 200, kept),
            ("PUT", "/notes/1", "{}", 405, ...),
            ("GET", f"/{rng.choice(WORDS)}/{rng.choice(WORDS)}", "", 404, ...),
        ]
        """Method, path, body, status and JSON of the answer; None: no body, ...: whatever net/http says."""
        self.unknown = f"/notes/{rng.randint(20, 90)}"
        """A note that is not there, which is asked for beyond the limit."""
        self.report = f"2 notes, {len(first['text'].split())} words\n"
        self.report_ms = rng.randint(620, 680)
        """A number that is no status, and unlikely to stand in a log by chance."""


BAD_BODY = "the body is no JSON of a note"


@pytest.mark.rubric("keeps-endpoints", cap=12)
def test_endpoints_work_as_before(seen, asked):
    """Every endpoint answers with the status, the headers and the body that it had."""
    api = seen("api")
    assert len(api["answers"]) == len(asked.requests), "not every request was answered"
    for request, (_, _, status, headers, body) in zip(asked.requests, api["answers"], strict=True):
        method, path, sent, expected_status, expected = request
        about = f"{method} {path} {sent}: {status} {shortened(body)}"
        assert status == expected_status, f"{about}, not {expected_status}"
        if expected is None:
            assert body == "", about
        elif expected is not ...:
            right = SHAPES.parsed(body) == expected
            assert right, about
            assert headers.get("content-type") == "application/json", f"{about} {shortened(headers)}"
        if status == 201:
            assert headers.get("location") == f"/notes/{expected['id']}", f"{about} {shortened(headers)}"
    _, _, status, headers, body = api["report"]
    assert (status, shortened(body)) == (200, asked.report), f"GET /report: {status} {shortened(body)}"
    assert headers.get("content-type") == "text/plain; charset=utf-8", f"GET /report: {shortened(headers)}"


@pytest.mark.rubric("side-by-side", cap=12)
def test_slow_requests_run_side_by_side(seen):
    """Three slow requests at once, two of them of one client, take hardly longer than one."""
    parallel = seen("parallel")
    times = [round(answered - sent, 1) for sent, answered, *_ in parallel["reports"]]
    assert [status for _, _, status, *_ in parallel["reports"]] == [200] * 3, "a slow request was not answered"
    assert parallel["timely"], f"requests of {PARALLEL_MS} ms at once took {times} seconds"


# -- logging ---------------------------------------------------------------------------------------------------------


def _lines(log, method, path):
    """The log's lines that have a method and a path; a path that goes on is another one."""
    wanted = [
        re.compile(rf"(?<![\w-]){method}(?![\w-])", re.IGNORECASE),
        re.compile(rf"{re.escape(path)}(?![\w/-])"),
    ]
    plain = re.sub(r"\x1b\[[\d;]*m", "", log)  # without colours
    return [line for line in plain.splitlines() if all(each.search(line) for each in wanted)]


def _missing(log, requests):
    """Those of some (method, path, status) that have no line each in the log. A line that says all says nothing."""
    missing = []
    for (method, path), count in Counter(request[:2] for request in requests).items():
        told = [STATUSES & set(re.findall(r"(?<![\w./])\d{3}(?!\w|\.\d)", line)) for line in _lines(log, method, path)]
        told = [statuses for statuses in told if len(statuses) < 3]
        if sum(bool(statuses - {"429"}) for statuses in told) > 2 * count:
            missing.append(f"{method} {path} (more lines than requests)")
        for status, times in Counter(str(request[2]) for request in requests if request[:2] == (method, path)).items():
            lines = sum(status in statuses for statuses in told)
            if lines < times:
                missing.append(f"{method} {path} {status} ({lines} lines for {times} requests)")
    return missing


def _handled(api, asked):
    """Requests that a handler of the program answers, with the status that the client saw."""
    return [(method, path, status) for method, path, status, expected in _answered(api, asked) if expected is not ...]


def _answered(api, asked):
    pairs = zip(asked.requests, api["answers"], strict=False)
    return [(request[0], request[1], answer[2], request[-1]) for request, answer in pairs]


def _durations(line):
    """Seconds that numbers in a log line may mean; a number without a unit may mean seconds, ms, microseconds or ns."""
    units = {"s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
    for number, unit in re.findall(r"(?<![\w.])(\d{1,15}(?:\.\d{1,15})?)\s?((?:ns|[uµμm]?s)\b)?", line):
        for factor in [units[unit]] if unit else [1, 1e-3, 1e-6, 1e-9]:
            yield float(number) * factor


@pytest.mark.rubric("logs-at-all", cap=14)
def test_there_is_a_log(seen, asked):
    """Most requests that a handler answered leave a line with their path."""
    api = seen("api")
    paths = [path for _, path, _ in _handled(api, asked)]
    logged = [path for path in paths if any(path in line for line in api["log"].splitlines())]
    assert len(logged) > len(paths) / 2, f"no line for most requests; the log is: {shortened(api['log'])}"


@pytest.mark.rubric("log-line", points=1)
def test_log_line_has_method_path_and_duration(seen, asked):
    """A line of the log has the request's method and path, and how long it took."""
    api = seen("api")
    quick = {(method, path): _lines(api["log"], method, path) for method, path, _ in _handled(api, asked)}
    for (method, path), lines in quick.items():
        assert lines, f"no line with {method} and {path}: {shortened(api['log'])}"
    # What is told of requests that took no time as well is not how long the report took.
    times = Counter(each for lines in quick.values() for each in {each for line in lines for each in _durations(line)})
    sent, answered, *_ = api["report"]
    lines = _lines(api["log"], "GET", "/report")
    shortest, longest = 0.95 * asked.report_ms / 1000, answered - sent + 0.05
    told = [
        {each for each in _durations(line) if shortest <= each <= longest and times[each] <= len(quick) / 2}
        for line in lines
    ]
    assert any(1 <= len(durations) <= 2 for durations in told), (
        f"no line about a report of {asked.report_ms} ms says how long it took: {shortened(lines)}"
    )


@pytest.mark.rubric("log-status", points=1)
def test_log_line_has_the_status(seen, asked):
    """The line has the status that the client got, also where a handler never names one."""
    api = seen("api")
    missing = _missing(api["log"], [*_handled(api, asked), ("GET", "/report", api["report"][2])])
    assert not missing, f"without a line that has the status: {missing}; the log is: {shortened(api['log'])}"


@pytest.mark.rubric("logs-every-request", points=1)
def test_log_has_what_no_handler_answers(seen, asked):
    """Unknown paths, methods that are not allowed and requests beyond the limit are logged as well."""
    api = seen("api")
    unknown = [(method, path, status) for method, path, status, each in _answered(api, asked) if each is ...]
    burst = [("GET", asked.unknown, status) for _, _, status in api["burst"]]
    assert 429 in [status for _, _, status in burst], "no request was turned away"
    missing = _missing(api["log"], unknown + burst)
    assert not missing, f"not logged: {missing}"


# -- rate limit ------------------------------------------------------------------------------------------------------


_passed = LIMITER.passed


def _statuses(sent):
    return " ".join(
        f"{count}x{status}" for status, count in sorted(Counter(str(status) for *_, status in sent).items())
    )


def _no_more(sent, about, spare=0):
    """No more than 10 + 10 t of these requests got through in any t seconds, but for those to spare."""
    wrong = LIMITER.too_many(sent, spare)
    assert not wrong, f"{about}: {wrong}"


def _no_less(sent, about):
    """None of these requests was refused before ten got through in a second."""
    wrong = LIMITER.too_few(sent)
    assert not wrong, f"{about}: {wrong}"


@pytest.fixture(scope="module")
def limited(seen):
    """The scenario of the limit, when there is one at all."""

    def scenario():
        limit = seen("limit")
        assert 429 in [status for _, _, status in limit["burst"]], (
            "there is no limit: of 20 requests at once none got 429"
        )
        return limit

    return scenario


@pytest.mark.rubric("lets-ten-through", cap=11)
def test_clients_within_the_limit_are_served(seen):
    """Most of the first ten requests of a client get through, at once."""
    burst = seen("limit")["burst"][:LIMIT]
    assert _passed(burst) >= LIMIT - 2, f"of a client's first {LIMIT} requests: {_statuses(burst)}"


@pytest.mark.rubric("ten-then-429", points=2)
def test_ten_pass_and_the_eleventh_gets_429(limited, timely):
    """Of twenty requests at once the first ten get through and the others get 429."""
    limit = limited()
    burst = limit["burst"]
    assert _passed(burst[:LIMIT]) == LIMIT, f"of the first {LIMIT}: {_statuses(burst[:LIMIT])}"
    assert {status for _, _, status in burst} == {200, 429}, _statuses(burst)
    _no_more(burst, f"{len(burst)} requests at once")
    timely(limit)


@pytest.mark.rubric("passes-again", points=1)
def test_passes_again_after_a_second(limited, seen):
    """A client below the limit is always served, and one beyond it again when its second is over, whatever it does."""
    again = limited()["again"]
    assert _passed(again) == LIMIT, f"after a pause: {_statuses(again)}"
    steady = seen("steady")
    _no_less(steady["below"], "a client of 8 requests a second")
    _no_less(steady["beyond"], "a client that asks on and on")


@pytest.mark.rubric("own-limit", points=1)
def test_every_ip_has_a_limit_of_its_own(limited, seen):
    """While one IP is turned away, others get through, however many; what a header says of the IP changes nothing."""
    limit = limited()
    assert _passed(limit["other"]) == len(limit["other"]), f"another IP got {_statuses(limit['other'])}"
    _no_more(limit["burst"] + limit["forged"], "with other IPs in X-Forwarded-For and X-Real-IP")
    strangers = seen("strangers")
    answers = Counter(dict(strangers["answers"]))
    assert answers == {"200": 9 * STRANGERS}, f"{STRANGERS} IPs with 9 requests each got {shortened(dict(answers))}"
    let_through = seen("crowd")["let_through"]
    assert set(let_through) == {CROWD}, f"of {CROWD} IPs with a request each were let through: {let_through}"


@pytest.mark.rubric("no-double-burst", points=5)
def test_no_double_burst_around_a_boundary(limited, seen, timely):
    """Around the end of a client's second, two bursts get no more through than one and what a steady rate adds."""
    limited()
    _no_more(seen("steady")["beyond"], "a client that asks on and on", spare=1)
    for bursts in seen("windows")["around"]:
        first, about = bursts["first"], "bursts around the boundary of a second"
        assert _passed(first) == len(first), f"of {len(first)} requests after 1 in a second: {_statuses(first)}"
        _no_more(bursts["opener"] + first + bursts["second"], about)
        _no_less(bursts["opener"] + first + bursts["second"], about)
        timely(bursts)


@pytest.mark.rubric("no-second-burst", points=1)
def test_no_second_burst_within_a_clients_second(limited, seen, timely):
    """A client that has used up its ten does not get more because some clock's second is over, or others came."""
    limited()
    _no_more(seen("strangers")["asked"], f"one IP, with {STRANGERS} others in between")
    for bursts in seen("windows")["within"]:
        assert _passed(bursts["first"]) == LIMIT, f"of the first {LIMIT}: {_statuses(bursts['first'])}"
        _no_more(bursts["first"] + bursts["second"], "two bursts within a client's second")
        timely(bursts)


@pytest.mark.rubric("forgets-idle-ips", points=1)
def test_idle_ips_are_forgotten(limited, seen):
    """The server's memory does not grow by a crowd of IPs when one as large came and went before."""
    limited()
    crowd = seen("crowd")
    memory_kb = crowd["memory_kb"]
    assert len(memory_kb) in (2, 4), "no growth was measured"
    grown_kb = grows(memory_kb)
    assert not grown_kb, f"{CROWD} IPs {2 * TTL_S} s after all others make it {grown_kb} KB larger"


# -- shutdown --------------------------------------------------------------------------------------------------------


@pytest.mark.rubric("finishes-in-flight", points=4)
def test_requests_in_flight_are_finished(seen):
    """A report that is being made when SIGTERM comes is answered in full."""
    shutdown = seen("shutdown")
    sent, answered, status, _, body = shutdown["answer"]
    assert sent < shutdown["signalled"], "no report was being made when SIGTERM was sent"
    assert (status, body) == (200, "0 notes, 0 words\n"), f"in flight: {status} {shortened(body)}"
    assert answered - sent >= SHUTDOWN_MS / 1000, "the report was cut short"


@pytest.mark.rubric("refuses-new-connections", points=1)
def test_new_connections_are_refused(seen, timely):
    """After SIGTERM, connections are refused while the request in flight goes on."""
    shutdown = seen("shutdown")
    assert shutdown["refused"] is not None, "new connections are accepted"
    assert shutdown["alive"], "there is no server left that could refuse"
    assert not shutdown["accepted"], "a connection was refused and the next one accepted"
    timely(shutdown)


@pytest.mark.rubric("exits-cleanly", points=1)
def test_exits_with_status_0(seen):
    """The server ends soon after the last answer, with status 0, on SIGTERM and on SIGINT."""
    for name, scenario in (("SIGTERM", "shutdown"), ("SIGINT", "api")):
        status = seen(scenario)["exit"]
        assert status is not None, f"it still runs seconds after {name}"
        assert status == 0, f"exit status {status} after {name}"


# -- what kind of solution it is -------------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def kind_of_limiter(observed: CallResult | None, label: Label, source: SourceFinder) -> None:
    """Label the limiter by what it does; by what it is called where nothing else tells."""
    label("limiter", _kind(observed.value if observed is not None else None, source("main.go").text.lower()))


def _kind(value, text):
    if not isinstance(value, dict) or not all(
        fits(value.get(name), OBSERVATIONS[name]) for name in ("limit", "windows")
    ):
        return "other"
    limit, windows = value["limit"], value["windows"]
    if 429 not in [status for _, _, status in limit["burst"]] or _passed(limit["burst"]) < LIMIT - 2:
        return "other"
    if any(_passed(bursts["first"] + bursts["second"]) >= 18 for bursts in windows["within"]):
        return "global-ticker" if "newticker" in text or "time.tick(" in text else "fixed-window"
    if any(_passed(bursts["first"] + bursts["second"]) >= 16 for bursts in windows["around"]):
        return "fixed-window"
    if all(_passed(bursts["second"]) >= 2 for bursts in windows["within"]):
        return "gcra" if "gcra" in text or "arrival" in text else "token-bucket"
    return "sliding-window"
