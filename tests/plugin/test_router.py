"""Servers that hold one model at a time, or work on one request at a time, are asked as suits them."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from support.bench import ADD_REPLY, Bench
from support.server import ChatServer, Reply

TASKS = [f"task{number}" for number in range(6)]
MODELS = ("first", "second", "third")
ANSWER = Reply(text=ADD_REPLY, latency_s=0.05)


@pytest.mark.slow
def test_three_models_are_three_loads_beside_another_endpoint(bench: Bench) -> None:
    for name in TASKS:
        bench.task(name)
    with ChatServer(ANSWER, models=list(MODELS)) as router, ChatServer(ANSWER, models=["beside"]) as other:
        run = bench.run(
            *("-n4", "--llm-epochs=2", f"--llm-model={','.join([*MODELS, 'beside'])}", "--llm-concurrency=2"),
            LLMBENCH_PROBE_PORTS=f"{router.port},{other.port}",
            timeout_s=240,
        )
    assert run.exit == 0, run.out + run.err
    seen = sorted(router.requests, key=lambda request: request.received)
    assert len(seen) == len(MODELS) * len(TASKS) * 2
    loads = 1 + sum(before.model != after.model for before, after in pairwise(seen))
    assert loads == len(MODELS)
    assert not [one for one, two in combinations(seen, 2) if one.model != two.model and one.overlaps(two)]
    assert any(mine.overlaps(theirs) for mine in other.requests for theirs in seen)


@pytest.mark.slow
def test_one_slot_has_one_request_in_flight(bench: Bench) -> None:
    for name in TASKS:
        bench.task(name)
    took_s = {}
    for workers in ("-n0", "-n4"):
        with ChatServer(Reply(text=ADD_REPLY, latency_s=0.2)) as server:
            run = bench.run(
                *(workers, "--llm-model=test-model", f"--llm-base-url={server.base_url}", "--llm-epochs=2"),
                "--llm-cache=off",
            )
            took_s[workers] = max(r.ended for r in server.requests) - min(r.received for r in server.requests)
        assert run.exit == 0, run.out + run.err
        assert len(server.requests) == 2 * len(TASKS)
        assert not [one for one, two in combinations(server.requests, 2) if one.overlaps(two)]
    assert took_s["-n4"] < 3 * took_s["-n0"]


@pytest.mark.slow
def test_loading_inside_a_request_is_a_figure_of_its_own(bench: Bench) -> None:
    """The router tells what it holds, before it is asked for another model and never beside a request."""
    for name in TASKS[:3]:
        bench.task(name)
    held = ["second"]
    looks: list[int] = []

    class Router(ChatServer):
        def _other(self, request, path):  # what it holds at the moment it is asked
            if path == "/v1/models":
                looks.append(self.in_flight)
                states = {name: {"value": "loaded" if name in held else "unloaded"} for name in MODELS}
                self.routes[path] = {"data": [{"id": name, "status": states[name]} for name in MODELS]}
            return super()._other(request, path)

    def answer(body):
        loads, held[:] = [body["model"]] != held, [body["model"]]
        timings = {"prompt_n": 50, "prompt_ms": 10.0, "predicted_n": 20, "predicted_ms": 90.0}
        return Reply(ADD_REPLY, timings=timings, latency_s=1.1 if loads else 0.1)

    with Router(answer, models=MODELS, routes={"/props": {"role": "router"}}) as router:
        run = bench.run(f"--llm-model={','.join(MODELS)}", f"--llm-base-url={router.base_url}")
    assert run.exit == 0, run.out + run.err
    assert looks == [0] * (1 + len(MODELS))
    told = {(a["model"], a["task"]): (a["load_s"], a["wall_s"]) for a in run.results["attempts"]}
    assert {who for who, (load_s, _) in told.items() if load_s is not None} == {
        ("first", "task0"),
        ("second", "task0"),
        ("third", "task0"),
    }
    for load_s, wall_s in told.values():
        assert load_s is None or 0.9 < load_s < 3
        assert 0.09 < wall_s < 0.9
