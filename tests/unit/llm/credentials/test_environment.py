"""What is taken out of an environment and put back, and what is left of a secret in texts, records and logs."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.credentials.environment import Secret, Secrets, api_key
from pytest_llmbench.llm.credentials.redact import Scrub
from pytest_llmbench.schema.attempt import Completion, Failure, Retry
from pytest_llmbench.schema.outcome import Failed, Replied

KEY = "sk-canary-0123456789abcdef"


def test_only_keys_of_models_are_taken() -> None:
    environment = {
        "OPENAI_API_KEY": KEY,
        "ANTHROPIC_API_KEY": "sk-ant",
        "GROQ_API_KEY": "",
        "DB_TOKEN": "t",
        "DD_API_KEY": "d",
        "HF_TOKEN": "hf_0123456789abcdef",
        "AWS_SECRET_ACCESS_KEY": "aws-0123456789abcdef",
        "PATH": "/usr/bin",
    }
    before = dict(environment)
    secrets = Secrets(environment)
    secrets.take([])
    assert set(environment) == {"DB_TOKEN", "DD_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "PATH"}
    assert dict(secrets) == before
    assert len(secrets) == len(before)
    assert secrets.values_taken == {KEY, "sk-ant", ""}
    secrets.restore()
    assert environment == before
    assert secrets.values_taken == set()


def test_keys_of_wider_use_are_taken_when_a_model_of_theirs_is_asked() -> None:
    environment = {"HF_TOKEN": "hf", "GOOGLE_API_KEY": "g", "GEMINI_API_KEY": "m"}
    secrets = Secrets(environment)
    secrets.take(["huggingface"])
    assert environment == {"GOOGLE_API_KEY": "g"}
    assert api_key("huggingface", secrets) == "hf"


def test_credentials_stay_where_models_are_asked_and_nowhere_else() -> None:
    given = {"AWS_SECRET_ACCESS_KEY": "aws-0123456789abcdef", "AWS_REGION": "eu-1", "COPY": "x aws-0123456789abcdef x"}
    asking, other = dict(given), dict(given)
    secrets = Secrets(asking)
    secrets.take(["bedrock"])
    assert set(asking) == {"AWS_SECRET_ACCESS_KEY", "AWS_REGION"}
    assert secrets.values_taken == {given["AWS_SECRET_ACCESS_KEY"], given["COPY"]}
    Secrets(other).take(["bedrock"], asks=False)
    assert other == {"AWS_REGION": "eu-1"}
    vertex = {"GOOGLE_APPLICATION_CREDENTIALS": "key.json"}
    Secrets(vertex).take(["vertex_ai-language-models"], asks=False)
    assert vertex == {}


def test_whatever_repeats_a_key_is_taken_too() -> None:
    environment = {"OPENAI_API_KEY": f" {KEY}\n", "CURL": f"-H 'Authorization: Bearer {KEY}'", "HOME": "/home/u"}
    secrets = Secrets(environment)
    secrets.take([])
    assert environment == {"HOME": "/home/u"}
    assert secrets["OPENAI_API_KEY"] == KEY, "what a file left around a key is no part of it"
    secrets.restore()
    assert environment["OPENAI_API_KEY"] == f" {KEY}\n"


@pytest.mark.parametrize("word", ["ollama", "none", "not-needed", "lm-studio", "x", ""])
def test_a_word_in_place_of_a_key_takes_nothing_else(word: str) -> None:
    environment = {"OPENAI_API_KEY": word, "EDITOR": f"the {word} editor"}
    Secrets(environment).take([])
    assert environment == {"EDITOR": f"the {word} editor"}


def test_what_was_set_anew_stays() -> None:
    environment = {"OPENAI_API_KEY": "old", "GROQ_API_KEY": "g"}
    secrets = Secrets(environment)
    secrets.take([])
    environment["OPENAI_API_KEY"] = "new"
    secrets.restore()
    assert environment == {"OPENAI_API_KEY": "new", "GROQ_API_KEY": "g"}


CHILDREN = """
import os, subprocess, sys
from pytest_llmbench.llm.credentials.environment import Secrets

LOOK = "import os; print([os.environ.get(n) for n in ('OPENAI_API_KEY', 'AWS_SECRET_ACCESS_KEY', 'DB_TOKEN')])"
def look(env=None):
    return subprocess.run([sys.executable, "-c", LOOK], env=env, capture_output=True, text=True).stdout.strip()

secrets = Secrets()
print(look())
secrets.take(["bedrock"])
print(look(), look(os.environ.copy()), secrets["OPENAI_API_KEY"] + os.environ["AWS_SECRET_ACCESS_KEY"])
secrets.restore()
print(look(), look(os.environ.copy()))
"""


def test_what_children_inherit() -> None:
    env = {"OPENAI_API_KEY": "o", "AWS_SECRET_ACCESS_KEY": "a", "DB_TOKEN": "t"}
    done = subprocess.run([sys.executable, "-c", CHILDREN], env=env, capture_output=True, text=True, check=True)
    all_of_them, none, copied = "['o', 'a', 't']", "[None, None, 't']", "[None, 'a', 't']"
    assert done.stdout.splitlines() == [all_of_them, f"{none} {copied} oa", f"{all_of_them} {all_of_them}"]


def test_a_secret_shows_itself_when_it_is_sent_only() -> None:
    secrets = Secrets({"OPENAI_API_KEY": KEY})
    secrets.take([])
    key = secrets["OPENAI_API_KEY"]
    assert f"Bearer {key}" == f"Bearer {KEY}"
    assert json.loads(json.dumps(key)) == KEY
    shown = repr([key, {"api_key": key}, secrets, vars(secrets), secrets.values_taken, f"{key!r}"])
    assert KEY not in shown
    assert "***" in shown


def test_the_key_of_a_provider() -> None:
    environment = {"TOGETHERAI_API_KEY": "second", "TOGETHER_API_KEY": "first", "GROQ_API_KEY": ""}
    assert api_key("together_ai", environment) == "first"
    assert api_key("groq", environment) is None
    assert api_key("bedrock", environment) is None
    assert api_key("no-such-provider", environment) is None
    with pytest.raises(OptionError, match="GROQ_API_KEY contains characters") as caught:
        api_key("groq", {"GROQ_API_KEY": f"{KEY}\nX: y"})
    assert KEY not in str(caught.value)


# Scrubbing

keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=20, max_size=60).map(
    lambda text: f"{text}7"
)
texts = st.text(max_size=30)


@given(keys, texts, texts)
def test_no_form_of_a_key_is_left_in_a_message(key: str, before: str, after: str) -> None:
    scrub = Scrub([Secret(key)])
    for form in (key, quote(key, safe=""), json.dumps(key)[1:-1], repr(key)[1:-1]):
        assert form not in scrub.message(f"{before}{form}{after}")
    encoded = base64.b64encode(f"{before}{key}{after}".encode()).decode()
    assert "***" in scrub.message(encoded)


@pytest.mark.parametrize("length", [6, 10, len(KEY) - 1])
def test_a_key_that_a_message_was_cut_off_in(length: int) -> None:
    scrub = Scrub([KEY])
    assert scrub.message(f"said {KEY[:length]}… and more") == "said ***… and more"
    assert scrub.message(f"said {KEY[:length]}") == "said ***"
    assert scrub.message(f"said {KEY[:length]} and more") == f"said {KEY[:length]} and more"


def test_every_part_of_an_outcome() -> None:
    failure = Failure(kind="auth", message=f"no {KEY}", body=f"<{KEY}>", cause=f"auth {KEY}", http_status=401)
    completion = Completion(
        text=f"the key is {KEY}",
        reasoning=KEY,
        finish_reason=KEY,
        model_answered=KEY,
        timings={KEY: [KEY, 1, None, {"a": KEY}]},
        wall_s=1.5,
    )
    outcome = Failed(
        completion=completion, failure=failure, retries=(Retry(kind="connection", message=KEY, waited_s=0.1),)
    )
    clean = Scrub([KEY]).outcome(outcome)
    assert KEY not in clean.model_dump_json()
    assert clean.model_dump_json().replace("***", KEY) == outcome.model_dump_json()
    assert Failed.model_validate(clean.model_dump()) == clean


def test_words_stay_in_replies() -> None:
    words = Scrub(["ollama", "not-needed", "sk-1234"])
    outcome = Replied(completion=Completion(text="import ollama  # key: not-needed, sk-1234"))
    assert words.outcome(outcome) == outcome
    assert words.message("sk-1234 is not valid") == "*** is not valid"
    nothing = Scrub()
    assert nothing.outcome(outcome) == outcome


def test_log_records(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("some.library")
    before = logging.getLogRecordFactory()
    with caplog.at_level(logging.DEBUG), Scrub([KEY]).logs():
        logger.debug("headers: %s", {"Authorization": f"Bearer {KEY}"})
        logger.info("no secret in %s", "this")
        try:
            int(KEY)
        except ValueError:
            logger.exception("it broke")
    assert logging.getLogRecordFactory() is before
    assert KEY not in caplog.text
    assert "Bearer ***" in caplog.text
    assert "with base 10: '***'" in caplog.text
    assert caplog.records[1].args == ("this",), "a record without a secret is left as it is"


def test_log_records_that_cannot_be_put_together_are_left_to_the_handler(caplog: pytest.LogCaptureFixture) -> None:
    with Scrub([KEY]).logs():
        record = logging.getLogRecordFactory()("n", logging.INFO, __file__, 1, "%d", ("text",), None)
    assert record.args == ("text",)


def test_another_factory_set_meanwhile_stays() -> None:
    before = logging.getLogRecordFactory()
    try:
        with Scrub([KEY]).logs():
            ours = logging.getLogRecordFactory()

            def later(*args: object, **more: object) -> logging.LogRecord:
                return ours(*args, **more)  # type: ignore[arg-type]  # passed on

            logging.setLogRecordFactory(later)
        assert logging.getLogRecordFactory() is later
        assert later("n", logging.INFO, __file__, 1, KEY, (), None).getMessage() == KEY
    finally:
        logging.setLogRecordFactory(before)
