"""A run folder as a long session would leave it, made through the project's own records."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from pytest_llmbench.runs.results import Recorder, load_results
from pytest_llmbench.schema.attempt import (
    Completion,
    CompletionRequest,
    ErrorKind,
    Failure,
    ItemRecord,
    Message,
    Retry,
    Usage,
)
from pytest_llmbench.schema.keys import AttemptKey, ItemRef
from pytest_llmbench.schema.outcome import Failed, Replied
from pytest_llmbench.schema.plan import Criterion, Plan, TaskCard
from pytest_llmbench.schema.results import ModelInfo, Results, RunHeader, RunInfo
from pytest_llmbench.schema.task import PointKind
from pytest_llmbench.store.run_dir import RunDir

FAMILIES = (
    "qwen3-coder",
    "gpt-oss",
    "devstral",
    "glm-air",
    "llama",
    "mistral-small",
    "gemma",
    "granite",
    "phi",
    "seed",
)
TASKS = ("js-sse", "js-bug-fix", "python-top-k", "ts-refactor", "go-middleware", "rust-cli")
ERRORS: tuple[tuple[ErrorKind, str], ...] = (
    ("timeout", "no reply within 600 s. Give --llm-timeout a larger value."),
    ("truncated", "the reply was cut off at the server's limit of 4096 tokens. Raise max_tokens."),
    (
        "context_overflow",
        "prompt of 9,120 tokens does not fit in a context of 8,192. Start the server with a larger one.",
    ),
    ("reasoning_only", "the model reasoned for 31,000 characters and answered nothing."),
    ("server_error", "HTTP 503: slot unavailable"),
)
HOSTILE = """\
<script>window.hacked = 1</script><img src="http://127.0.0.1:9/x.png" onerror="window.hacked = 2">
</script><script>window.hacked = 3</script> <!-- <svg onload=window.hacked=4> ]]>
[a link](javascript:window.hacked=5) <a href="javascript:window.hacked=6">another</a>
<iframe src="http://127.0.0.1:9/"></iframe><style>@import url(http://127.0.0.1:9/s.css);body{display:none}</style>
\x1b[31mred\x1b[0m \x07 \u202eoverridden\u202c \u2028 \u2029 \ud83d \x00 {{ 7 * 7 }} ${7*7} __proto__
"""
_TEXT = """
the heap keeps only k entries while counting and ties fall to the smaller value so order stays
stable because each listener is removed before it runs once which makes a second emit harmless
unless the wrapper was replaced
"""
_WORDS = tuple(_TEXT.split())


def synthetic_run(
    base: Path, *, models: int = 7, tasks: int = 4, epochs: int = 2, size: int = 1, hostile: bool = True, seed: int = 1
) -> tuple[RunDir, Results]:
    """A run below ``base``; the same arguments give the same.

    ``size`` multiplies the length of texts; ``hostile``: one model answers with attacks.
    """
    dice = random.Random(seed)  # the same folder every time
    names = _names(models, hostile=hostile)
    cards = [_card(dice, task) for task in TASKS[:tasks]]
    run = RunDir(base / "runs" / "20250102-030405-abcdef")
    run.path.mkdir(parents=True)
    run.point_latest(base)
    recorder = Recorder(run, RunHeader(run=_info(names, epochs), models=[_model(dice, name) for name in names]))
    refs = [
        ItemRef(card.id, name, epoch, criterion.id, case)
        for name in names
        for card in cards
        for epoch in range(1, epochs + 1)
        for criterion in card.criteria
        for case in criterion.cases
    ]
    items = {f"tasks/six/test_{ref.task}.py::test_{ref.point}[{number}]": ref for number, ref in enumerate(refs)}
    recorder.planned(Plan(tasks=tuple(cards), items=items, collected_tasks=len(cards)))
    skill = {name: 0.35 + 0.6 * dice.random() for name in names}
    for place, name in enumerate(names):
        for card in cards:
            for epoch in range(1, epochs + 1):
                broken = place % 7 == 4 and dice.random() < 0.4
                attempt = _Attempt(dice, run, AttemptKey(card.id, name, epoch), card, size=size, skill=skill[name])
                attempt.record(recorder, broken=broken, hostile=hostile and place == 1)
    recorder.finish(recorder.header.run.model_copy(update={"ended": "2025-01-02T05:00:00+00:00", "finished": True}))
    return run, load_results(run)


class _Attempt:
    def __init__(self, dice: random.Random, run: RunDir, key: AttemptKey, card: TaskCard, *, size: int, skill: float):
        self.dice, self.run, self.key, self.card, self.size, self.skill = dice, run, key, card, size, skill

    def record(self, recorder: Recorder, *, broken: bool, hostile: bool) -> None:
        request = CompletionRequest(
            model=self.key.model, endpoint="http://127.0.0.1:1/v1", messages=self.card.messages, epoch=self.key.epoch
        )
        if broken:
            kind, message = self.dice.choice(ERRORS)
            failure = Failure(
                kind=kind, message=message, http_status=503 if kind == "server_error" else None, body="{}"
            )
            recorder.outcome(self.key.turn(1), request, Failed(failure=failure, cost_usd=0.001, queue_s=3.0))
            return
        name = self.card.files[0]
        code = _changed(self.dice, self.card.starter.get(name, ""), self.size) + (HOSTILE if hostile else "")
        text = f"{_prose(self.dice, 60)}\n\n```js\n{code}```\n\n{HOSTILE if hostile else _prose(self.dice, 30)}\n"
        wall = self.dice.uniform(5, 90)
        tokens = len(text) // 4
        recorder.outcome(
            self.key.turn(1),
            request,
            Replied(
                completion=Completion(
                    text=text,
                    reasoning=_prose(self.dice, 900 * self.size) + (HOSTILE if hostile else ""),
                    finish_reason="stop",
                    usage=Usage(prompt_tokens=1800, completion_tokens=tokens, reasoning_tokens=tokens // 2),
                    wall_s=wall,
                    first_token_s=wall / 20,
                ),
                cost_usd=round(wall / 4000, 6),
                queue_s=self.dice.uniform(0, 60),
                retries=(Retry(kind="server_error", message="HTTP 503", waited_s=2.0, loading=True),)
                if wall > 80
                else (),
            ),
        )
        folder = self.run.files_dir(self.key)
        folder.mkdir(parents=True)
        (folder / name).write_bytes(code.encode("utf-8", "backslashreplace"))
        for criterion in self.card.criteria:
            for case in criterion.cases:
                recorder.item(self._item(criterion, case, hostile=hostile))

    def _item(self, criterion: Criterion, case: str, *, hostile: bool) -> ItemRecord:
        earned = self.dice.random() < self.skill
        said = HOSTILE if hostile else _prose(self.dice, 12)
        evidence = (
            f"reply: {self.run.id}/{self.run.reply_stem(self.key.turn(1))}.md\n"
            f"last command: node driver.mjs --case {criterion.id} (exit 1)\n"
            + "".join(f"    {_prose(self.dice, 10)}\n" for _ in range(8))
            + (HOSTILE if hostile else "")
            + f"again, without a model: pytest tasks/six/test_{self.key.task}.py::test_{criterion.id}"
        )
        return ItemRecord.model_validate(
            {
                "task": self.key.task,
                "model": self.key.model,
                "epoch": self.key.epoch,
                "point": criterion.id,
                "case": case,
                "outcome": "earned" if earned else "missed",
                "message": "" if earned else f"AssertionError: expected [3, 1], got [1, 3]: {said}",
                "labels": ("method: heap",),
                "duration_s": 0.2,
                "evidence": "" if earned else evidence,
            }
        )


def _names(models: int, *, hostile: bool) -> list[str]:
    names = [
        f"{FAMILIES[n % len(FAMILIES)]}-{(3, 7, 14, 20, 32, 120)[n % 6]}b-{'abcdef'[n // 10]}" for n in range(models)
    ]
    if hostile and models > 1:
        names[1] = '<b onclick="window.hacked=7">evil/model</b> \u202e&amp;'
    return names


def _info(names: Sequence[str], epochs: int) -> RunInfo:
    return RunInfo(
        id="20250102-030405-abcdef",
        started="2025-01-02T03:04:05+00:00",
        versions={"pytest-llmbench": "0.1.0", "pytest": "9.2.0", "python": "3.11.7"},
        options={"models": list(names), "epochs": epochs, "params": {"temperature": 0.2}, "pass_at": 100.0},
        machine={"system": "Linux", "machine": "x86_64", "cpus": 2},
        sandbox={"name": "bubblewrap", "description": "bubblewrap 0.8.0", "guarantees": ["no network"], "gaps": []},
    )


def _model(dice: random.Random, name: str) -> ModelInfo:
    return ModelInfo(
        name=name,
        resolved=f"{name}.gguf",
        endpoint="http://127.0.0.1:1/v1",
        params={"temperature": 0.2},
        metadata={
            "size_gb": round(dice.uniform(2, 70), 1),
            "quant": dice.choice(["Q4_K_M", "Q8_0", "MXFP4"]),
            "thinking": dice.random() < 0.5,
        },
    )


def _card(dice: random.Random, task: str) -> TaskCard:
    kinds: list[PointKind] = ["points"] * 12 + ["bonus", "cap", "penalty"]
    criteria = tuple(
        Criterion(
            id=f"{_WORDS[n]}-{_WORDS[-n - 1]}",
            kind=kind,
            value=float(1 + n % 3) if kind != "cap" else 12.0,
            max_points=float(1 + n % 3) if kind in ("points", "bonus") else 0.0,
            dimension=("behaviour", "structure")[n % 2],
            title=f"{_prose(dice, 6).capitalize()}.",
            cases=("small", "large") if n == 2 else ("",),
        )
        for n, kind in enumerate(kinds)
    )
    starter = {"answer.js": "".join(f"  const {word}{n} = {n}; // {word}\n" for n, word in enumerate(_WORDS * 2))}
    prompt = (
        f"# {task}\n\n"
        + "\n\n".join(_prose(dice, 80) for _ in range(8))
        + "\n\n```js\n"
        + starter["answer.js"]
        + "```\n"
    )
    return TaskCard(
        id=task,
        suite="six",
        points=sum(c.max_points for c in criteria),
        floor=0.0,
        files=("answer.js",),
        messages=(Message(role="user", content=prompt),),
        criteria=criteria,
        fingerprint=f"{dice.getrandbits(256):064x}",
        starter=starter,
    )


def _prose(dice: random.Random, words: int) -> str:
    return " ".join(dice.choice(_WORDS) + dice.choice(["", "", ",", f" {dice.randrange(1000)}"]) for _ in range(words))


def _changed(dice: random.Random, starter: str, size: int) -> str:
    """The starter with some lines replaced and some added."""
    lines = starter.splitlines(keepends=True)
    for _ in range(len(lines) // 5):
        lines[dice.randrange(len(lines))] = f"  const better = {_prose(dice, 5)!r};\n"
    lines += [f"  function {dice.choice(_WORDS)}{n}() {{ return {_prose(dice, 6)!r}; }}\n" for n in range(30 * size)]
    return "".join(lines)
