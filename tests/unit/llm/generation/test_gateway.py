"""The gateway against real HTTP servers: order, concurrency, reuse, stops, and an end that leaves nothing hanging."""

import asyncio
import gc
import subprocess
import sys
import threading
import time
import weakref

import pytest
from support.server import BAD_KEY, ChatServer, Reply

from pytest_llmbench.errors import HarnessError, StoreError
from pytest_llmbench.llm.failures.retry import RetryPolicy
from pytest_llmbench.llm.generation.gateway import Gateway
from pytest_llmbench.llm.solving import Job, SourceClosedError
from pytest_llmbench.llm.targets import OfflineTarget, ServedTarget
from pytest_llmbench.schema.attempt import Completion, Message
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.outcome import Replied, failure_of
from pytest_llmbench.schema.settings import LLMSettings
from pytest_llmbench.schema.tree import Tree, TreeFile
from pytest_llmbench.solvers.registry import choose_solver, own_solver_registry

WAIT_S = 20.0
SOLVER_OF = choose_solver(own_solver_registry(), "auto")


class MemoryCache:
    """Completions by fingerprint; ``broken`` makes it refuse to write."""

    def __init__(self):
        self.stored = {}
        self.broken = None

    def load(self, request):
        return self.stored.get(request.fingerprint())

    def stored_by(self, request):
        return None

    def difference(self, request):
        return ""

    def save(self, request, completion):
        if self.broken:
            raise self.broken
        self.stored[request.fingerprint()] = completion


class Noted:
    """``on_outcome`` that keeps what it was called with."""

    def __init__(self):
        self.outcomes = []
        self.broken = None

    def __call__(self, key, request, outcome):
        self.outcomes.append((key, request, outcome))
        if self.broken:
            raise self.broken

    @property
    def keys(self):
        return [key.attempt for key, _, _ in self.outcomes]


@pytest.fixture
def cache():
    return MemoryCache()


@pytest.fixture
def noted():
    return Noted()


@pytest.fixture
def make(cache, noted):
    """Makes gateways and closes them."""
    made = []

    def gateway(targets, **options):
        settings = LLMSettings(timeout_s=30, cache=options.pop("mode", "use"))
        policy = RetryPolicy(wait_s=0.01, wait_max_s=0.01)
        solver_of = options.pop("solver_of", SOLVER_OF)
        made.append(Gateway(targets, settings, cache, noted, solver_of, policy=policy, **options))
        return made[-1]

    yield gateway
    for each in made:
        each.close()


def target(server, label, concurrency=1, **options):
    return ServedTarget(
        label, "openai", label, server.base_url, server.base_url, server.base_url, concurrency, **options
    )


def job(task, model, epoch=1, **options):
    return Job(AttemptKey(task, model, epoch), (Message(role="user", content=f"solve {task}"),), ("a.py",), **options)


def jobs(models, count=3):
    return [job(f"t{number}", model) for number in range(count) for model in models]


def fetched(gateway, key):
    """How the attempt ended."""
    return gateway.fetch(key).outcome


def fetch_all(gateway, announced):
    return [fetched(gateway, each.key) for each in announced]


def wait_until(condition):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "not so in time"
        time.sleep(0.005)


# Asking


def test_twelve_attempts_make_twelve_requests_model_by_model(make, noted):
    announced = jobs(["a", "b", "c"], 4)
    with ChatServer({"a": "A", "b": "B", "c": "C"}, latency_s=0.01) as server:
        gateway = make([target(server, name, 2) for name in "bac"])
        gateway.announce(announced)
        outcomes = fetch_all(gateway, announced)
        assert [outcome.completion.text for outcome in outcomes] == ["A", "B", "C"] * 4
        assert [seen.model for seen in server.requests] == ["b"] * 4 + ["a"] * 4 + ["c"] * 4
        assert server.overlaps_between_models() == []
        assert server.max_in_flight == 2
    assert sorted(noted.keys) == sorted(each.key for each in announced)
    progress = gateway.progress()
    assert (progress.total, progress.asked, progress.answered, progress.reused, progress.failed) == (12, 12, 12, 0, 0)
    assert progress.in_flight == ()


def test_queues_run_side_by_side(make):
    with ChatServer() as one, ChatServer() as other, one.hold(), other.hold():
        gateway = make([target(one, "a"), target(other, "b")])
        gateway.announce(jobs(["a", "b"], 2))
        one.wait_for(lambda server: server.in_flight == 1)
        other.wait_for(lambda server: server.in_flight == 1)
        assert {key.model for key in gateway.progress().in_flight} == {"a", "b"}


def test_the_request_carries_messages_epoch_and_params(make, noted):
    with ChatServer() as server:
        gateway = make([target(server, "a", params={"temperature": 0.5})])
        gateway.announce([job("t", "a", epoch=3)])
        fetched(gateway, AttemptKey("t", "a", 3))
        body = server.requests[0].body
    assert body["messages"] == [{"role": "user", "content": "solve t"}]
    assert body["temperature"] == 0.5
    _, request, _ = noted.outcomes[0]
    assert (request.model, request.endpoint, request.epoch) == ("a", server.base_url, 3)


def test_generation_starts_with_the_announcement(make):
    with ChatServer() as server:
        gateway = make([target(server, "a")])
        gateway.announce([job("t", "a")])
        wait_until(lambda: gateway.progress().answered == 1)


def test_announcing_tells_when_it_is_known_what_must_be_asked(make):
    announced = jobs(["a"], 3)
    with ChatServer() as server:
        run(make([target(server, "a")]), announced)
        with server.hold():
            gateway = make([target(server, "a")])
            assert gateway.announce([*announced, job("new", "a")]).wait(WAIT_S)
            assert gateway.progress().reused == 3
            assert gateway.announce(announced).wait(WAIT_S), "nothing is new"


def test_close_wakes_who_waits_to_know_what_must_be_asked(make, cache):
    entered, leave = threading.Event(), threading.Event()
    cache.load = lambda request: (entered.set(), leave.wait(WAIT_S))[2:] or None
    with ChatServer() as server:
        gateway = make([target(server, "a")])
        known = gateway.announce(jobs(["a"], 3))
        assert entered.wait(WAIT_S)
        assert not known.is_set()
        gateway.close()
        assert known.wait(WAIT_S)
        leave.set()


def test_announcing_again_asks_nothing_again(make, noted):
    announced = jobs(["a"])
    with ChatServer() as server:
        gateway = make([target(server, "a", 3)])
        threads = [threading.Thread(target=gateway.announce, args=(announced,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        fetch_all(gateway, announced)
        gateway.announce([*announced, *announced])
        fetch_all(gateway, announced)
        assert server.chat_count == 3
    assert len(noted.outcomes) == 3


def test_on_outcome_was_called_before_fetch_returns(make, noted):
    announced = jobs(["a"], 10)
    with ChatServer() as server:
        gateway = make([target(server, "a", 4)])
        gateway.announce(announced)
        for each in announced:
            outcome = fetched(gateway, each.key)
            assert (each.key, outcome) in [(key.attempt, noted_outcome) for key, _, noted_outcome in noted.outcomes]


def test_many_threads_fetching_while_generation_runs(make):
    announced = jobs(["a", "b"], 20)
    found = {}
    with ChatServer(lambda body: body["messages"][0]["content"]) as server:
        gateway = make([target(server, "a", 4), target(server, "b", 4)])

        def work(part):
            for each in part:
                found[each.key] = fetched(gateway, each.key).completion.text

        gateway.announce(announced)
        threads = [threading.Thread(target=work, args=(announced[start::4],)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_S)
    assert found == {each.key: f"solve {each.key.task}" for each in announced}


def test_two_fetchers_of_one_attempt(make):
    recalled = []

    def recall(key):
        recalled.append(key)
        return Replied(completion=Completion(text="from the disk"))

    texts = []
    with ChatServer("fresh") as server, server.hold():
        gateway = make([target(server, "a")], recall=recall)
        gateway.announce([job("t", "a")])
        key = AttemptKey("t", "a", 1)
        threads = [
            threading.Thread(target=lambda: texts.append(fetched(gateway, key).completion.text)) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        server.release()
        for thread in threads:
            thread.join(WAIT_S)
    assert sorted(texts) == ["fresh", "from the disk"]
    assert recalled == [key.turn(1)]


def test_second_fetch_without_recall_gives_the_same(make):
    with ChatServer("fresh") as server:
        gateway = make([target(server, "a")])
        gateway.announce([job("t", "a")])
        key = AttemptKey("t", "a", 1)
        assert fetched(gateway, key) == fetched(gateway, key)


def test_second_fetch_that_cannot_be_recalled_says_so(make):
    with ChatServer("fresh") as server:
        gateway = make([target(server, "a")], recall=lambda key: None)
        gateway.announce([job("t", "a")])
        key = AttemptKey("t", "a", 1)
        fetched(gateway, key)
        with pytest.raises(HarnessError, match=r"t / a #1 is not in memory any more"):
            fetched(gateway, key)


def test_fetch_of_an_attempt_never_announced(make):
    with ChatServer() as server:
        gateway = make([target(server, "a")])
        with pytest.raises(HarnessError, match=r"t / a #1 was never announced"):
            fetched(gateway, AttemptKey("t", "a", 1))


def test_announcing_an_unknown_model(make):
    with ChatServer() as server:
        gateway = make([target(server, "a")])
        with pytest.raises(HarnessError, match="no such model in this session: z"):
            gateway.announce([job("t", "z")])


# Lookahead


def test_lookahead_runs_the_concurrency_ahead_and_no_further(make):
    announced = jobs(["a"], 6)
    with ChatServer() as server:
        gateway = make([target(server, "a", 2)], lookahead=True)
        gateway.announce(announced)
        wait_until(lambda: gateway.progress().answered == 2)
        time.sleep(0.1)
        assert server.chat_count == 2
        fetched(gateway, announced[0].key)
        wait_until(lambda: gateway.progress().answered == 3)
        time.sleep(0.1)
        assert server.chat_count == 3


def test_lookahead_serves_an_order_that_is_not_the_queue_s(make):
    announced = jobs(["a", "b"], 4)
    with ChatServer({"a": "A", "b": "B"}) as server:
        gateway = make([target(server, "a"), target(server, "b")], lookahead=True)
        gateway.announce(announced)
        outcomes = fetch_all(gateway, announced[::-1])
        assert server.overlaps_between_models() == []
        assert server.chat_count == 8
    assert [outcome.completion.text for outcome in outcomes] == ["B", "A"] * 4


# Stored replies


def run(gateway, announced):
    gateway.announce(announced)
    return fetch_all(gateway, announced)


def test_stored_replies_are_used_again_and_nothing_is_asked(make, cache, noted):
    announced = jobs(["a"])
    with ChatServer("first") as server:
        first = run(make([target(server, "a")]), announced)
        gateway = make([target(server, "a")])
        again = run(gateway, announced)
        assert server.chat_count == 3
    assert [outcome.cached for outcome in first + again] == [False] * 3 + [True] * 3
    assert [outcome.completion for outcome in again] == [outcome.completion for outcome in first]
    assert len(noted.outcomes) == 6
    assert (gateway.progress().reused, gateway.progress().asked, gateway.progress().answered) == (3, 0, 3)


def test_stored_replies_need_no_slot(make, cache):
    with ChatServer() as server:
        run(make([target(server, "b")]), [job("t", "b")])
        with server.hold():
            gateway = make([target(server, "a"), target(server, "b")])
            gateway.announce([job("t", "a"), job("t", "b")])
            assert fetched(gateway, AttemptKey("t", "b", 1)).cached


def test_stored_replies_serve_while_the_server_is_down(make):
    with ChatServer() as server:
        run(make([target(server, "a")]), [job("t1", "a")])
    gateway = make([target(server, "a", problem="nobody there")])
    stored, missing = run(gateway, [job("t1", "a"), job("t2", "a")])
    assert stored.cached
    assert missing.failure.kind == "connection"


def test_refresh_asks_and_stores(make, cache):
    with ChatServer(["old", "new"]) as server:
        run(make([target(server, "a")]), [job("t", "a")])
        (outcome,) = run(make([target(server, "a")], mode="refresh"), [job("t", "a")])
    assert (outcome.completion.text, outcome.cached) == ("new", False)
    assert [stored.text for stored in cache.stored.values()] == ["new"]


def test_off_neither_reads_nor_stores(make, cache):
    with ChatServer(["one", "two"]) as server:
        run(make([target(server, "a")], mode="off"), [job("t", "a")])
        assert cache.stored == {}
        run(make([target(server, "a")]), [job("t", "a")])
        stored = dict(cache.stored)
        (outcome,) = run(make([target(server, "a")], mode="off"), [job("t", "a")])
        assert server.chat_count == 3
    assert not outcome.cached
    assert cache.stored == stored


def test_only_asks_nothing_and_says_what_is_missing(make):
    with ChatServer() as server:
        (outcome,) = run(make([target(server, "a")], mode="only"), [job("t", "a")])
        assert server.chat_count == 0
    assert outcome.failure.kind == "missing_reply"
    assert "no stored reply of a at" in outcome.failure.message
    assert "--llm-cache=use" in outcome.failure.message


def test_reply_that_cannot_be_graded_is_not_stored(make, cache):
    with ChatServer(Reply("half a", finish_reason="length")) as server:
        (outcome,) = run(make([target(server, "a")]), [job("t", "a")])
    assert outcome.failure.kind == "truncated"
    assert outcome.completion.text == "half a"
    assert cache.stored == {}


# Failures


def test_bad_key_stops_that_model_only(make, noted):
    announced = jobs(["a", "b"], 5)
    script = {"a": BAD_KEY, "b": "fine"}
    with ChatServer(script) as server:
        gateway = make([target(server, "a"), target(server, "b")])
        gateway.announce(announced)
        outcomes = {each.key: fetched(gateway, each.key) for each in announced}
        assert [seen.model for seen in server.requests] == ["a"] + ["b"] * 5
    failures = [outcome.failure for key, outcome in outcomes.items() if key.model == "a"]
    assert {failure.kind for failure in failures} == {"auth"}
    assert len({failure.cause for failure in failures}) == 1
    assert all(outcome.completion.text == "fine" for key, outcome in outcomes.items() if key.model == "b")
    assert sorted(noted.keys) == sorted(outcomes)
    assert gateway.progress().failed == 5


def test_stopped_model_fails_later_announcements_too(make):
    with ChatServer(BAD_KEY) as server:
        gateway = make([target(server, "a")])
        run(gateway, [job("t1", "a")])
        (outcome,) = run(gateway, [job("t2", "a")])
        assert server.chat_count == 1
    assert outcome.failure.kind == "auth"


def test_stopped_model_is_not_retried(make):
    """A try that waits to be sent again is not sent once the model was stopped."""
    calls = iter([Reply.plain(503, "later", Retry_After="0.3"), BAD_KEY])
    with ChatServer(lambda body: next(calls)) as server:
        outcomes = run(make([target(server, "a", 2)]), jobs(["a"], 2))
        assert server.chat_count == 2
    assert {outcome.failure.kind for outcome in outcomes} == {"auth"}


def test_refused_connection_is_one_cause_for_all(make):
    with ChatServer() as server:
        pass
    outcomes = run(make([target(server, "a")]), jobs(["a"], 5))
    assert {outcome.failure.kind for outcome in outcomes} == {"connection"}
    assert len({outcome.failure.cause for outcome in outcomes}) == 1


def test_problem_found_while_looking_the_model_up_asks_nothing(make, noted):
    with ChatServer() as server:
        gateway = make([target(server, "a", problem="it was down"), target(server, "b")])
        outcomes = run(gateway, jobs(["a", "b"], 2))
        assert [seen.model for seen in server.requests] == ["b", "b"]
    failures = [outcome.failure for outcome in outcomes[::2]]
    assert [(failure.kind, failure.message) for failure in failures] == [("connection", "it was down")] * 2
    assert len({failure.cause for failure in failures}) == 1
    assert len(noted.outcomes) == 4


def test_retry_is_told_and_the_answer_counts(make):
    with ChatServer([Reply.error(500, "boom"), "fine"]) as server:
        gateway = make([target(server, "a")])
        (outcome,) = run(gateway, [job("t", "a")])
        assert server.chat_count == 2
    assert outcome.completion.text == "fine"
    assert [retry.kind for retry in outcome.retries] == ["server_error"]
    assert gateway.progress().asked == 1


def test_retries_run_out(make):
    with ChatServer(Reply.error(500, "boom")) as server:
        (outcome,) = run(make([target(server, "a")]), [job("t", "a")])
        assert server.chat_count == 3
    assert outcome.failure.kind == "server_error"
    assert len(outcome.retries) == 2


def test_retries_run_before_the_model_is_left(make):
    with ChatServer({"a": Reply.error(500, "boom"), "b": "fine"}) as server:
        run(make([target(server, "a"), target(server, "b")]), jobs(["a", "b"], 2))
        assert [seen.model for seen in server.requests] == ["a"] * 6 + ["b"] * 2


@pytest.mark.parametrize("error", [StoreError("disk full: free some"), OSError(28, "No space left on device")])
@pytest.mark.parametrize("place", ["cache", "on_outcome"])
def test_reply_that_cannot_be_kept_stops_the_queue(make, cache, noted, place, error):
    (cache if place == "cache" else noted).broken = error
    announced = jobs(["a", "b"], 3)
    with ChatServer({"a": "A", "b": "B"}) as server, ChatServer() as other:
        gateway = make([target(server, "a"), target(server, "b"), target(other, "c")])
        outcomes = run(gateway, announced)
        assert server.chat_count == 1
        cache.broken = noted.broken = None
        assert run(gateway, [job("t", "c")])[0].completion is not None
    assert {outcome.failure.kind for outcome in outcomes} == {"grader"}
    assert {outcome.completion for outcome in outcomes} == {None}
    assert all(("disk full" in o.failure.message) or ("No space left" in o.failure.message) for o in outcomes)
    assert len({outcome.failure.cause for outcome in outcomes}) == 1
    assert len(noted.outcomes) == 7


class BrokenClient:
    """Raises what no client should."""

    async def complete(self, request, *, timeout_s):
        raise LookupError("who wrote this")

    async def aclose(self):
        pass


def test_fault_in_a_client_is_told_and_never_hangs(make):
    with ChatServer() as server:
        gateway = make([target(server, "a")], client_factory=lambda target: BrokenClient())
        outcomes = run(gateway, jobs(["a"], 2))
    assert [outcome.failure.kind for outcome in outcomes] == ["grader"] * 2
    assert "LookupError: who wrote this" in outcomes[0].failure.message


class Panic(BaseException):
    """What a library may raise that no ``except Exception`` sees."""


@pytest.mark.parametrize("error", [RecursionError("too deep"), MemoryError(), asyncio.CancelledError(), Panic("!")])
@pytest.mark.parametrize("place", ["scrub", "client"])
def test_whatever_breaks_is_the_end_of_one_attempt_and_the_queue_goes_on(make, noted, place, error):
    def scrub(outcome):
        if place == "scrub" and outcome.completion is not None and outcome.completion.text == "bad":
            raise error
        return outcome

    class Client:
        async def complete(self, request, *, timeout_s):
            text = "bad" if "t0" in request.messages[0].content else "good"
            if place == "client" and text == "bad":
                raise error
            return Completion(text=text)

        async def aclose(self):
            pass

    with ChatServer() as server:
        announced = jobs(["a", "b"], 3)
        outcomes = run(
            make([target(server, "a"), target(server, "b")], client_factory=lambda _: Client(), scrub=scrub), announced
        )
    kinds = [failure.kind if (failure := failure_of(outcome)) else "good" for outcome in outcomes]
    assert kinds == ["grader"] * 2 + ["good"] * 4
    assert type(error).__name__ in outcomes[0].failure.message
    assert sorted(noted.keys) == sorted(each.key for each in announced), "every end is kept"


@pytest.mark.parametrize("place", ["cache", "on_outcome"])
def test_value_that_cannot_be_kept_is_that_attempt_s_own_fault(make, cache, noted, place):
    """Unlike a full disk: the next reply can be kept."""
    bad = ValueError("Out of range float values are not JSON compliant")

    def save(request, completion):
        if place == "cache" and completion.text == "bad":
            raise bad

    def on_outcome(key, request, outcome):
        if place == "on_outcome" and outcome.completion is not None and outcome.completion.text == "bad":
            raise bad
        noted(key, request, outcome)

    cache.save = save
    with ChatServer({"a": ["bad", "good"]}) as server:
        server.script = lambda body: "bad" if "t0" in str(body["messages"]) else "good"
        settings = LLMSettings(timeout_s=30)
        gateway = Gateway([target(server, "a"), target(server, "b")], settings, cache, on_outcome, SOLVER_OF)
        announced = jobs(["a", "b"], 2)
        try:
            outcomes = run(gateway, announced)
        finally:
            gateway.close()
    kinds = [failure.kind if (failure := failure_of(outcome)) else "good" for outcome in outcomes]
    assert kinds == ["grader", "grader", "good", "good"]
    assert "Out of range float" in outcomes[0].failure.message
    assert sorted(noted.keys) == sorted(each.key for each in announced)


def test_client_that_cannot_be_made_is_told(make):
    def factory(target):
        raise ImportError("no such package")

    with ChatServer() as server:
        (outcome,) = run(make([target(server, "a")], client_factory=factory), [job("t", "a")])
    assert "ImportError: no such package" in outcome.failure.message


def test_job_that_makes_no_request_is_told(make):
    with ChatServer() as server:
        gateway = make([target(server, "a")])
        key = AttemptKey("t", "a", 1)
        gateway.announce([Job(key, ("no message",), ("a.py",))])
        assert fetched(gateway, key).failure.kind == "grader"


# Models on this machine


def test_local_models_need_no_queue_and_store_nothing(make, cache, noted, tmp_path):
    (tmp_path / "t.md").write_text("mine")
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "a.py").write_text("x = 1")
    targets = [
        OfflineTarget("mine", "dir", str(tmp_path)),
        OfflineTarget("ref", "builtin", "reference"),
    ]
    kept = []

    def freeze(job, files):
        kept.append((job.key.model, files.files))
        return Tree(files=tuple(TreeFile(name=name, sha256="0" * 64, size=1) for name in files.files))

    gateway = make(targets, freeze=freeze)
    outcomes = run(gateway, [job("t", "mine"), job("t", "ref", data=tmp_path), job("u", "mine")])
    assert outcomes[0].completion.text == "mine"
    assert outcomes[1].tree.files[0].name == "a.py"
    assert kept == [("ref", {"a.py": "x = 1"})]
    assert outcomes[2].failure.kind == "missing_reply"
    assert cache.stored == {}
    progress = gateway.progress()
    assert (progress.asked, progress.reused, progress.answered, progress.failed) == (0, 0, 2, 1)
    assert len(noted.outcomes) == 3


# Keys


def test_key_goes_to_the_endpoint_that_the_user_named(cache, noted, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with ChatServer(api_key="s3cret") as server:
        gateway = Gateway([target(server, "a")], LLMSettings(base_url=server.base_url), cache, noted, SOLVER_OF)
        (outcome,) = run(gateway, [job("t", "a")])
        gateway.close()
    assert isinstance(outcome, Replied)
    assert "s3cret" not in repr(noted.outcomes)


def test_key_is_not_sent_to_a_server_that_was_only_found(cache, noted, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with ChatServer() as server:
        gateway = Gateway([target(server, "a")], LLMSettings(), cache, noted, SOLVER_OF)
        run(gateway, [job("t", "a")])
        gateway.close()
        assert "authorization" not in server.requests[0].headers


# Hosted models


HOSTED_PROCESS = """
import sys, time
from pytest_llmbench.llm.solving import Job
from pytest_llmbench.llm.targets import ServedTarget
from pytest_llmbench.llm.generation.gateway import Gateway
from pytest_llmbench.schema.attempt import Message
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.settings import LLMSettings
from pytest_llmbench.solvers.registry import choose_solver, own_solver_registry

solver_of = choose_solver(own_solver_registry(), "auto")

targets = [ServedTarget(name, "litellm", "openai/" + name, "litellm", "litellm:" + name) for name in "ab"]
gateway = Gateway(targets, LLMSettings(cache="off"), None, lambda *_: None, solver_of)
keys = [AttemptKey("t", name, 1) for name in "ab"]
print("litellm" in sys.modules)
gateway.announce([Job(key, (Message(role="user", content="x"),), ("a.py",)) for key in keys])
if "now" not in sys.argv:
    print([gateway.fetch(key).outcome.completion.text for key in keys])
began = time.monotonic()
gateway.close()
print(time.monotonic() - began < 1.5)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("when", "printed"), [("later", "False\n['A', 'B']\nTrue\n"), ("now", "False\nTrue\n")])
def test_litellm_is_imported_when_asked_for_and_never_waited_for_at_the_end(monkeypatch, when, printed):
    with ChatServer({"a": "A", "b": "B"}) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        done = subprocess.run(
            [sys.executable, "-c", HOSTED_PROCESS, when], capture_output=True, text=True, timeout=180, check=True
        )
    assert done.stdout == printed
    assert done.stderr == ""


# The end


@pytest.mark.parametrize("ending", ["hang", "stall"])
def test_close_ends_what_hangs_and_the_server_sees_it(make, noted, ending):
    raised = []
    with ChatServer(Reply(ending=ending)) as server:
        gateway = make([target(server, "a", 2)])
        gateway.announce(jobs(["a"], 5))

        def work():
            try:
                fetched(gateway, AttemptKey("t0", "a", 1))
            except SourceClosedError as error:
                raised.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        server.wait_for(lambda server: server.in_flight == 2)
        began = time.monotonic()
        gateway.close()
        assert time.monotonic() - began < 1.5
        thread.join(WAIT_S)
        server.wait_for(lambda server: all(seen.client_closed for seen in server.requests))
        assert server.chat_count == 2
    assert len(raised) == 1
    assert noted.outcomes == []


def test_close_cuts_a_pause_between_tries_short(make):
    with ChatServer(Reply.plain(503, "later", Retry_After="30")) as server:
        gateway = make([target(server, "a")])
        gateway.announce([job("t", "a")])
        server.wait_for(lambda server: server.chat_count == 1 and server.in_flight == 0)
        began = time.monotonic()
        gateway.close()
        assert time.monotonic() - began < 1.5


def test_reply_being_kept_at_the_end_is_kept(make, cache, noted):
    entered, leave = threading.Event(), threading.Event()
    save = cache.save

    def slow_save(request, completion):
        entered.set()
        leave.wait(WAIT_S)
        save(request, completion)

    cache.save = slow_save
    with ChatServer() as server:
        gateway = make([target(server, "a")])
        gateway.announce([job("t", "a")])
        entered.wait(WAIT_S)
        threading.Timer(0.05, leave.set).start()
        gateway.close()
        wait_until(lambda: noted.outcomes)
    assert len(cache.stored) == 1


def test_reply_that_waits_for_its_turn_on_the_disk_is_kept_at_the_end(make, cache, noted):
    """Two replies came, one is being written: the other was paid for as well."""
    entered, leave = threading.Event(), threading.Event()
    save = cache.save

    def slow_save(request, completion):
        entered.set()
        leave.wait(WAIT_S)
        save(request, completion)

    cache.save = slow_save
    with ChatServer() as server:
        gateway = make([target(server, "a", 2)])
        gateway.announce(jobs(["a"], 2))
        assert entered.wait(WAIT_S)
        server.wait_for(lambda server: server.chat_count == 2 and server.in_flight == 0)
        wait_until(lambda: gateway._store._work_queue.qsize() == 1)
        threading.Timer(0.05, leave.set).start()
        gateway.close()
        wait_until(lambda: len(noted.outcomes) == 2)
    assert len(cache.stored) == 2


def test_after_close(make, noted):
    with ChatServer() as server:
        gateway = make([target(server, "a")])
        run(gateway, [job("t", "a")])
        gateway.close()
        gateway.close()
        with pytest.raises(SourceClosedError):
            fetched(gateway, AttemptKey("t", "a", 1))
        with pytest.raises(SourceClosedError):
            fetched(gateway, AttemptKey("never", "a", 1))
        with pytest.raises(SourceClosedError):
            gateway.announce([job("u", "a")])
        assert gateway.progress().answered == 1
    wait_until(lambda: not [each for each in threading.enumerate() if each.name.startswith("llmbench")])


@pytest.mark.slow
def test_client_that_blocks_the_loop_does_not_block_close(make, caplog):
    class Blocking(BrokenClient):
        async def complete(self, request, *, timeout_s):
            time.sleep(3)  # noqa: ASYNC251 - the fault under test
            raise asyncio.CancelledError

    with ChatServer() as server:
        gateway = make([target(server, "a")], client_factory=lambda target: Blocking())
        gateway.announce([job("t", "a")])
        wait_until(lambda: gateway.progress().asked == 1)
        began = time.monotonic()
        gateway.close()
        assert time.monotonic() - began < 2.5
        gateway._thread.join(WAIT_S)  # it ends by itself, and in order
        assert gateway._loop.is_closed()
    gc.collect()
    assert caplog.records == []


def test_memory_holds_no_reply_that_was_fetched(make):
    """With ``recall`` a fetched reply is nobody's any more."""

    class Watched(Completion):
        pass

    alive = weakref.WeakSet()

    class Client(BrokenClient):
        async def complete(self, request, *, timeout_s):
            completion = Watched(text="x")
            alive.add(completion)
            return completion

    noted = []
    gateway = Gateway(
        [ServedTarget("a", "openai", "a", "e", "q", "http://127.0.0.1:1")],
        LLMSettings(cache="off"),
        MemoryCache(),
        lambda key, request, outcome: noted.append(key),
        SOLVER_OF,
        client_factory=lambda target: Client(),
        recall=lambda key: None,
    )
    announced = jobs(["a"], 20)
    gateway.announce(announced)
    for each in announced:
        fetched(gateway, each.key)
    gc.collect()
    gateway.close()
    assert len(noted) == 20
    assert len(alive) <= 1


PROCESS = """
import sys
from pytest_llmbench.llm.solving import Job
from pytest_llmbench.llm.targets import ServedTarget
from pytest_llmbench.llm.generation.gateway import Gateway
from pytest_llmbench.schema.attempt import Message
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.settings import LLMSettings
from pytest_llmbench.solvers.registry import choose_solver, own_solver_registry

solver_of = choose_solver(own_solver_registry(), "auto")

url = sys.argv[1]
settings = LLMSettings(cache="off")
gateway = Gateway([ServedTarget("a", "openai", "a", url, url, url)], settings, None, lambda *_: None, solver_of)
key = AttemptKey("t", "a", 1)
gateway.announce([Job(key, (Message(role="user", content="x"),), ("a.py",))])
gateway.fetch(key).outcome
print("litellm" in sys.modules, flush=True)
gateway.announce([Job(key._replace(task="u"), (Message(role="user", content="x"),), ("a.py",))])
"""


def test_a_process_that_never_closes_its_gateway_ends_all_the_same():
    script = iter(["fine", Reply(ending="hang")])
    with ChatServer(lambda body: next(script)) as server:
        done = subprocess.run(
            [sys.executable, "-c", PROCESS, server.base_url], capture_output=True, text=True, timeout=WAIT_S, check=True
        )
    assert done.stdout == "False\n", "litellm was imported without need"
    assert done.stderr == ""


def test_time_in_the_queue_is_told_of_each_attempt_that_was_asked(make):
    with ChatServer(Reply("x", latency_s=0.3)) as server:
        gateway = make([target(server, "m")])
        announced = jobs(["m"], 2)
        gateway.announce(announced)
        first, second = fetch_all(gateway, announced)
    assert 0 <= first.queue_s < 0.3 <= second.queue_s < 5
    assert second.completion.wall_s < second.queue_s + 0.3  # not counted twice


def test_what_cannot_fit_the_context_is_not_sent_and_stops_nothing_else(make):
    with ChatServer("x") as server:
        gateway = make([target(server, "m", context=50)])
        long = Job(AttemptKey("long", "m", 1), (Message(role="user", content="word " * 300),), ("a.py",))
        gateway.announce([long, job("short", "m")])
        refused, answered = fetched(gateway, long.key), fetched(gateway, AttemptKey("short", "m", 1))
        assert server.chat_count == 1
    assert refused.failure.kind == "context_overflow"
    assert refused.queue_s is None
    assert answered.completion.text == "x"


# Prompts cut in silence


@pytest.mark.parametrize(
    ("told", "cut"),
    [
        ({"models": [{"name": "m:latest", "context_length": 4096}]}, True),
        ({"models": [{"name": "n"}]}, False),
        (3, False),
    ],
)
def test_a_prompt_that_an_ollama_cut_is_no_reply(make, cache, told, cut):
    reply = Reply("```python\nx\n```", usage={"prompt_tokens": 4096, "completion_tokens": 9})
    with ChatServer(reply, models=["m"], routes={"/api/ps": told}) as server:
        gateway = make([target(server, "m")])
        gateway.announce([job("t", "m")])
        outcome = fetched(gateway, AttemptKey("t", "m", 1))
    failure = failure_of(outcome)
    assert (failure is not None and failure.kind == "context_overflow") == cut
    assert bool(cache.stored) != cut
    if cut:
        assert "filled its context of 4096 tokens" in failure.message


def test_short_prompts_cost_no_further_question(make):
    with ChatServer(models=["m"]) as server:
        gateway = make([target(server, "m")])
        gateway.announce([job("t", "m")])
        assert isinstance(fetched(gateway, AttemptKey("t", "m", 1)), Replied)
        assert server.other_paths == []
