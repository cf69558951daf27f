"""Every reply in ``fixtures/replies`` gives exactly the files, reasons and notes that its head states.

It is read as that of any model is, be it from a server or from a folder: thoughts are taken out first.

A reply file is TOML between ``+++`` lines, then the reply: ``about``, ``expected``, ``[files]`` (or ``no_code``), and
where it matters ``why`` (a part of the sentence, one per file), ``notes`` (parts of them), ``lines`` (first and last
line of code in the answer), ``thought`` (a part of what is no answer), ``leak`` (the tag that makes the reply an
error), ``newline`` and ``bom`` (how the reply is put on the wire).
"""

import html
import tomllib
from pathlib import Path

import pytest

from pytest_llmbench.extraction.extract import extract
from pytest_llmbench.llm.clients.reasoning import separate

REPLIES = Path(__file__).parents[3] / "fixtures" / "replies"
KEYS = {"about", "expected", "files", "no_code", "why", "notes", "lines", "newline", "bom", "thought", "leak"}


def load(path):
    head, body = path.read_text(encoding="utf-8").removeprefix("+++\n").split("\n+++\n", 1)
    return tomllib.loads(head), body


def case_paths():
    return sorted(REPLIES.glob("*.md"))


@pytest.mark.parametrize("path", case_paths(), ids=lambda path: path.stem)
def test_reply(path):
    head, body = load(path)
    assert head.keys() <= KEYS
    text = ("\ufeff" if head.get("bom") else "") + body.replace("\n", head.get("newline", "\n"))

    parted = separate(text)
    assert parted.leak == head.get("leak", "")
    if parted.leak:
        return
    assert head.get("thought", "") in parted.thought
    assert bool(parted.thought) is ("thought" in head)
    extraction = extract(parted.answer, head["expected"])

    assert extraction.files == head.get("files", {}), extraction.notes
    assert extraction.no_code is head.get("no_code", False)
    assert [taken.name for taken in extraction.took] == [name for name in head["expected"] if name in extraction.files]
    for why, taken in zip(head.get("why", []), extraction.took, strict="why" in head):
        assert why in taken.why
    for note in head.get("notes", []):
        assert any(note in told for told in extraction.notes), extraction.notes
    answer = html.unescape(parted.answer.replace("\r\n", "\n").removeprefix("\ufeff"))
    for taken in extraction.took:
        code = answer.split("\n")[taken.start_line - 1 : taken.end_line]
        source = html.unescape(extraction.files[taken.name]).splitlines()
        assert source[0].strip() in code[0]
        assert source[-1].strip() in "\n".join(code).rstrip().rpartition("\n")[2]
        if "lines" in head:
            assert [taken.start_line, taken.end_line] == head["lines"]


def test_corpus_is_whole():
    numbers = [int(path.stem.partition("-")[0]) for path in case_paths()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 100
