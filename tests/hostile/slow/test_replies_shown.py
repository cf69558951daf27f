"""What models, their programs and their servers say is shown, kept and reported; nobody obeys it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from xml.etree import ElementTree as ET

import pytest
from support.bench import Bench, Run
from support.evil import EVIL, FORGED, obeyed
from support.server import ChatServer, Reply

GOOD_BLOCK = "```python add.py\ndef add(a, b):\n    return a + b\n```\n"
LONE, CR, NUL = "\ud800", "\r", "\0"
SHOW = """\
import logging
import sys
import pytest

pytestmark = pytest.mark.llm_task(
    id="show", points=%d, files=["add.py"], toolchains=["python"], prompt_text="Write add."
)


@pytest.mark.rubric("output", points=1)
def test_output(sandbox, submission, completion):
    result = sandbox.run(["python", "add.py"])
    code, text, reasoning = submission.files["add.py"], completion.text, completion.reasoning
    print(result.stdout, code, text)
    print(result.stderr, code, text, file=sys.stderr)
    logging.getLogger("mine").warning(code)
    said = [result.stdout, result.stderr, code, text, reasoning]
    assert result.stdout == "fine", "".join(said)


@pytest.mark.rubric("compared", points=1)
def test_compared(sandbox, submission):
    result = sandbox.call("add.py", "add", 1, 2)
    assert result.value == ["fine"] * 3 + [submission.files["add.py"]]


@pytest.mark.rubric("raised", points=1)
def test_raised(sandbox):
    result = sandbox.call("add.py", "fail", 1, 2)
    assert result.outcome == "returned", f"{result.type_name} {result.message} {result.stdout}"


@pytest.mark.rubric("failed", points=1)
def test_failed(submission):
    pytest.fail(submission.files["add.py"], pytrace=False)


@pytest.mark.rubric("earned", points=1)
def test_earned(submission, record_property):
    print(submission.files["add.py"])
    logging.getLogger("mine").error(submission.files["add.py"])
    record_property("code", submission.files["add.py"])


@pytest.mark.rubric("skipped", points=1)
def test_skipped(submission):
    pytest.skip(submission.files["add.py"])


@pytest.mark.rubric("noted", points=1)
def test_noted(submission):
    assert False, submission.notes
"""
BROKEN = """

@pytest.mark.rubric("broken", points=1)
def test_broken(submission):
    raise NotImplementedError(submission.files["add.py"])
"""
SUBTESTS = """

@pytest.mark.rubric("subtests", points=1)
def test_subtests(submission, subtests):
    code = submission.files["add.py"]
    for number in range(2):
        with subtests.test(code, value=code):
            print(code)
            print(code, file=sys.stderr)
            logging.getLogger("mine").warning(code)
            assert number, code
"""
PROGRAM = f"""\
EVIL = {EVIL!a} * 3 + {LONE!a}
FORGED = {FORGED!a}

def add(a, b):
    print(EVIL.encode("utf-8", "replace").decode())
    return [EVIL, FORGED]

def fail(a, b):
    raise type("Error" + chr(27) + "[31m", (Exception,), {{}})(EVIL)

if __name__ == "__main__":
    import os
    os.write(1, EVIL.encode("utf-8", "surrogatepass") + bytes(range(256)) + FORGED.encode())
    os.write(2, EVIL.encode("utf-8", "surrogatepass") + bytes(range(255, -1, -1)))
"""
REPLY = f"""\
{EVIL}
{FORGED}

```python {EVIL[:60]}evil.py
x = 1
```
```python add.py
# {EVIL.replace(CR, "").replace(NUL, "")}
{PROGRAM}```
"""
SURROGATES = r"""{"choices": [{"message": {"content": "\ud800\u001b[31m"}, "finish_reason": "stop"}],
"model": "\udfff\u001b]0;x\u0007"}"""
REDRAW = b"\r\x1b[K"
"""Back to the line's beginning, and erase it: the line on progress."""
LOUD = ("-rA", "--showlocals", "--tb=long", "--color=no")


def show(bench: Bench, *, broken: bool = True) -> None:
    text = SHOW + (BROKEN if broken else "") + (SUBTESTS if pytest.version_tuple >= (9,) else "")
    path = bench.root / "tasks/test_show.py"
    path.write_text(text.replace("%d", str(text.count("points=1)"))))


def on_a_terminal(bench: Bench, *args: object) -> bytes:
    """Run the command on a terminal of its own; everything that it wrote there, but for the redrawing of its own line.

    No hostile text here holds that sequence, so that nothing of theirs is passed over.
    """
    assert REDRAW not in EVIL.encode() + REPLY.encode()
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            bench.command(*args),
            cwd=bench.root,
            env=bench.environment(TERM="xterm-256color"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        said = bytearray()
        try:
            while chunk := os.read(ours, 1 << 16):
                said += chunk
        except OSError:  # how the other end's closing reads
            pass
        process.wait(60)
        return bytes(said).replace(REDRAW, b"")
    finally:
        os.close(ours)


def reports_are_sound(run: Run) -> None:
    """Every JSON document is one in the strictest reading and every XML document is well-formed; nothing is raw."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    documents = [run.project / "report.json", *run.folder.rglob("*.json")]
    lines = [line for path in run.folder.rglob("*.jsonl") for line in path.read_bytes().splitlines()]
    for data in [*(path.read_bytes() for path in documents), *lines]:
        json.dumps(json.loads(data.decode("utf-8"), parse_constant=refuse), allow_nan=False)
        assert not list(obeyed(data))
    ET.parse(run.project / "junit.xml")
    assert not list(obeyed((run.project / "junit.xml").read_bytes()))


REPORTS = ("--junitxml=junit.xml", "--json-report", "--json-report-file=report.json")


@pytest.mark.parametrize("options", [(), ("-v",), ("-vv",), ("-n2", "-v"), ("--tb=short",)], ids=" ".join)
def test_what_a_program_says_is_shown_and_not_obeyed(bench: Bench, options: tuple[str, ...]) -> None:
    show(bench)
    bench.file("replies/show.md", "").write_text(REPLY, encoding="utf-8")
    run = bench.run("--llm-model=mine=dir:replies", *LOUD, *REPORTS, *options)
    assert "INTERNALERROR" not in run.out + run.err
    assert not list(obeyed(run.out.encode() + run.err.encode()))
    assert "\\x1b[31mred" in run.out, "it is shown"
    reports_are_sound(run)
    states = {point["id"]: point["outcome"] for point in run.attempt("show", "mine")["criteria"]}
    assert states["earned"] == "earned"
    assert states["output"] == states["compared"] == states["failed"] == "missed"
    assert run.counts()["passed"] == 1, "pytest has the last word"
    assert run.attempt("show", "mine")["points"] == 0, "not scored, whatever was said about it"


def test_the_same_on_a_terminal(bench: Bench) -> None:
    show(bench)
    bench.file("replies/show.md", "").write_text(REPLY, encoding="utf-8")
    said = on_a_terminal(bench, "--llm-model=mine=dir:replies", *LOUD, "-v")
    assert b"\\x1b[31mred" in said
    assert not list(obeyed(said))


def test_what_a_server_says_is_shown_and_not_obeyed(bench: Bench) -> None:
    show(bench, broken=False)
    name = f"m-{EVIL[:40]}"
    timings = {"predicted_per_second": float("nan"), "infinite": float("inf"), EVIL: EVIL}
    answers = {
        "good": Reply(REPLY, reasoning=EVIL, finish_reason="stop", model=name, timings=timings),
        "strange-end": Reply(REPLY, finish_reason=EVIL, model=name),
        "filtered": Reply(REPLY, finish_reason="length", model=name),
        "only-thoughts": Reply("", reasoning=EVIL * 100),
        "error": Reply.error(500, EVIL, EVIL, **{EVIL: EVIL}),
        "plain": Reply.plain(400, EVIL),
        "surrogate": Reply(body=SURROGATES),
        "no-json": Reply(status=200, body=EVIL),
        "tag": Reply(f"<|channel|>{EVIL}"),
    }
    with ChatServer(answers) as server:
        models = [f"--llm-model={model}" for model in answers]
        options = [f"--llm-base-url={server.base_url}", *models, *LOUD, *REPORTS, "-v"]
        run = bench.run(*options)
        said = on_a_terminal(bench, *options, "--llm-cache=refresh")
    assert "INTERNALERROR" not in run.out + run.err
    assert not list(obeyed(run.out.encode() + run.err.encode()))
    assert not list(obeyed(said))
    reports_are_sound(run)
    assert run.attempt("show", "good")["status"] == "incomplete", "for the point that is skipped"
    for model in ("error", "plain", "no-json", "only-thoughts"):
        assert run.attempt("show", model)["status"] == "error"


@pytest.mark.parametrize("name", [f"evil{EVIL[:60]}", "evil\n\x1b[31m2 passed", "evil\ud800"], ids=ascii)
def test_what_a_server_calls_its_models_is_shown_and_not_obeyed(bench: Bench, name: str) -> None:
    show(bench, broken=False)
    with ChatServer(GOOD_BLOCK, models=[name, f"{name}-b"]) as server:
        url = f"--llm-base-url={server.base_url}"
        for model in ("evil", "other", "mine=evi"):
            run = bench.run(f"--llm-model={model}", url, *LOUD)
            assert not list(obeyed(run.out.encode() + run.err.encode())), run.out + run.err


LONG_PROGRAM = r"""
def add(a, b):
    return ["x" * 300_000, "y\n" * 150_000]

def fail(a, b):
    raise ValueError("z" * 1000)

if __name__ == "__main__":
    print("1 passed\n" * 40_000, "q" * 400_000)
"""


def test_a_million_characters_are_told_in_few(bench: Bench) -> None:
    """By an assertion's text in one line and in many, by what was printed, and by names in a reply without code."""
    show(bench)
    bench.file("replies/show.md", "").write_text(f"```python add.py\n{LONG_PROGRAM}# {'w' * 800_000}\n```\n")
    names = "".join(f"```{'n' * 100_000} ../evil{number}.py\nx\n```\n" for number in range(30))
    bench.file("none/show.md", "").write_text(names)
    run = bench.run("--llm-model=mine=dir:replies", "--llm-model=none=dir:none", *LOUD, *REPORTS, "-vv")
    assert run.attempt("show", "mine")["status"] == "error", "by the point that breaks"
    assert run.attempt("show", "none")["points"] == 0
    assert len(run.out) < 3_000_000, "some ten points, each told in at most 100,000 characters, and once more by -rA"
    assert len(run.out.splitlines()) < 30_000
    assert len((run.folder / "results.json").read_text()) < 200_000
    reports_are_sound(run)
