"""A whole run again from stored replies, with no server there."""

from __future__ import annotations

import re

import pytest
from support.bench import ADD_REPLY, NO_CODE_REPLY, TASK, WRONG_REPLY, Bench, Run
from support.server import ChatServer, Reply

OF_EACH_RUN = re.compile(rb'^(?:  "(?:id|started|ended)"|   "grading_s"): .*\n', re.MULTILINE)
"""What is another one in each replay: which run it was, and how long the grading took. ``docs/results.md`` says so."""


def essence(run: Run) -> bytes:
    """Every other byte of ``results.json``."""
    return OF_EACH_RUN.sub(b"", (run.folder / "results.json").read_bytes())


@pytest.mark.slow
def test_replayed_without_a_server(bench: Bench, either_way: tuple[str, ...]) -> None:
    for name in ("one", "two"):
        bench.task(name)
    with ChatServer({"right-q8": ADD_REPLY, "wrong": WRONG_REPLY}) as server:
        options = ("--llm-model=right,wrong", "--llm-epochs=2", *either_way)
        asked = bench.run(*options, LLMBENCH_PROBE_PORTS=str(server.port))
        assert server.chat_count == 8
        where = f"--llm-base-url={server.base_url}"
    first = bench.run(*options, "--llm-cache=only")
    second = bench.run(*options, "--llm-cache=only", where)
    assert [a["points"] for a in first.results["attempts"]] == [a["points"] for a in asked.results["attempts"]]
    assert all(a["cached"] for a in first.results["attempts"])
    assert essence(first) == essence(second)
    assert essence(first) != essence(asked)
    assert "8 replies reused, 0 to request" in first.out


@pytest.mark.slow
def test_replays_differ_in_nothing_but_what_is_said_to(bench: Bench) -> None:
    """With several turns, errors, speeds, prices, skips and points that print; on workers too."""
    before, rest = TASK.split("pytestmark = ", 1)
    feedback = 'def feedback(submission):\n    return None if "a + b" in submission.files["add.py"] else "Wrong."\n\n\n'
    bench.task(
        "turns", f"{before}{feedback}pytestmark = {rest.replace('files=', 'turns=2, feedback=feedback, files=', 1)}"
    )
    bench.task("odd", TASK.replace("    assert add(a, b) == add(b, a)", "    print(object()); assert add is None"))
    bench.task("skips", TASK.replace("    add = load", "    pytest.skip('not here')\n    add = load"))

    def answer(body: dict) -> Reply:
        prompt = body["messages"][0]["content"]
        text = WRONG_REPLY if "turns" in prompt and len(body["messages"]) == 1 else ADD_REPLY
        if body["model"] == "b":
            text = NO_CODE_REPLY if "odd" in prompt else text
            return Reply(text, finish_reason="length" if "skips" in prompt else "stop")
        return Reply(text, timings={"prompt_n": 60, "prompt_ms": 12.5, "predicted_n": 9, "predicted_ms": 33.1})

    with ChatServer(answer, models=["a", "b"]) as server:
        price = "price = { input_usd_per_mtok = 1.5, output_usd_per_mtok = 2 }"
        tables = "\n".join(f'[models.{name}]\nbase_url = "{server.base_url}"\n{price}' for name in "ab")
        bench.file("llmbench.toml", tables)
        options = ("--llm-model=a,b", "--llm-epochs=2")
        asked = bench.run(*options, "-n2")
    seen, ids = set(), set()
    for more in ((), (), ("-n2",), ("-n2",)):
        replay = bench.run(*options, "--llm-cache=only", *more)
        seen.add(essence(replay))
        ids.add(replay.results["run"]["id"])
    assert (len(seen), len(ids)) == (1, 4)
    for attempt in replay.results["attempts"]:
        first = asked.attempt(attempt["task"], attempt["model"], attempt["epoch"])
        told = ("points", "usage", "timings", "wall_s", "first_token_s", "tokens_per_s", "cost_usd", "iterations")
        if first["error"] is None:
            assert {name: attempt[name] for name in told} == {name: first[name] for name in told}
        assert attempt["queue_s"] is None


@pytest.mark.slow
def test_what_is_not_stored_says_what_differs(bench: Bench) -> None:
    bench.task("one")
    with ChatServer(ADD_REPLY) as server:
        bench.run("--llm-model=test-model", f"--llm-base-url={server.base_url}")
    only = ("--llm-model=test-model", "--llm-cache=only")
    assert "differs in params ({} there, {'seed': 1} here)" in message(bench, *only, "--llm-param=seed=1")
    assert "differs in the system prompt." in message(bench, *only, "--llm-system-prompt=Be kind.")
    assert "differs in epoch (1 there, 2 here)" in message(bench, *only, "--llm-epochs=2", epoch=2)
    bench.task("one", (bench.root / "tasks/test_one.py").read_text().replace("please", "now"))
    assert "differs in the prompt." in message(bench, *only)


def message(bench: Bench, *options: str, epoch: int = 1) -> str:
    """Why an attempt is an error."""
    attempt = bench.run(*options).attempt("one", "test-model", epoch)
    assert attempt["error"]["kind"] == "missing_reply"
    return attempt["error"]["message"]


@pytest.mark.slow
def test_a_reply_belongs_to_what_made_it(bench: Bench) -> None:
    """Another model behind the same name and port is asked again, an equal one after a restart is not."""
    bench.task("one")

    def props(temperature: float, slots: int = 1) -> dict:
        defaults = {"n_ctx": 16_384, "params": {"temperature": temperature}}
        return {"total_slots": slots, "model_path": "/m/a.gguf", "default_generation_settings": defaults}

    with ChatServer(ADD_REPLY, models=["gem2"], routes={"/props": props(0.2)}) as server:
        options = ("--llm-model=gem2", f"--llm-base-url={server.base_url}")
        first = bench.run(*options)
        assert first.exit == 0
        server.routes["/props"] = props(0.2, slots=4)
        assert "1 replies reused" in bench.run(*options).out
        server.routes["/props"] = props(1.5)
        again = bench.run(*options)
        assert server.chat_count == 2
        refused = bench.run(*options, f"--llm-resume={first.folder.name}")
    assert not again.results["attempts"][0]["cached"]
    assert "temperature of the server (0.2 there, 1.5 here)" in again.out
    assert "sampling at the server of 'gem2' was" in refused.out + refused.err
    replay = bench.run(*options, "--llm-cache=only")
    assert replay.exit == 0, replay.out
    assert replay.results["attempts"][0]["cached"]


@pytest.mark.slow
def test_a_replay_knows_aliases_and_says_of_what_replies_are_stored(bench: Bench) -> None:
    bench.task("one")
    listed = {"data": [{"id": "gemma-cold", "meta": {"llamaswap": {"aliases": ["quick"]}}}]}
    with ChatServer(ADD_REPLY, models=["gemma-cold"], routes={"/v1/models": listed}) as server:
        assert bench.run("--llm-model=quick", LLMBENCH_PROBE_PORTS=str(server.port)).exit == 0
    replay = bench.run("--llm-model=quick", "--llm-cache=only")
    assert replay.exit == 0, replay.out + replay.err
    assert "asks again" not in replay.out
    missing = bench.run("--llm-model=slow", "--llm-cache=only")
    assert f"Replies are stored of: {server.base_url}/gemma-cold." in missing.err
