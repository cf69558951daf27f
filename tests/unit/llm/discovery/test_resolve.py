"""Names looked up: on this machine, at a base URL, at servers found, in litellm's table."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.server import ChatServer, Reply

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.base_url import is_near, normalized
from pytest_llmbench.llm.discovery import resolve as module
from pytest_llmbench.llm.discovery.listing import reachable
from pytest_llmbench.llm.discovery.model_names import ServedModel, fold, match, nearest
from pytest_llmbench.llm.discovery.resolve import describe, resolve
from pytest_llmbench.llm.discovery.servers import probed_urls
from pytest_llmbench.llm.targets import OfflineTarget, ServedTarget
from pytest_llmbench.schema.settings import LLMSettings, ModelSpec

HOSTED = "anthropic/claude-haiku-4-5"


def look_up(*names, cwd="/", base_url=None, ports=(), concurrency=None, **env):
    specs = [ModelSpec(f"label-{number}", name) for number, name in enumerate(names)]
    env = {"LLMBENCH_PROBE_PORTS": ",".join(map(str, ports)), **env}
    return resolve(specs, LLMSettings(base_url=base_url, concurrency=concurrency), cwd, env)


def one(name, **options):
    (target,) = look_up(name, **options)
    return target


def refused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# Names


@pytest.mark.parametrize(
    "name",
    [
        "gpt-oss-20b",
        "gpt-oss:20b",
        "gpt_oss_20b",
        "openai/gpt-oss-20b",
        "GPT-OSS-20B.gguf",
        "/models/gpt-oss-20b-00001-of-00003.gguf",
        "gpt-oss-20b:latest",
    ],
)
def test_names_that_are_the_same_model(name):
    assert fold(name) == "gpt-oss-20b"


@given(st.text())
def test_folding_twice_changes_nothing_more_of_plain_names(name):
    plain = "".join(character for character in name if character.isalnum() or character == "-").lower()
    if not plain.endswith(("gguf", "latest")):
        assert fold(fold(plain)) == fold(plain)


@pytest.mark.parametrize(
    ("name", "served", "found"),
    [
        ("a", ["a", "A"], ["a"]),
        ("A", ["x/a", "a-q4"], ["x/a"]),
        ("gpt-oss-20b", ["gpt-oss-20b-q8kxl", "other"], ["gpt-oss-20b-q8kxl"]),
        ("gpt-oss-20b", ["gpt-oss-20b-q8", "gpt-oss-20b-q4"], ["gpt-oss-20b-q8", "gpt-oss-20b-q4"]),
        ("gpt-4", ["gpt-4o", "gpt-4.1"], []),
        ("gpt-oss:20b", ["unsloth/gpt-oss-20b", "b/gpt_oss_20b"], ["unsloth/gpt-oss-20b", "b/gpt_oss_20b"]),
        ("nothing", [], []),
    ],
)
def test_match(name, served, found):
    assert [model.id for model in match(name, [ServedModel(each) for each in served])] == found


def test_match_by_alias_gives_the_model_s_own_name():
    served = [ServedModel("tiny-answer", ("tiny", "Small_One"))]
    assert match("tiny", served) == served
    assert match("small-one", served) == served


def test_nearest_comes_with_the_spelling_that_is_known():
    assert nearest("gpt-oss-20", ["openai/GPT_OSS_20b", "llama"]) == ["openai/GPT_OSS_20b"]


# On this machine


@pytest.mark.parametrize("which", ["reference", "starter"])
def test_builtin(which):
    target = one(f"builtin/{which}")
    assert target == OfflineTarget(target.label, "builtin", which)


def test_builtin_misspelt():
    with pytest.raises(OptionError, match=r"'builtin/refrence' is not built in\. Similar names: builtin/reference\."):
        one("builtin/refrence")


def test_folder_is_relative_to_where_the_user_is(tmp_path):
    (tmp_path / "replies").mkdir()
    target = one("dir:replies", cwd=tmp_path)
    assert target == OfflineTarget(target.label, "dir", str(tmp_path / "replies"))
    assert one(f"dir:{tmp_path}").name == str(tmp_path)


@pytest.mark.parametrize("name", ["dir:gone", "dir:file"])
def test_folder_that_is_none(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="is not a directory"):
        one(name, cwd=tmp_path)


def test_local_models_import_no_http_client_and_ask_nobody(tmp_path):
    code = """
import sys
from pathlib import Path
from pytest_llmbench.llm.discovery.resolve import describe, resolve
from pytest_llmbench.schema.settings import LLMSettings, ModelSpec
specs = [ModelSpec("a", "builtin/reference"), ModelSpec("b", "dir:.")]
for target in resolve(specs, LLMSettings(base_url="http://127.0.0.1:9"), Path.cwd(), {}):
    describe(target)
print(sorted({"httpx", "litellm", "openai"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# At a base URL


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
def test_base_url_with_or_without_its_version(ending):
    with ChatServer(models=["gpt-oss-20b"]) as server:
        target = one("openai/gpt-oss:20b", base_url=server.url + ending)
        assert server.chat_count == 0
    assert (target.client, target.name) == ("openai", "gpt-oss-20b")
    assert target.base_url == target.endpoint == target.queue == server.base_url
    assert target.concurrency == 1
    assert target.problem == ""


def test_server_is_asked_once_for_many_models():
    with ChatServer(models=["a", "b"]) as server:
        targets = look_up("a", "b", "a", base_url=server.url)
        assert server.other_paths == ["/v1/models", "/props"]
    assert [target.name for target in targets] == ["a", "b", "a"]
    assert [target.label for target in targets] == ["label-0", "label-1", "label-2"]


def test_base_url_from_the_environment_and_the_option_before_it():
    with ChatServer(models=["a"]) as server, ChatServer(models=["a"]) as other:
        assert one("a", OPENAI_BASE_URL=server.url).base_url == server.base_url
        assert one("a", OPENAI_BASE_URL=server.url, base_url=other.url).base_url == other.base_url


def test_key_is_sent_to_the_base_url_and_kept_nowhere():
    with ChatServer(models=["a"], api_key="s3cret") as server:
        target = one("a-b", base_url=server.url, OPENAI_API_KEY="wrong")
        assert target.name == "a-b"  # no list without the key: the name is taken as it is
        with pytest.raises(OptionError, match="is not served") as caught:
            one("z", base_url=server.url, OPENAI_API_KEY="s3cret")
        target = one("a", base_url=server.url, OPENAI_API_KEY="s3cret")
    assert "s3cret" not in repr(target) + describe(target) + str(caught.value)


@pytest.mark.parametrize("key", ["s3cret\n", "s3crét"])
def test_key_that_fits_in_no_header_is_refused_and_not_repeated(key):
    with pytest.raises(OptionError, match="OPENAI_API_KEY contains characters") as caught:
        one("a", base_url="http://127.0.0.1:9", OPENAI_API_KEY=key)
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        Reply.error(404, "File Not Found"),
        Reply.error(405, "no"),
        Reply.error(401, "no"),
        Reply.error(503, "Loading model"),
        Reply.plain(200, "<html>"),
        Reply(body="[]"),
        Reply(body='{"data": [1]}'),
        Reply(body='{"data": {"id": "a"}}'),
        Reply(body='{"data": [{"name": "a"}]}'),
    ],
)
def test_server_without_a_usable_list_gets_the_name_as_it_is(answer):
    with ChatServer(routes={"/v1/models": answer, "/models": answer}) as server:
        target = one("any/Name", base_url=server.url)
    assert (target.name, target.base_url, target.problem) == ("any/Name", server.base_url, "")


def test_alias_leads_to_the_model_s_own_name():
    listing = {"data": [{"id": "tiny-answer", "aliases": ["tiny"]}, {"id": "b", "aliases": None}]}
    with ChatServer(routes={"/v1/models": listing}) as server:
        assert one("tiny", base_url=server.url).name == "tiny-answer"


def test_list_below_the_path_as_given():
    with ChatServer(routes={"/api/openai/models": {"data": [{"id": "a"}]}}) as server:
        assert one("a", base_url=f"{server.url}/api/openai").base_url == f"{server.url}/api/openai"


def test_model_that_is_not_served_names_the_near_ones_and_all():
    with ChatServer(models=["qwen3-coder-30b", "llama-3"]) as server, pytest.raises(OptionError) as caught:
        one("qwen3-codr-30b", base_url=server.url)
    assert str(caught.value) == (
        f"model 'qwen3-codr-30b' is not served at {server.base_url}. Similar names: qwen3-coder-30b. "
        "Served: qwen3-coder-30b, llama-3. If the endpoint takes names that it does not list, write a table for this "
        "one in llmbench.toml, with base_url and name."
    )


def test_long_list_is_cut():
    with ChatServer(models=[f"m{number}" for number in range(60)]) as server, pytest.raises(OptionError) as caught:
        one("zzz", base_url=server.url)
    assert "m19 and 40 more." in str(caught.value)


@pytest.mark.parametrize("data", [[], None])
def test_server_that_serves_no_model(data):
    with ChatServer(routes={"/v1/models": {"data": data}}) as server, pytest.raises(OptionError) as caught:
        one("a", base_url=server.url)
    assert "The server has no models." in str(caught.value)


def test_name_that_means_several():
    with ChatServer(models=["a-q4", "a-q8"]) as server, pytest.raises(OptionError) as caught:
        one("a", base_url=server.url)
    assert f"'a' is ambiguous ({server.base_url}/a-q4, {server.base_url}/a-q8)." in str(caught.value)


def test_server_that_refuses_is_a_problem_and_no_error():
    url = f"http://127.0.0.1:{refused_port()}"
    target = one("a", base_url=url)
    assert (target.client, target.name, target.base_url) == ("openai", "a", f"{url}/v1")
    assert f"{url}/v1 did not answer" in target.problem
    assert "--llm-base-url" in target.problem


def test_server_that_says_nothing_is_a_problem(monkeypatch):
    monkeypatch.setattr(module, "listing", _impatient(module.listing))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = one("a", base_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "did not answer" in target.problem


def _impatient(listing):
    return lambda url, key: listing(url, key, connect_s=0.2, read_s=0.2)


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://host/v1", "http://", "nonsense", "http://host:99999", ""])
def test_base_url_that_is_none(url):
    with pytest.raises(OptionError, match="is not an HTTP URL"):
        normalized(url)


@pytest.mark.parametrize("url", ["http://me:s3cret@host/v1", "http://s3cret@host", "https://host/v1?key=s3cret"])
def test_credentials_in_a_base_url_are_refused_and_not_repeated(url):
    with pytest.raises(OptionError, match="OPENAI_API_KEY") as caught:
        one("a", base_url=url)
    assert "s3cret" not in str(caught.value)


def test_proxy_of_the_environment_is_not_used_for_a_server_nearby(monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{refused_port()}")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{refused_port()}")
    with ChatServer(models=["a"]) as server:
        assert one("a", base_url=server.url).problem == ""


# Servers that run here


def test_running_servers_are_found():
    with ChatServer(models=["a", "b"]) as server, ChatServer(models=["c"]) as other:
        ports = [refused_port(), server.port, other.port]
        targets = look_up("c", "b", ports=ports)
        assert server.other_paths == other.other_paths == ["/v1/models", "/props"]
    assert [(target.name, target.base_url) for target in targets] == [("c", other.base_url), ("b", server.base_url)]


def test_key_is_not_sent_to_servers_that_nobody_named():
    with ChatServer(models=["a"], api_key="s3cret") as server, pytest.raises(OptionError):
        one("a", ports=[server.port], OPENAI_API_KEY="s3cret")


def test_model_on_two_servers_is_listed_with_its_servers():
    with ChatServer(models=["a"]) as server, ChatServer(models=["a"]) as other, pytest.raises(OptionError) as caught:
        one("a", ports=[server.port, other.port])
    assert f"{server.base_url}/a, {other.base_url}/a" in str(caught.value)


def test_exact_name_wins_over_a_similar_one_elsewhere():
    with ChatServer(models=["x/a"]) as server, ChatServer(models=["a"]) as other:
        assert one("a", ports=[server.port, other.port]).base_url == other.base_url


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "http://127.0.0.1:{}", "0.0.0.0:{}", "localhost:{}"])
def test_ollama_host_is_asked_too(form):
    with ChatServer(models=["a"]) as server:
        assert one("a", OLLAMA_HOST=form.format(server.port)).base_url == server.base_url


def test_usual_places():
    assert probed_urls({}) == [f"http://127.0.0.1:{port}" for port in (8080, 9931, 11434, 1234, 8000)]
    assert probed_urls({"OLLAMA_HOST": "0.0.0.0"}) == probed_urls({"OLLAMA_HOST": "[::]"})
    assert probed_urls({"OLLAMA_HOST": "0.0.0.0"})[0] == "http://127.0.0.1:11434"
    assert probed_urls({"LLMBENCH_PROBE_PORTS": ""}) == []


def test_ports_that_are_none():
    with pytest.raises(OptionError, match="LLMBENCH_PROBE_PORTS='80,x'"):
        probed_urls({"LLMBENCH_PROBE_PORTS": "80,x"})


def test_silent_servers_are_waited_for_all_at_once():
    silent = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    began = time.monotonic()
    with pytest.raises(OptionError):
        one("zzz", ports=[each.getsockname()[1] for each in silent])
    assert time.monotonic() - began < 7
    for each in silent:
        each.close()


# Hosted models


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A litellm that can be found and not imported."""
    package = tmp_path / "litellm"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    entries = {
        "gpt-9": {"litellm_provider": "openai", "mode": "chat"},
        "painter": {"litellm_provider": "openai", "mode": "image_generation"},
        "groq/fast": {"litellm_provider": "groq", "mode": "chat"},
    }
    file = package / "model_prices_and_context_window_backup.json"
    file.write_text(json.dumps(entries))
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "litellm"]:
        monkeypatch.delitem(sys.modules, name)
    return file


@pytest.mark.parametrize("name", ["gpt-9", "groq/fast", "openai/newer-than-the-table", "groq/deep/name"])
def test_hosted_model(table, name):
    target = one(name)
    assert (target.client, target.name, target.endpoint, target.base_url) == ("litellm", name, "litellm", None)
    assert target.queue == f"litellm:{name}"
    assert target.concurrency == 8
    assert "litellm" not in sys.modules


@pytest.mark.parametrize("name", ["painter", "nobody/x", "openai/", "gpt"])
def test_no_hosted_model(table, name):
    with pytest.raises(OptionError, match="was not found"):
        one(name)


def test_running_server_goes_before_the_table(table):
    with ChatServer(models=["gpt-9"]) as server:
        assert one("gpt-9", ports=[server.port]).client == "openai"


def test_unknown_name_tells_what_was_asked_and_what_is_near(table):
    closed = refused_port()
    with ChatServer(models=["tiny-answer"]) as server, pytest.raises(OptionError) as caught:
        one("tiny-answr", ports=[server.port, closed])
    assert str(caught.value) == (
        f"model 'tiny-answr' was not found. Servers asked on this machine: {server.url}, http://127.0.0.1:{closed}; "
        f"answered: {server.base_url}. Not in litellm's table of hosted models. Similar names: tiny-answer. "
        f"Served: {server.base_url}/tiny-answer. "
        "Start its server, name it with --llm-base-url=URL, or write PROVIDER/NAME for a hosted model."
    )


@pytest.mark.parametrize("content", ["not json", None])
def test_unusable_table_counts_as_none(table, content):
    if content is None:
        table.unlink()
    else:
        table.write_text(content)
    with pytest.raises(OptionError, match="was not found"):
        one("gpt-9")


def test_the_installed_litellm_s_table_is_read():
    assert one(HOSTED).client == "litellm"


# Concurrency and the header


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://localhost:8080", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:1", True),
        ("http://192.168.1.5:8000/v1", True),
        ("http://100.64.0.9", True),
        ("http://gpu-box:8080", True),
        ("http://nas.local", True),
        ("https://api.openai.com/v1", False),
        ("http://8.8.8.8", False),
    ],
)
def test_near_servers(url, near):
    assert is_near(url) is near


def test_concurrency_as_the_user_says(tmp_path):
    with ChatServer(models=["a"]) as server:
        assert one("a", base_url=server.url, concurrency=3).concurrency == 3
    assert one(HOSTED, concurrency=2).concurrency == 2


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (ServedTarget("m", "openai", "n", "u", "u", "http://h/v1", 4), "m: n at http://h/v1, 4 at a time"),
        (ServedTarget("m", "litellm", "p/n", "litellm", "q", None, 8), "m: p/n through litellm, 8 at a time"),
        (OfflineTarget("m", "dir", "/x"), "m: files in /x"),
        (OfflineTarget("m", "builtin", "starter"), "m: each task's starter files"),
        (ServedTarget("m", "openai", "n", "u", "u", "http://h", problem="gone."), "m: n at http://h: gone."),
    ],
)
def test_describe(target, line):
    assert describe(target) == line


def test_a_run_is_a_run_folder(tmp_path):
    with pytest.raises(OptionError, match="is not a run folder"):
        one(f"run:{tmp_path}")


@pytest.mark.parametrize("kind", ["dir", "run"])
def test_a_folder_that_may_not_be_entered_is_told_as_none(tmp_path, monkeypatch, kind):
    """As an ordinary user; root, who runs most tests, may enter all."""
    (tmp_path / "closed/inner").mkdir(parents=True)
    look = os.stat

    def stat(path, *rest, **how):
        if str(path).startswith(f"{tmp_path}/closed/"):
            raise PermissionError(13, "Permission denied", path)
        return look(path, *rest, **how)

    monkeypatch.setattr(os, "stat", stat)
    with pytest.raises(OptionError, match=r"is not a (directory|run folder)"):
        one(f"{kind}:{tmp_path}/closed/inner")


# What servers list


def test_a_model_that_is_listed_twice_is_one():
    data = [{"id": "ok", "owned_by": "a"}, {"id": "other", "aliases": ["ok"]}, {"id": "ok", "aliases": ["fine"]}]
    with ChatServer(routes={"/v1/models": {"data": data}}) as server:
        assert one("ok", base_url=server.url).name == "ok"
        assert one("fine", base_url=server.url).name == "ok"


@pytest.mark.parametrize("listed", [r"C:\models\m-7b.gguf", r"\\nas\models\m-7b.gguf", "C:/models/m-7b.gguf"])
@pytest.mark.parametrize("typed", ["m-7b", "m-7b.gguf", "M_7B"])
def test_paths_of_windows(listed, typed):
    with ChatServer(models=[listed]) as server:
        assert one(typed, base_url=server.url).name == listed


def test_a_list_behind_a_byte_order_mark():
    answer = Reply(body='\ufeff{"data": [{"id": "a"}]}')
    with ChatServer(routes={"/v1/models": answer}) as server, pytest.raises(OptionError, match="Served: a"):
        one("zzz", base_url=server.url)


@pytest.mark.parametrize("name", ["n", "num_return_sequences", "candidate_count"])
def test_several_answers_at_once_are_refused(name):
    specs = [ModelSpec("a", "a")]
    settings = LLMSettings(base_url="http://127.0.0.1:9", params={name: 2}, cache="only")
    with pytest.raises(OptionError, match=f"{name} is not a sampling parameter.*--llm-epochs"):
        resolve(specs, settings, "/", {})


# Slots


@pytest.mark.parametrize(
    ("asked", "slots", "in_flight", "said"),
    [
        (None, 4, 1, "1 at a time (the server has 4 slots)"),
        ("slots", 4, 4, "4 at a time (the server has 4 slots)"),
        (2, 4, 2, "2 at a time (the server has 4 slots)"),
        ("slots", None, 1, "1 at a time"),
        (None, 1, 1, "1 at a time"),
    ],
)
def test_one_at_a_time_however_many_slots_there_are(asked, slots, in_flight, said):
    with ChatServer(models=["a"], routes={"/props": {"total_slots": slots}} if slots else {}) as server:
        target = one("a", base_url=server.url, concurrency=asked)
    assert target.concurrency == in_flight
    assert describe(target).endswith(f", {said}")


def test_slots_of_no_hosted_model():
    assert one(HOSTED, concurrency="slots").concurrency == one(HOSTED).concurrency


# What answers


def made_by(routes, cache="use", **options):
    with ChatServer(models=["a"], routes=routes) as server:
        settings = LLMSettings(base_url=server.url, cache=cache)
        (target,) = resolve([ModelSpec("a", "a")], settings, "/", {"LLMBENCH_PROBE_PORTS": ""})
    return target.made_by


def listed(**entry):
    return {"/v1/models": {"data": [{"id": "a", **entry}]}}


def test_what_answers_comes_from_list_and_properties():
    routes = listed(meta={"size": 3, "n_params": 4}) | {"/props": {"total_slots": 1, "build_info": "b1"}}
    assert made_by(routes) == {"size": 3, "n_params": 4, "build": "b1"}
    assert made_by({}) == {}


def test_what_answers_cannot_be_known_of_a_server_that_is_not_asked_or_still_loads():
    assert made_by({}, cache="only") is None
    loading = Reply.error(503, "Loading model", "unavailable_error")
    assert made_by({"/v1/models": loading, "/props": loading}) == {"state": "loading"}


def test_an_ollama_is_known_by_its_digests():
    tags = {"/api/tags": {"models": [{"name": "a", "digest": "d1"}]}}
    assert made_by(listed(owned_by="library") | tags) == {"digest": "d1"}


def test_a_router_tells_the_preset_of_its_models():
    preset = "[a]\ntemp = 0.2\nmodel = /models/a.gguf\n"
    routes = listed(status={"value": "unloaded", "preset": preset}) | {"/props": {"role": "router"}}
    with ChatServer(models=["a"], routes=routes) as server:
        target = one("a", base_url=server.url)
    assert target.made_by == {"preset": {"model": "a.gguf", "temperature": "0.2"}}
    assert target.metadata == {"preset": {"temperature": "0.2"}}


def test_a_preset_file_speaks_for_a_server_that_says_nothing(tmp_path):
    file = tmp_path / "preset.ini"
    file.write_text("[a]\ntemp = 0.2\nnp = 4\n")
    with ChatServer(models=["a"]) as server:
        settings = LLMSettings(base_url=server.url, models_file=file)
        (target,) = resolve([ModelSpec("a", "a")], settings, tmp_path, {"LLMBENCH_PROBE_PORTS": ""})
    assert target.made_by == {"preset": {"temperature": "0.2"}}


def test_aliases_of_a_llama_swap_and_no_name_twice():
    entries = listed(aliases=["a", "b"], meta={"llamaswap": {"aliases": ["cold", 3]}}, status={"value": "unloaded"})
    with ChatServer(models=["a"], routes=entries) as server:
        target = one("cold", base_url=server.url)
        lines = list(reachable(LLMSettings(base_url=server.url), {"LLMBENCH_PROBE_PORTS": ""}, {}))
    assert (target.name, target.routes) == ("a", True)
    assert "  a (also b, cold): unloaded" in lines
