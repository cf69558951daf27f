"""Models by the names of a file, and what can be reached."""

from __future__ import annotations

from itertools import combinations

import pytest
from support.bench import ADD_REPLY, TASK, WRONG_REPLY, Bench
from support.server import ChatServer, Reply

KEY = "rack-key-5d1f0a"


def test_a_model_of_the_file(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.task("add")
    with ChatServer(ADD_REPLY, models=["served"]) as server:
        bench.file(
            "llmbench.toml",
            f"""
            [models."my-model"]
            base_url = "{server.base_url}"
            name = "served"
            params = {{ temperature = 0.2, top_k = 3 }}
            system_prompt = "Be short."
            api_key_env = "RACK_KEY"
            slots = 3
            price = {{ input_usd_per_mtok = 10, output_usd_per_mtok = 20 }}
            size_gb = 12.1
            """,
        )
        run = bench.run("--llm-model=my-model", "--llm-param=temperature=0.7", *either_way, RACK_KEY=KEY)
        (request,) = server.requests
    assert run.exit == 0, run.out + run.err
    assert (request.body["model"], request.body["temperature"], request.body["top_k"]) == ("served", 0.7, 3)
    assert request.body["messages"][0] == {"role": "system", "content": "Be short."}
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert "3 at a time" in run.out
    (model,) = run.results["models"]
    assert (model["params"], model["metadata"]) == ({"temperature": 0.7, "top_k": 3}, {"size_gb": 12.1})
    attempt = run.attempt("add", "my-model")
    usage = attempt["usage"]
    expected = (usage["prompt_tokens"] * 10 + usage["completion_tokens"] * 20) / 1e6
    assert abs(attempt["cost_usd"] - expected) < 1e-9
    assert run.row("my-model")["cost_usd"] == attempt["cost_usd"]
    for path in (bench.root / ".llmbench").rglob("*"):
        assert path.is_dir() or KEY not in path.read_text()


@pytest.mark.slow
def test_the_system_prompt_is_part_of_the_request(bench: Bench) -> None:
    bench.task("add")
    with ChatServer(ADD_REPLY) as server:
        options = ("--llm-model=test-model", f"--llm-base-url={server.base_url}")
        bench.run(*options)
        bench.run(*options)
        assert server.chat_count == 1
        bench.run(*options, "--llm-system-prompt=Be kind.")
        assert server.chat_count == 2
        bench.run(*options, "--llm-param=seed=1")
        assert server.chat_count == 3


@pytest.mark.slow
def test_an_empty_system_prompt_switches_the_file_s_off(bench: Bench) -> None:
    bench.task("add")
    with ChatServer(ADD_REPLY) as server:
        bench.file(
            "llmbench.toml", f'[models.mine]\nbase_url = "{server.base_url}"\nname = "m"\nsystem_prompt = "Be short."\n'
        )
        roles = []
        for more, env in (((), {}), (("--llm-system-prompt=",), {}), (("--llm-system-prompt=",), {"X": "Be kind."})):
            variables = {"LLMBENCH_SYSTEM_PROMPT": env["X"]} if env else {}
            run = bench.run("--llm-model=mine", "--llm-cache=off", *more, **variables)
            assert run.exit == 0, run.out + run.err
            roles.append([message["role"] for message in server.requests[-1].body["messages"]])
        assert roles == [["system", "user"], ["user"], ["user"]]
        resumed = bench.run("--llm-model=mine", "--llm-resume", "--llm-cache=off")
    assert resumed.exit == 4
    assert "system prompt of 'mine' was '', is 'Be short.'" in resumed.err


def test_an_alias_of_the_file_and_the_context_of_a_preset(bench: Bench) -> None:
    bench.task("add", TASK.replace("please. ", f"please. {'It adds. ' * 10}"))
    with ChatServer(ADD_REPLY, models=["one"]) as server:
        bench.file("llmbench.toml", f'[models.one]\nbase_url = "{server.base_url}"\naliases = ["uno"]\n')
        run = bench.run("--llm-model=uno")
        assert (run.exit, server.requests[0].model) == (0, "one")
        bench.file("preset.ini", "[*]\nctx-size = 4096\n[one]\nc = 4\n")
        more = ("--llm-models-file=preset.ini", f"--llm-base-url={server.base_url}", "--llm-cache=off")
        run = bench.run("--llm-model=one", *more)
        assert server.chat_count == 1
    assert run.attempt("add", "one")["error"]["kind"] == "context_overflow"
    assert run.results["models"][0]["metadata"] == {"context": 4, "preset": {"ctx-size": "4"}}


@pytest.mark.parametrize("told", ["file", "props"])
def test_an_answer_that_filled_the_context_is_told_as_such(bench: Bench, told: str) -> None:
    bench.task("add")
    cut = Reply("def add(", finish_reason="length", usage={"prompt_tokens": 30, "completion_tokens": 34})
    props = {"total_slots": 1, "default_generation_settings": {"n_ctx": 64}}
    with ChatServer(cut, models=["m"], routes={"/props": props} if told == "props" else {}) as server:
        context = "context = 64" if told == "file" else ""
        bench.file("llmbench.toml", f'[models.m]\nbase_url = "{server.base_url}"\n{context}\n')
        run = bench.run("--llm-model=m")
    error = run.attempt("add", "m")["error"]
    assert error["kind"] == "truncated"
    assert "the context of 64 tokens is filled (prompt 30, answer 34)" in error["message"]


def test_a_name_that_no_place_has(bench: Bench) -> None:
    bench.task("add")
    bench.file("llmbench.toml", '[models.my-model]\nbase_url = "http://127.0.0.1:1"\n')
    run = bench.run("--llm-model=my-modle")
    assert run.exit == 4
    assert f"Not in the models file {bench.root / 'llmbench.toml'}. " in run.err
    assert "Similar names: my-model" in run.err
    bench.file("llmbench.toml", "[models.my-model]\nurl = 'x'\n")
    run = bench.run("--llm-model=my-model")
    assert (run.exit, "url: no such key" in run.err) == (4, True)
    assert "Traceback" not in run.err


def test_listing(bench: Bench) -> None:
    bench.task("add")
    with ChatServer(ADD_REPLY, models=["served", "other"]) as server:
        bench.file(
            "llmbench.toml", f'[models.mine]\nbase_url = "{server.base_url}"\n[models.big]\nlitellm = "groq/x"\n'
        )
        run = bench.run("--llm-list-models", LLMBENCH_PROBE_PORTS=f"{server.port},1")
        assert server.chat_count == 0
    assert run.exit == 0, run.out + run.err
    lines = run.out.splitlines()
    assert f"  mine: at {server.base_url}" in lines
    assert "  big: groq/x through litellm" in lines
    assert f"server {server.base_url}:" in lines
    assert {"  served", "  other"} <= set(lines)
    assert "passed" not in run.out
    assert not (bench.root / ".llmbench").exists()


def test_listing_says_what_is_loaded(bench: Bench) -> None:
    """As a llama-server tells it that holds one of its models at a time."""
    entries = [
        {"id": "held", "aliases": ["h"], "status": {"value": "loaded"}},
        {"id": "other", "status": {"value": "unloaded"}},
        {"id": "broken", "status": {"value": "unloaded", "failed": True, "exit_code": 1}},
        {"id": "odd", "status": "so-so"},
        {"id": "long", "status": {"value": "\x1b[2J" + "x" * 999}},
    ]
    with ChatServer(ADD_REPLY, routes={"/v1/models": {"data": entries}}) as server:
        run = bench.run("--llm-list-models", LLMBENCH_PROBE_PORTS=f"{server.port}")
    assert run.exit == 0, run.out + run.err
    lines = [line for line in run.out.splitlines() if line.startswith("  ")]
    assert lines[:4] == [
        "  held (also h): loaded",
        "  other: unloaded",
        "  broken: unloaded, its last load failed",
        "  odd",
    ]
    assert lines[4].startswith("  long: \\x1b[2Jxxx")
    assert len(lines[4]) < 100


def test_listing_a_named_server_and_the_others(bench: Bench) -> None:
    with ChatServer(ADD_REPLY, models=["named"]) as named, ChatServer(ADD_REPLY, models=["near"]) as near:
        ports = f"{named.port},{near.port}"
        options = ("--llm-list-models", f"--llm-base-url=http://localhost:{named.port}")
        run = bench.run(*options, LLMBENCH_PROBE_PORTS=ports, OPENAI_API_KEY=KEY)
    servers = [line for line in run.out.splitlines() if line.startswith(("server", "  "))]
    assert servers == [
        f"server http://localhost:{named.port}/v1:",
        "  named",
        f"server {near.base_url}:",
        "  near",
    ]


def test_listing_where_nothing_answers(bench: Bench) -> None:
    run = bench.run("--llm-list-models")
    assert run.exit == 0
    assert "models file: none" in run.out
    assert "servers: none found (asked: http://127.0.0.1:1; " in run.out


def test_the_key_of_a_named_server_goes_to_no_server_of_the_file(bench: Bench) -> None:
    bench.task("add")
    with ChatServer(ADD_REPLY) as rack, ChatServer(ADD_REPLY) as named:
        bench.file("llmbench.toml", f'[models.mine]\nbase_url = "{rack.base_url}"\n')
        run = bench.run("--llm-model=mine", OPENAI_BASE_URL=named.base_url, OPENAI_API_KEY=KEY)
        assert run.exit == 0, run.out + run.err
        assert "authorization" not in rack.requests[0].headers
        run = bench.run("--llm-model=mine", "--llm-cache=off", OPENAI_BASE_URL=rack.url, OPENAI_API_KEY=KEY)
        assert run.exit == 0, run.out + run.err
        assert rack.requests[1].headers["authorization"] == f"Bearer {KEY}"


def test_clocks_hold_where_a_key_of_the_file_is_sent(bench: Bench) -> None:
    bench.task("add")
    with ChatServer(Reply(ADD_REPLY, latency_s=4.0)) as server:
        bench.file("llmbench.toml", f'[models.mine]\nbase_url = "{server.base_url}"\napi_key_env = "RACK_KEY"\n')
        run = bench.run("--llm-model=mine", "--llm-first-byte-timeout=0.5", RACK_KEY=KEY)
    assert run.exit == 1
    assert run.attempt("add", "mine")["status"] == "error"
    assert "--llm-first-byte-timeout" in run.out


def test_the_system_prompt_comes_once_in_every_turn(bench: Bench) -> None:
    before, rest = TASK.split("pytestmark = ", 1)
    feedback = 'def feedback(submission):\n    return None if "+" in submission.files["add.py"] else "Wrong."\n\n\n'
    marked = rest.replace("files=", "turns=2, feedback=feedback, files=", 1)
    bench.task("add", f"{before}{feedback}pytestmark = {marked}")
    with ChatServer([WRONG_REPLY, ADD_REPLY]) as server:
        run = bench.run("--llm-model=test-model", f"--llm-base-url={server.base_url}", "--llm-system-prompt=Be short.")
    assert run.exit == 0, run.out + run.err
    roles = [[message["role"] for message in request.body["messages"]] for request in server.requests]
    assert roles == [["system", "user"], ["system", "user", "assistant", "user"]]


def test_one_server_is_one_queue_however_it_is_written(bench: Bench) -> None:
    for name in ("one", "two", "three"):
        bench.task(name)
    with ChatServer(Reply(text=ADD_REPLY, latency_s=0.1), models=["a", "b"]) as server:
        root = server.base_url.removesuffix("/v1")
        bench.file("llmbench.toml", f'[models.a]\nbase_url = "{root}"\n[models.b]\nbase_url = "{root}/v1/"\n')
        run = bench.run("--llm-model=a,b", "-n2")
        assert run.exit == 0, run.out + run.err
        assert not [one for one, two in combinations(server.requests, 2) if one.overlaps(two)]
    assert [model["endpoint"] for model in run.results["models"]] == [f"{root}/v1"] * 2


def test_a_key_that_is_not_there_is_missed_before_anything_is_asked(bench: Bench) -> None:
    bench.task("add")
    with ChatServer(ADD_REPLY) as server:
        bench.file("llmbench.toml", f'[models.a]\nbase_url = "{server.base_url}"\napi_key_env = "RACK_KEY"\n')
        run = bench.run("--llm-model=a")
        assert server.chat_count == 0
    assert (run.exit, "RACK_KEY, named as api_key_env in the models file, is not set" in run.err) == (4, True)
    run = bench.run("--llm-model=a", "--llm-param=stream=false", RACK_KEY=KEY)
    assert (run.exit, "--llm-param: stream is not a sampling parameter" in run.err) == (4, True)
