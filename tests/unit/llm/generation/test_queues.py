"""The order in which attempts are asked, checked on a simulated server without threads."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.llm.generation.queues import QueueState, next_keys
from pytest_llmbench.schema.keys import TurnKey

MODELS = ("a", "b", "c")


def keys(text):
    """``"a1 a2 b1"`` as attempt keys."""
    return [TurnKey(f"t{name[1:]}", name[0], 1) for name in text.split()]


def names(found):
    return " ".join(f"{key.model}{key.task[1:]}" for key in found)


def state(pending, concurrency=1, *, lookahead=False, wanted=""):
    queue = QueueState(dict.fromkeys(MODELS, concurrency), lookahead)
    for key in keys(pending):
        queue.add(key)
    for key in keys(wanted):
        queue.want(key)
    return queue


def start(queue):
    """Start what may start now; tells what it was."""
    found = next_keys(queue)
    for key in found:
        queue.start(key)
    return names(found)


def end(queue, text):
    for key in keys(text):
        queue.end(key)


def test_models_come_in_their_own_order_whatever_the_announcement_s():
    queue = state("c1 b1 a1 c2 a2")
    order = []
    while found := start(queue):
        order.append(found)
        end(queue, found)
    assert order == ["a1", "a2", "b1", "c1", "c2"]


def test_concurrency_is_filled_and_refilled():
    queue = state("a1 a2 a3 a4", 3)
    assert start(queue) == "a1 a2 a3"
    assert start(queue) == ""
    end(queue, "a2")
    assert start(queue) == "a4"


def test_next_model_waits_for_the_last_request_of_this_one():
    queue = state("a1 a2 b1", 2)
    assert start(queue) == "a1 a2"
    end(queue, "a1")
    assert start(queue) == ""
    end(queue, "a2")
    assert start(queue) == "b1"


def test_late_attempt_of_the_loaded_model_goes_before_an_earlier_model():
    queue = state("b1")
    assert start(queue) == "b1"
    for key in keys("a1 b2"):
        queue.add(key)
    end(queue, "b1")
    assert start(queue) == "b2"


def test_waited_for_goes_first_within_its_model_but_does_not_swap_models():
    queue = state("a1 a2 a3 b1", wanted="b1 a3")
    order = []
    while found := start(queue):
        order.append(found)
        end(queue, found)
    assert order == ["a3", "a1", "a2", "b1"]


def test_nothing_to_wait_for_that_is_not_pending():
    queue = state("a1")
    queue.want(*keys("a9"))
    assert not queue.wanted["a"]


def test_giving_up_a_model_leaves_the_others():
    queue = state("a1 a2 b1", wanted="a2")
    assert names(queue.give_up("a")) == "a1 a2"
    assert start(queue) == "b1"


def test_lookahead_stops_at_the_concurrency_until_something_is_fetched():
    queue = state("a1 a2 a3 a4", 2, lookahead=True)
    assert start(queue) == "a1 a2"
    end(queue, "a1 a2")
    assert start(queue) == ""
    queue.fetched(keys("a1")[0].attempt)
    assert start(queue) == "a3"


def test_lookahead_counts_across_models():
    queue = state("a1 b1 b2", 1, lookahead=True)
    assert start(queue) == "a1"
    end(queue, "a1")
    assert start(queue) == ""


def test_lookahead_lets_a_waited_for_attempt_of_another_model_start_after_the_drain():
    queue = state("a1 a2 b1", 1, lookahead=True)
    assert start(queue) == "a1"
    queue.want(*keys("b1"))
    assert start(queue) == ""
    end(queue, "a1")
    assert start(queue) == "b1"


def test_lookahead_drains_a_model_nobody_waits_for():
    queue = state("a1 a2 a3 b1", 2, lookahead=True)
    start(queue)
    end(queue, "a1")
    queue.fetched(keys("a1")[0].attempt)
    queue.want(*keys("b1"))
    assert start(queue) == ""


jobs = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(MODELS)), min_size=1, max_size=20, unique=True).map(
    lambda pairs: [TurnKey(f"t{number}", model, 1) for number, model in pairs]
)


class Simulation:
    """Drives a queue as the gateway does and checks what must hold at every step."""

    def __init__(self, concurrency, *, lookahead):
        self.queue = QueueState(dict.fromkeys(MODELS, concurrency), lookahead)
        self.concurrency = concurrency
        self.asked = []

    def pump(self):
        for key in next_keys(self.queue):
            if self.queue.lookahead and key not in self.queue.wanted[key.model]:
                assert len(self.queue.ahead) < self.concurrency
            self.queue.start(key)
            self.asked.append(key)
        flying = self.queue.in_flight
        assert len({key.model for key in flying}) <= 1
        assert len(flying) <= self.concurrency

    @property
    def switches(self):
        return len(list(groupby(key.model for key in self.asked)))


@given(jobs, st.integers(1, 4), st.data())
def test_everything_is_asked_once_with_one_switch_per_model(announced, concurrency, data):
    run = Simulation(concurrency, lookahead=False)
    for key in announced:
        run.queue.add(key, wanted=data.draw(st.booleans()))
    run.pump()
    while run.queue.in_flight:
        run.queue.end(data.draw(st.sampled_from(sorted(run.queue.in_flight))))
        run.pump()
    assert sorted(run.asked) == sorted(announced)
    assert run.switches == len({key.model for key in announced})


@given(jobs, st.integers(1, 4), st.integers(1, 3), st.data())
def test_lookahead_never_waits_for_itself_in_any_order_of_fetching(announced, concurrency, fetchers, data):
    run = Simulation(concurrency, lookahead=True)
    for key in announced:
        run.queue.add(key)
    order = iter(data.draw(st.permutations(announced)))
    waiting = []
    ended = set()
    run.pump()
    for _ in range(10 * len(announced) + 10):
        while len(waiting) < fetchers and (key := next(order, None)) is not None:
            run.queue.want(key)
            waiting.append(key)
        run.pump()
        for key in [key for key in waiting if key in ended]:
            waiting.remove(key)
            run.queue.fetched(key.attempt)
        run.pump()
        if not run.queue.in_flight:
            assert not any(key in run.queue.pending[key.model] for key in waiting), "deadlock"
            continue
        done = data.draw(st.sampled_from(sorted(run.queue.in_flight)))
        run.queue.end(done)
        ended.add(done)
        run.pump()
    assert sorted(run.asked) == sorted(announced)


@pytest.mark.parametrize("lookahead", [False, True])
def test_an_empty_queue_asks_nothing(lookahead):
    assert next_keys(state("", lookahead=lookahead)) == []
