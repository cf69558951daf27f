"""What a server says is hostile input: the cases that once cost more than the attempt, and a sample of random ones."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
from collections.abc import Callable

import pytest
from support.bench import ADD_REPLY, Bench
from support.raw_server import END, Bytes, RawServer, event, head, listed, said
from support.server_answers import answer
from support.server_sessions import ask_all, check, strictly

KEY = "sk-Proj-9aZ0-kQ7bXw2LmN8vTtR4"
SEEDS = range(30)


def figures(name: str, text: str) -> Callable[[], Bytes]:
    """A right reply, with a field beside it written out as JSON."""
    return lambda: head() + said(ADD_REPLY) + event(f'{{"choices": [], "{name}": {text}}}') + END


def deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def bomb(layers: int) -> bytes:
    data = b" " * 50_000_000
    for _ in range(layers):
        data = gzip.compress(data, 9)
    return data


SCORED = {
    "big-timings": figures("timings", f'{{"predicted_per_second": 1{"0" * 400}, "prompt_n": 40}}'),
    "big-usage": figures("usage", f'{{"prompt_tokens": 1{"0" * 400}, "completion_tokens": 1{"0" * 5000}}}'),
    "nan": figures("timings", '{"predicted_per_second": NaN, "x": Infinity, "y": -Infinity}'),
    "subnormal": figures("timings", '{"predicted_n": 9, "predicted_ms": 5e-324, "prompt_n": 99, "prompt_ms": 1e-99}'),
    "negative": figures("timings", '{"predicted_n": -5, "predicted_ms": 5e-324, "predicted_per_second": 1e308}'),
    "deep": figures("timings", deep(300)),
    "deeper": figures("timings", deep(900)),
    "deepest": figures("timings", deep(200_000)),
    "wide": figures("timings", json.dumps({f"n{number}": number for number in range(5000)})),
    "many-names": figures("usage", json.dumps({"prompt_tokens_details": {"cached_tokens": [1]}, "x": [[1]] * 1000})),
    "surrogates": figures("timings", r'{"\ud800": "\udfff", "a": "\u001b[2J"}'),
}  # fmt: skip
REFUSED = {
    "gzip": (lambda: head(Content_Encoding="gzip") + bomb(1), "Content-Encoding 'gzip'"),
    "gzip-twice": (lambda: head(Content_Encoding="gzip, gzip") + bomb(2), "Content-Encoding 'gzip gzip'"),
    "error-gzip": (lambda: head("400 No", Content_Encoding="gzip") + bomb(1), "Content-Encoding 'gzip'"),
    "values": (lambda: head(kind="application/json") + b"[" + b"[]," * 6_000_000 + b"0]", "is not JSON"),
    "lines": (lambda: itertools.chain([head()], itertools.repeat(b"a\n" * 50_000, 11)), "more than 500000 lines"),
    "bytes": (lambda: itertools.chain([head()], itertools.repeat(b"x" * 10**6, 21)), "more than 20000000 bytes"),
}


@pytest.mark.slow
def test_no_answer_costs_another_attempt_or_the_results(bench: Bench) -> None:
    forms = [KEY, KEY[::-1], KEY.upper(), " ".join(KEY), KEY.encode().hex(), "".join(f"%{ord(c):02x}" for c in KEY)]
    forms += [base64.b32encode(KEY.encode()).decode(), "".join(f"\\x{ord(c):02x}" for c in KEY)]
    answers: dict[str, Callable[[], Bytes]] = {
        **SCORED,
        **{name: make for name, (make, _) in REFUSED.items()},
        "pause": lambda: head("429 Slow", Retry_After="Mon, 01 Jan 99999999999999999999 00:00:00 GMT") + b"{}",
        "echo": lambda: head() + said(ADD_REPLY + "\n".join(forms)) + END,
        **{f"seed-{seed}": lambda seed=seed: answer(seed) for seed in SEEDS},
    }
    run = ask_all(bench, answers, "--llm-timeout=20", OPENAI_API_KEY=KEY)
    attempts = check(run)
    for name in SCORED:
        assert (attempts[name]["status"], attempts[name]["points"]) == ("scored", 4), name
    for name, (_, what) in REFUSED.items():
        assert attempts[name]["error"]["kind"] == "invalid_response", attempts[name]
        assert what in attempts[name]["error"]["message"]
    assert attempts["pause"]["error"]["kind"] == "rate_limited"
    assert attempts["subnormal"]["tokens_per_s"] is None
    assert attempts["big-timings"]["timings"] == {"prompt_n": 40}
    told = strictly((run.folder / "replies" / "big-timings" / "add.1.json").read_text())
    assert told["outcome"]["completion"]["left_out"] == ["timings.predicted_per_second"]
    reply = (run.folder / "replies" / "echo" / "add.1.md").read_text()
    assert reply.count("***") == len(forms)
    assert not any(form in reply for form in forms)


def test_names_of_models_make_no_lines_of_their_own(bench: Bench) -> None:
    names = ["fine", "nl\n::error::pwned\nhosted", "\x1b[2J", "rtl\u202etxt", "\ud800", "x" * 100_000]
    with RawServer(lambda _: listed(*names)) as server:
        run = bench.run("--llm-list-models", f"--llm-base-url={server.base_url}")
    assert run.exit == 0
    lines = run.out.splitlines()
    start = lines.index(f"server {server.base_url}:")
    assert lines[start + 1 : start + 3] == ["  fine", "  (5 more, whose names are too long or not printable)"]
    assert "pwned" not in run.out
