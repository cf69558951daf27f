"""No way of writing a key that a program undoes at once gets it past."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmbench.llm.credentials.disguises import MAX_CHARS, Disguises
from pytest_llmbench.llm.credentials.redact import Scrub
from pytest_llmbench.schema.attempt import Completion, Failure
from pytest_llmbench.schema.outcome import Failed

KEY = "sk-Proj-9aZ0_kQ7bXw2LmN8vTtR4"

WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper": str.upper,
    "lower": str.lower,
    "swapped": str.swapcase,
    "backwards": lambda key: key[::-1],
    "spaced": " ".join,
    "lines": "\n".join,
    "dashed": "-".join,
    "dotted": " . ".join,
    "invisible": "\u200b".join,
    "emphasized": lambda key: f"{key[:9]}**{key[9:]}",
    "percent": lambda key: "".join(f"%{ord(each):02x}" for each in key),
    "PERCENT": lambda key: "".join(f"%{ord(each):02X}" for each in key),
    "some percent": lambda key: quote(key).replace("a", "%61").replace("9", "%39"),
    "percent of percent": lambda key: "".join(f"%25{ord(each):02x}" for each in key),
    "thrice": lambda key: "".join(f"%2525{ord(each):02x}" for each in key),
    "hex": lambda key: key.encode().hex(),
    "HEX": lambda key: key.encode().hex().upper(),
    "hex with colons": lambda key: key.encode().hex(":"),
    "hex backwards": lambda key: key[::-1].encode().hex(),
    "0x": lambda key: ", ".join(f"0x{ord(each):02x}" for each in key),
    "python": lambda key: "".join(f"\\x{ord(each):02x}" for each in key),
    "javascript": lambda key: "".join(f"\\u{ord(each):04x}" for each in key),
    "braces": lambda key: "".join(f"\\u{{{ord(each):x}}}" for each in key),
    "html": lambda key: "".join(f"&#{ord(each)};" for each in key),
    "html in hex": lambda key: "".join(f"&#x{ord(each):x};" for each in key),
    "quoted-printable": lambda key: "".join(f"={ord(each):02X}" for each in key),
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 within": lambda key: base64.b64encode(f"Bearer {key} ".encode()).decode(),
    "base64 in lines": lambda key: base64.encodebytes(f"{'x' * 40}{key}".encode()).decode(),
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(key.encode()).decode(),
    "base32": lambda key: base64.b32encode(key.encode()).decode(),
    "base32 within": lambda key: base64.b32encode(f"abcd{key}".encode()).decode().lower(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_key_is_hidden(way: str) -> None:
    written = WAYS[way](KEY)
    hidden = Disguises([KEY]).hide(f"the key: {written} was told.")
    assert hidden.startswith("the key: ")
    assert hidden.endswith((" was told.", "was told."))
    assert "***" in hidden
    assert len(hidden) < len("the key:  was told.") + len(written) - 12
    assert Disguises([KEY]).hide("nothing of it") == "nothing of it"


@pytest.mark.parametrize("way", WAYS)
def test_in_every_part_of_an_outcome(way: str) -> None:
    written = WAYS[way](KEY)
    outcome = Failed(
        completion=Completion(text=written, reasoning=f"\n{written}", finish_reason=written, timings={"a": written}),
        failure=Failure(kind="auth", message=written, body=written),
    )
    clean = Scrub([KEY]).outcome(outcome)
    assert isinstance(clean, Failed)
    assert clean.completion is not None
    assert clean.completion.timings is not None
    for part in (clean.completion.text, clean.completion.reasoning, clean.completion.timings["a"], clean.failure.body):
        assert "***" in part
        assert len(part) < len(written)


def test_words_that_may_be_keys_stay() -> None:
    text = "import ollama  # not-needed %6f%6c%6c%61%6d%61 1111111111111111"
    assert Disguises(["ollama", "not-needed", "sk-1234", "----------------1"]).hide(text) == text


def test_what_lies_around_a_key_stays() -> None:
    text = f"İ before {KEY} between {KEY.upper()} {' '.join(KEY)} after ß"
    assert Disguises([KEY]).hide(text) == "İ before *** between *** *** after ß"


@pytest.mark.slow
@given(st.text(), st.text())
@settings(deadline=None)
def test_any_text_around(before: str, after: str) -> None:
    spaced = "%20".join(KEY)
    assert "***" in Disguises([KEY]).hide(f"{before} {spaced} {after}")


@given(st.text())
@settings(deadline=None)
def test_other_texts_stay(text: str) -> None:
    assert Disguises([KEY]).hide(text) == text


@pytest.mark.parametrize("piece", ["%73", "a", "%25", "&#0", "\\u{0", " ", KEY[:-1], f"{KEY} ", "%2525"])
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * (MAX_CHARS // len(piece) + 1))[:MAX_CHARS]
    began = time.process_time()
    Disguises([KEY, f"{KEY}1"]).hide(text)
    assert time.process_time() - began < 10
