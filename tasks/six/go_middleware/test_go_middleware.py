"""Logging, a rate limit for each IP and a graceful shutdown for a ``net/http`` server.

The program is built once. ``probe.py`` then runs it several times side by side and sends real requests; what it saw is
judged here. A program that cannot be built is mended where the compiler says how (``repair.py``), and the rest of it is
judged like any other, under a cap.

No verdict against a program depends on the machine's speed. A limiter may let 10 + 10 t requests through in t seconds,
and t is what the probe measured: whatever delays a request makes it longer. Where such a delay hides what a wrong
limiter does, the probe tries again.

``building.py`` and ``repair.py`` build, ``questions.py`` and ``observing.py`` have the server observed, ``shapes.py``
says what may be taken for an answer, ``log.py`` reads the log and ``limiter.py`` says what a limiter owes. Here are the
points.
"""

import runpy
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_llmbench import CallResult, HarnessError, Label, Sandbox, SourceFinder, fits, shortened

HERE = Path(__file__).parent
BUILDING, OBSERVING, QUESTIONS, LOG, LIMITER = (
    SimpleNamespace(**runpy.run_path(str(HERE / name)))
    for name in ("building.py", "observing.py", "questions.py", "log.py", "limiter.py")
)
STARVED_S = 0.5
"""Servers and probe together must have waited so long for a CPU that other work had, before that excuses them."""

SHAPES, LIMIT = OBSERVING.SHAPES, LIMITER.LIMIT
OBSERVATIONS = SHAPES.OBSERVATIONS
SHUTDOWN_MS, PARALLEL_MS = OBSERVING.SHUTDOWN_MS, OBSERVING.PARALLEL_MS
STRANGERS, CROWD, TTL_S = OBSERVING.STRANGERS, OBSERVING.CROWD, OBSERVING.TTL_S

pytestmark = pytest.mark.llm_task(
    id="go-middleware", suite="six", points=20, floor=2, files=["main.go"], toolchains=["go", "python"]
)


# -- what is seen of a server ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def build(sandbox: Sandbox, workspace: Path, source: SourceFinder) -> Any:
    """Build the server, as it is or mended, while the budget lasts."""
    return BUILDING.built(sandbox, workspace, source("main.go"))


@pytest.fixture(scope="module")
def asked(source: SourceFinder) -> Any:
    """What the server is asked, another thing for every reply, so that no answer can be known beforehand."""
    return QUESTIONS.Questions(source("main.go").text)


@pytest.fixture(scope="module")
def observed(build: Any, sandbox: Sandbox, asked: Any) -> CallResult | None:
    """What the probe saw, as a ``CallResult``; None when there is no program."""
    return OBSERVING.observe(sandbox, asked) if build.ok else None


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


# -- the program as a whole ------------------------------------------------------------------------------------------


@pytest.mark.rubric("builds", cap=11)
def test_builds(build):
    """The program is built as it was handed in."""
    assert build.ok, f"not built: {shortened(build.said)}"
    assert not build.repairs, f"built only after {build.repairs} rounds of repairs: {shortened(build.said)}"


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


def _handled(api, asked):
    """Requests that a handler of the program answers, with the status that the client saw."""
    return [(method, path, status) for method, path, status, expected in _answered(api, asked) if expected is not ...]


def _answered(api, asked):
    pairs = zip(asked.requests, api["answers"], strict=False)
    return [(request[0], request[1], answer[2], request[-1]) for request, answer in pairs]


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
    quick = {(method, path): LOG.lines_about(api["log"], method, path) for method, path, _ in _handled(api, asked)}
    for (method, path), lines in quick.items():
        assert lines, f"no line with {method} and {path}: {shortened(api['log'])}"
    # What is told of requests that took no time as well is not how long the report took.
    times = Counter(
        each for lines in quick.values() for each in {each for line in lines for each in LOG.durations(line)}
    )
    sent, answered, *_ = api["report"]
    lines = LOG.lines_about(api["log"], "GET", "/report")
    shortest, longest = 0.95 * asked.report_ms / 1000, answered - sent + 0.05
    told = [
        {each for each in LOG.durations(line) if shortest <= each <= longest and times[each] <= len(quick) / 2}
        for line in lines
    ]
    assert any(1 <= len(durations) <= 2 for durations in told), (
        f"no line about a report of {asked.report_ms} ms says how long it took: {shortened(lines)}"
    )


@pytest.mark.rubric("log-status", points=1)
def test_log_line_has_the_status(seen, asked):
    """The line has the status that the client got, also where a handler never names one."""
    api = seen("api")
    missing = LOG.missing(api["log"], [*_handled(api, asked), ("GET", "/report", api["report"][2])])
    assert not missing, f"without a line that has the status: {missing}; the log is: {shortened(api['log'])}"


@pytest.mark.rubric("logs-every-request", points=1)
def test_log_has_what_no_handler_answers(seen, asked):
    """Unknown paths, methods that are not allowed and requests beyond the limit are logged as well."""
    api = seen("api")
    unknown = [(method, path, status) for method, path, status, each in _answered(api, asked) if each is ...]
    burst = [("GET", asked.unknown, status) for _, _, status in api["burst"]]
    assert 429 in [status for _, _, status in burst], "no request was turned away"
    missing = LOG.missing(api["log"], unknown + burst)
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
    grown_kb = OBSERVING.grows(memory_kb)
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
