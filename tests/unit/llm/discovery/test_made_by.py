"""What answers, as servers tell it: equal after a restart, and different when model or settings are."""

from __future__ import annotations

import json

import pytest

from pytest_llmbench.llm.discovery.made_by import of_entry, of_props, of_tags

PROPS = {
    "total_slots": 4,
    "model_path": "/models/a.gguf",
    "chat_template": "{{ messages }}",
    "build_info": "b1-0c1e570",
    "default_generation_settings": {
        "id": 0,
        "n_ctx": 8192,
        "is_processing": False,
        "params": {"temperature": 0.6000000238418579, "top_k": 20, "samplers": ["top_k"], "stream": True, "seed": 7},
    },
}
PRESET = "[a]\ntemp = 0.2\nmodel = /models/a.gguf\nport = 4711\nthreads = 4\napi-key = secret\n"
ENTRY = {"id": "a", "status": {"value": "unloaded", "preset": PRESET}}


def changed(told, path, value):
    copy = json.loads(json.dumps(told))
    place = copy
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["model_path"], "/models/b.gguf"),
        (["chat_template"], "{{ other }}"),
        (["build_info"], "b2"),
        (["default_generation_settings", "n_ctx"], 4096),
        (["default_generation_settings", "params", "temperature"], 1.5),
        (["default_generation_settings", "params", "samplers"], ["top_p"]),
    ],
)
def test_what_shapes_replies_counts(path, value):
    assert of_props(changed(PROPS, path, value)) != of_props(PROPS)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["model_path"], "D:\\elsewhere\\a.gguf"),
        (["total_slots"], 1),
        (["uptime"], 3),
        (["is_sleeping"], True),
        (["default_generation_settings", "is_processing"], True),
        (["default_generation_settings", "params", "stream"], False),
        (["default_generation_settings", "params", "temperature"], 0.6),
    ],
)
def test_what_changes_at_each_start_does_not_count(path, value):
    assert of_props(changed(PROPS, path, value)) == of_props(PROPS)


def test_a_router_is_known_by_its_preset_loaded_or_not():
    loaded = {
        **ENTRY,
        "created": 5,
        "meta": {"size": 3, "n_params": 4},
        "status": {"value": "loaded", "args": ["--port", "5"], "preset": PRESET.replace("4711", "4712")},
    }
    assert of_entry(loaded) == of_entry(ENTRY) == {"preset": {"model": "a.gguf", "temperature": "0.2"}}
    assert of_entry(changed(ENTRY, ["status", "preset"], PRESET.replace("0.2", "1.9"))) != of_entry(ENTRY)


def test_a_single_model_is_known_by_its_size():
    entry = {"id": "a", "created": 5, "meta": {"size": 3, "n_params": 4, "ftype": "F16", "n_ctx_train": 32768}}
    assert of_entry(entry) == {"size": 3, "n_params": 4, "ftype": "F16"}


@pytest.mark.parametrize(
    "told",
    [
        {"meta": "x", "status": 3},
        {"status": {"preset": "no section = [", "value": []}},
        {"meta": {"size": -1, "n_params": "many", "ftype": "x" * 10_000}},
        {"chat_template": 3, "model_path": [], "default_generation_settings": {"params": ["x"], "n_ctx": "a"}},
        {"default_generation_settings": {"params": {"a": {"deep": 1}, "b": [[1]], "c": float("nan")}}},
    ],
)
def test_what_nobody_can_read_is_nothing(told):
    assert of_entry(told) == of_props(told) == {}


def test_what_is_told_without_end_is_bounded():
    params = {f"setting{number}": "x" * 100_000 for number in range(10_000)}
    assert len(json.dumps(of_props({"default_generation_settings": {"params": params}}))) < 10_000


def test_an_ollama_tells_a_digest():
    said = {"models": ["x", {"name": "b:latest", "digest": "2"}, {"name": "a:latest", "digest": "1"}]}
    assert of_tags(said, "a:latest") == {"digest": "1"}
    assert of_tags(said, "c") == of_tags(None, "a") == of_tags({"models": 3}, "a") == {}
