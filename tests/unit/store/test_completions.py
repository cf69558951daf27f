"""Stored completions: shared by equal requests, and by no others."""

from __future__ import annotations

import json
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.errors import StoreError
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Message, Usage
from pytest_llmbench.store.completions import CompletionStore

REQUEST = CompletionRequest(
    model="gpt-oss-20b",
    endpoint="http://127.0.0.1:8080/v1",
    messages=(Message(role="system", content="Be brief."), Message(role="user", content="Fizz?")),
    epoch=1,
    params={"temperature": 0.2, "stop": ["a", "b"], "nested": {"x": 1, "y": None}},
)
COMPLETION = Completion(
    text="```python\n```\r\n",
    reasoning="hm \ud83d",
    finish_reason="stop",
    usage=Usage(prompt_tokens=1, completion_tokens=2),
    timings={"predicted_ms": 3.5},
    wall_s=1.25,
    started="2025-01-02T03:04:05+00:00",
)


@pytest.fixture
def store(tmp_path) -> CompletionStore:
    return CompletionStore(tmp_path / "completions")


def test_an_equal_request_gets_the_stored_completion(store, tmp_path):
    store.save(REQUEST, COMPLETION)
    params = dict(reversed(REQUEST.params.items()))
    equal = CompletionRequest.model_validate(REQUEST.model_dump() | {"params": params})
    assert store.load(equal) == COMPLETION
    assert CompletionStore(tmp_path / "completions").load(equal) == COMPLETION


def test_nothing_stored_is_none(store):
    assert store.load(REQUEST) is None


def test_a_later_completion_takes_the_place_of_an_earlier_one(store):
    store.save(REQUEST, COMPLETION)
    store.save(REQUEST, Completion(text="newer"))
    assert store.load(REQUEST) == Completion(text="newer")


CHANGES = {
    "model": {"model": "gpt-oss-20"},
    "endpoint": {"endpoint": "http://127.0.0.1:8081/v1"},
    "epoch": {"epoch": 2},
    "content": {"messages": (REQUEST.messages[0], Message(role="user", content="Fizz? "))},
    "role": {"messages": (Message(role="user", content="Be brief."), REQUEST.messages[1])},
    "order": {"messages": REQUEST.messages[::-1]},
    "fewer messages": {"messages": REQUEST.messages[1:]},
    "no params": {"params": {}},
    "param value": {"params": REQUEST.params | {"temperature": 0.3}},
    "param order": {"params": REQUEST.params | {"stop": ["b", "a"]}},
    "param type": {"params": REQUEST.params | {"temperature": "0.2"}},
    "nested param": {"params": REQUEST.params | {"nested": {"x": 1, "y": 0}}},
    "what answers": {"made_by": {"size": 1}},
    "one param more": {"params": REQUEST.params | {"seed": 1}},
}


def test_every_field_of_a_request_is_changed_here():
    shaping = {name for name, info in CompletionRequest.model_fields.items() if not info.exclude}
    assert {name for change in CHANGES.values() for name in change} == shaping


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_request_does_not_share(store, change):
    store.save(REQUEST, COMPLETION)
    assert store.load(REQUEST.model_copy(update=CHANGES[change])) is None


PARAMS = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
)
REQUESTS = st.builds(
    CompletionRequest,
    model=st.text(max_size=5),
    endpoint=st.text(max_size=5),
    messages=st.lists(
        st.builds(Message, role=st.sampled_from(["user", "system"]), content=st.text(max_size=5)), max_size=3
    ).map(tuple),
    epoch=st.integers(1, 3),
    params=PARAMS,
)


@given(REQUESTS, REQUESTS)
def test_fingerprints_are_equal_only_for_equal_requests(one, other):
    assert (
        one.fingerprint()
        == CompletionRequest.model_validate_json(json.dumps(one.model_dump(mode="json"))).fingerprint()
    )
    if one != other:
        assert one.fingerprint() != other.fingerprint()


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"null", b"[]", b"3", b"\xff", b"{}", b'{"completion": null}', b'{"completion": {"txt": ""}}']
)
def test_a_damaged_file_counts_as_none_and_is_written_anew(store, tmp_path, damage):
    store.save(REQUEST, COMPLETION)
    (path,) = tmp_path.rglob("*.json")
    path.write_bytes(damage)
    assert store.load(REQUEST) is None
    store.save(REQUEST, COMPLETION)
    assert store.load(REQUEST) == COMPLETION


def test_a_folder_in_the_place_of_the_file_counts_as_none(store, tmp_path):
    store.save(REQUEST, COMPLETION)
    (path,) = tmp_path.rglob("*.json")
    path.unlink()
    path.mkdir()
    assert store.load(REQUEST) is None


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "completions").write_text("")
    with pytest.raises(StoreError, match=r"cannot write .*completions.*: Not a directory\. Make space"):
        CompletionStore(tmp_path / "completions").save(REQUEST, COMPLETION)


def test_many_sessions_may_save_and_load_at_once(store):
    completions = [Completion(text=str(number) * 10_000) for number in range(4)]
    found: list[Completion | None] = []

    def work(completion: Completion) -> None:
        for _ in range(20):
            store.save(REQUEST, completion)
            found.append(store.load(REQUEST))

    threads = [threading.Thread(target=work, args=(completion,)) for completion in completions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80
    assert all(each in completions for each in found)


def test_what_was_asked_lies_beside_the_answer(store, tmp_path):
    store.save(REQUEST, COMPLETION)
    (path,) = (tmp_path / "completions").glob("??/*.json")
    assert path.name == f"{REQUEST.fingerprint()}.json"
    assert path.parent.name == path.name[:2]
    assert CompletionRequest.model_validate(json.loads(path.read_text())["request"]) == REQUEST


def stored(store, **changes):
    store.save(REQUEST.model_copy(update=changes), COMPLETION)


OTHER_TASK = (REQUEST.messages[0], Message(role="user", content="Another task altogether."))


def test_the_difference_is_that_to_the_same_task_however_many_others_are_nearer(store):
    for number in range(20):
        other = Message(role="user", content=f"Another task, the {number}th.")
        stored(store, messages=(REQUEST.messages[0], other))
    stored(store, epoch=2, params={"seed": 1})
    said = store.difference(REQUEST)
    assert said == f"epoch (2 there, {REQUEST.epoch} here); params ({{'seed': 1}} there, {REQUEST.params!r} here)"


def test_of_the_same_task_the_one_with_fewest_differences(store):
    stored(store, epoch=2, params={"seed": 1})
    stored(store, epoch=3)
    assert store.difference(REQUEST) == f"epoch (3 there, {REQUEST.epoch} here)"


def test_a_later_turn_is_compared_with_the_conversation_that_began_so(store):
    said = (Message(role="assistant", content="x"), Message(role="user", content="Wrong."))
    stored(store, messages=(*REQUEST.messages, *said), epoch=2)
    stored(store, messages=(*OTHER_TASK, *said))
    turn = REQUEST.model_copy(update={"messages": (*REQUEST.messages, said[0], Message(role="user", content="No."))})
    assert store.difference(turn) == f"epoch (2 there, {REQUEST.epoch} here); the prompt"


def test_none_of_the_model(store):
    stored(store, model="other")
    assert store.difference(REQUEST) == ""


def test_models_are_known_from_the_heads_of_files(store, tmp_path, monkeypatch):
    stored(store)
    stored(store, epoch=2)
    stored(store, model="b \u00e9\ud800", endpoint="litellm")
    stored(store, model="long " * 2000)
    old = json.loads(next(tmp_path.rglob("*.json")).read_text())
    del old["asked"]
    old["request"]["model"] = "old"
    (tmp_path / "completions/00").mkdir(exist_ok=True)
    (tmp_path / "completions/00/old.json").write_text(json.dumps(old))
    (tmp_path / "completions/00/damaged.json").write_text('{"asked": {"model')
    (tmp_path / "completions/00/folder.json").mkdir()
    found = store.models()
    assert (REQUEST.model, REQUEST.endpoint) in found
    assert ("b \u00e9\ud800", "litellm") in found
    assert {model.strip()[:4] for model, _ in found} == {REQUEST.model[:4], "b \u00e9\ud800", "long", "old"}
    assert found == sorted(set(found))


def test_models_are_known_without_reading_long_replies(store, tmp_path):
    store.save(REQUEST, Completion(text="x" * 3_000_000))
    (path,) = tmp_path.rglob("*.json")
    whole = path.read_bytes()
    path.write_bytes(whole[:5000])  # what comes later is not looked at
    assert store.models() == [(REQUEST.model, REQUEST.endpoint)]


# What answers


MADE_BY = {"size": 2_000_000, "sampling": {"temperature": 0.2}, "build": "b1"}


def made(**changes):
    return REQUEST.model_copy(update={"made_by": {**MADE_BY, **changes}})


def test_equal_servers_share_and_the_order_of_what_they_tell_means_nothing(store):
    store.save(made(), COMPLETION)
    assert store.load(REQUEST.model_copy(update={"made_by": dict(reversed(MADE_BY.items()))})) == COMPLETION
    assert store.made_otherwise == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size": 3}, "size of the server (2000000 there, 3 here)"),
        ({"sampling": {"temperature": 1.9}}, "temperature of the server (0.2 there, 1.9 here)"),
        ({"template": "ab"}, "template of the server (not told there, 'ab' here)"),
    ],
)
def test_another_model_or_other_settings_behind_one_name_do_not_share(store, change, said):
    store.save(made(), COMPLETION)
    assert store.load(made(**change)) is None
    assert store.difference(made(**change)) == said
    (line,) = store.made_otherwise
    assert said in line
    assert line.startswith("1 stored reply of gpt-oss-20b at ")


def test_replies_of_older_versions_stay_for_servers_that_tell_nothing_and_for_no_others(store, tmp_path):
    store.save(REQUEST, COMPLETION)
    (path,) = tmp_path.rglob("*.json")
    old = json.loads(path.read_text())
    del old["request"]["made_by"]
    path.write_text(json.dumps(old))
    assert path.stem == REQUEST.fingerprint()
    assert store.load(REQUEST) == COMPLETION
    assert store.load(made()) is None
    assert "size of the server (not told there, 2000000 here)" in store.made_otherwise[0]


def test_what_answered_last_of_a_model(store, tmp_path):
    assert store.last_made_by(REQUEST.model, REQUEST.endpoint) == {}
    for when, size in enumerate((1, 3, 2)):
        store.save(made(size=size), COMPLETION)
        path = tmp_path / "completions" / made(size=size).fingerprint()[:2] / f"{made(size=size).fingerprint()}.json"
        os.utime(path, (when, when))
    store.save(made(size=9).model_copy(update={"model": "other"}), COMPLETION)
    assert CompletionStore(tmp_path / "completions").last_made_by(REQUEST.model, REQUEST.endpoint)["size"] == 2


def test_other_names_of_a_model_lie_beside_its_replies_and_shape_none(store, tmp_path):
    named = REQUEST.model_copy(update={"aliases": ("cold", "odd }")})
    assert named.fingerprint() == REQUEST.fingerprint()
    store.save(named.model_copy(update={"aliases": ("cold",)}), COMPLETION)
    again = CompletionStore(tmp_path / "completions")
    assert again.models() == [(REQUEST.model, REQUEST.endpoint)]
    assert again.aliases(REQUEST.model, REQUEST.endpoint) == ("cold",)
    assert again.aliases("other", REQUEST.endpoint) == ()
    store.save(named, COMPLETION)  # the brace ends what is read in haste
    assert CompletionStore(tmp_path / "completions").models() == [(REQUEST.model, REQUEST.endpoint)]
