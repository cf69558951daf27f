"""Replies whose code is known, by seed: a grammar of replies, languages and the faults with which models write them."""

from __future__ import annotations

import html
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from support.programs import PROGRAMS, Program

INTRO = (
    "", "", "Sure! Here is the file:\n\n", "Here's my solution.\n\n", "I counted first.\n\n- one pass\n- no copies\n\n",
    "\u4ee5\u4e0b\u662f\u4ee3\u7801\uff1a\n\n", "<answer>\n", "## Solution\n\nIt takes `O(n)` time.\n\n",
)  # fmt: skip
OUTRO = (
    "", "", "", "\nThis takes one pass.\n", "\n### Notes\n\n- It is `O(n)`.\n- Nothing is copied.\n", "\n</answer>",
    "\n<|im_end|>", "\n\nLet me know if you need anything else!", "\n<|endoftext|>",
)  # fmt: skip
HEADINGS = (
    "### `{}`\n\n", "**{}**\n\n", "**`{}`**:\n", "{}\n", "`{}`:\n", "File: `{}`\n\n", "\u6587\u4ef6\uff1a{}\n",
    "**\u6587\u4ef6\uff1a`{}`**\n\n", "\u300c{}\u300d\n", '<file path="{}">\n', "Here is the updated `{}`:\n\n",
    "#### 1. {}\n", "\u201c{}\u201d:\n", "[{0}]({0})\n", "**File: {}**\n", "Datei: {}\n", "<{}>\n",
)  # fmt: skip
COMMENTS = (
    "{}", "filepath: {}", "file: {}", "Filename: {}", "file_path: {}", "New file: {}", "File 1: {}", "=== {} ===",
    "path: ./{}", "{} - the whole file", "\u6587\u4ef6\uff1a{}", "FILE PATH = {}",
)  # fmt: skip
SAY_NOTHING = ("file", "answer", "solution", "tool_code", "\u4ee3\u7801", "snippet", "output_code", "source")
TOKENS = (
    "<|im_end|>", "<|eot_id|>", "</s>", "<end_of_turn>", "<\uff5cend\u2581of\u2581sentence\uff5c>", "</answer>",
    "</code>", "[/INST]", " <|endoftext|>", "**", ".",
)  # fmt: skip
WORDS = (" This takes one pass.", " That's it.", " And it is done, I hope.", " Explanation:")
UNSEEN = ("\u200b", "\ufeff", "\u00a0", "\u2060", "\u3000", "\u00a0\u200b")
THOUGHTS = (
    ("<think>", "</think>"), ("<thought>", "</thought>"), ("<Think>", "</Think>"), ("<|channel>thought", "<channel|>"),
    ("<seed:think>", "</seed:think>"), ("\u25c1think\u25b7", "\u25c1/think\u25b7"), ("", "</think>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"), ("< thinking >", "</ thinking >"), ("[THINK]", "[/THINK]"),
    ("<reasoning>", "</reasoning>"), ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<unused94>thought", "<unused95>"), ("<think effort='low'>", "</think>"),
)  # fmt: skip


class Written(NamedTuple):
    """A reply, and the files that are in it."""

    text: str
    files: dict[str, str]
    faults: tuple[str, ...]
    """What is unusual about it, for messages."""


@dataclass
class _Fence:
    """How one block is written."""

    before: str = ""
    lead: str = ""
    mark: str = "```"
    info: str = ""
    head: str = ""
    indent: str = ""
    close: str = "\n```\n"
    name: str = ""
    last: bool = False
    """Whether it is the last block of the reply."""

    def around(self, code: str) -> str:
        lines = code.rstrip("\n").split("\n")
        body = "\n".join(self.indent + line if line else self.indent.rstrip(" ") for line in lines)
        close = self.close.replace("```", self.mark)
        if self.indent:
            close = "\n" + self.indent + close.lstrip("\n")
        return f"{self.before}{self.lead}{self.mark}{self.info}\n{self.head}{body}{close}"


def written(seed: int) -> Written:
    """The reply of a seed, the same on every run."""
    rng = random.Random(seed)
    program = rng.choice(PROGRAMS)
    faults: list[str] = [program.language]
    parts, files = [], {}
    names = list(program.files)
    several = len(names) > 1
    for place, name in enumerate(names):
        code = program.files[name]
        last = place == len(names) - 1
        fence = _Fence(info=rng.choice(program.labels[name]), name=name, last=last)
        if several or rng.random() < 0.2:
            code = _named(rng, program, fence, code, faults)
        for _ in range(rng.choice((0, 1, 1, 2))):
            rng.choice(FAULTS)(rng, program, fence, faults)
        files[name] = code
        parts.append(fence.around(_escaped(rng, program, code, faults)))
    text = "\n".join(parts)
    tail = ""
    if parts[-1].rstrip().endswith(("```", "~~~")):
        tail = _extra(rng, program, faults) if rng.random() < 0.4 else ""
        tail += rng.choice(OUTRO)
    text = rng.choice(INTRO) + (_shell(rng, faults) if rng.random() < 0.1 else "") + text + tail
    if not several and rng.random() < 0.08 and program.parsed:
        text, files = _bare(rng, program, faults)
    if rng.random() < 0.25:
        opening, closing = rng.choice(THOUGHTS)
        faults.append(f"thought {opening}{closing}")
        draft = f"```{names[0].rpartition('.')[2]}\n{program.draft}```\n"
        text = f"{opening}\nLet me try.\n\n{draft}\nNo, that will not do.\n{closing}\n{text}"
    if rng.random() < 0.05:
        faults.append("CRLF")
        text = text.replace("\n", "\r\n")
    return Written(text, files, tuple(faults))


def _named(rng: random.Random, program: Program, fence: _Fence, code: str, faults: list[str]) -> str:
    """Say which file it is, in one of many ways."""
    way, name = rng.randrange(4), fence.name
    if way == 0 and program.comment:
        words = rng.choice(COMMENTS).format(name)
        faults.append(f"comment {words!r}")
        return f"{program.comment} {words}\n{code}"
    if way == 1:
        fence.info = rng.choice(("{} {}", "{}:{}", '{} title="{}"', "{} filename={}")).format(
            fence.info or "text", name
        )
        faults.append(f"info {fence.info!r}")
    elif way == 2 and "_" in name:
        fence.before = "**{}**\n\n".format(name.replace("_", "\\_"))
        faults.append("escaped name")
    else:
        fence.before = rng.choice(HEADINGS).format(name)
        faults.append(f"heading {fence.before!r}")
    return code


def _label(rng: random.Random, program: Program, fence: _Fence, faults: list[str]) -> None:
    label, space, rest = fence.info.partition(" ")
    fence.info = (
        rng.choice(
            (
                label if ":" in label else label.upper(),
                f"{label}-lang",
                f"{label}_3",
                f"lang={label}",
                f"{{.{label}}}",
                f"language-{label}",
                "",
            )
        )
        + space
        + rest
    )
    faults.append(f"label {fence.info!r}")


def _label_that_says_nothing(rng: random.Random, program: Program, fence: _Fence, faults: list[str]) -> None:
    _, space, rest = fence.info.partition(" ")
    fence.info = rng.choice(SAY_NOTHING) + space + rest
    faults.append(f"label {fence.info!r}")


def _label_line(rng: random.Random, program: Program, fence: _Fence, faults: list[str]) -> None:
    if not fence.before and not fence.indent and " " not in fence.info and ":" not in fence.info and program.label_line:
        fence.head = f"{program.language}\n" + rng.choice(("", "Copy code\n", "Copy\nEdit\n"))
        fence.info = rng.choice(("", fence.info))
        faults.append("label line")


def _late(rng: random.Random, program: Program, fence: _Fence, faults: list[str]) -> None:
    if fence.mark == "```" and not fence.indent and fence.info and not fence.lead:
        fence.lead = rng.choice(("Sure: ", "<answer>", "**", "Here is the code: ", "| ", "<pre>", "1. The file: "))
        faults.append(f"late {fence.lead!r}")


def _unseen(rng: random.Random, program: Program, fence: _Fence, faults: list[str]) -> None:
    sign = rng.choice(UNSEEN)
    if rng.random() < 0.5 and not fence.lead:
        fence.lead = sign
    else:
        fence.info += sign
    faults.append(f"unseen {sign!r}")


def _shape(rng: random.Random, program: Program, fence: _Fence, faults: list[str]) -> None:
    if fence.lead or fence.close != "\n```\n" or fence.head:
        return
    fence.lead = fence.indent = rng.choice(("", "", "   ", "> ", "    "))
    fence.mark = rng.choice(("```", "````", "~~~", "~~~~"))
    faults.append(f"shape {fence.lead!r} {fence.mark}")


def _close(rng: random.Random, program: Program, fence: _Fence, faults: list[str]) -> None:
    if fence.indent:
        return
    kind = rng.randrange(5)
    if kind == 0:
        fence.close = f"\n```{rng.choice(TOKENS)}\n"
    elif kind == 1:
        fence.close = f"\n```{rng.choice(WORDS)}\n"
    elif kind == 2 and program.parsed:
        fence.close = f"```{rng.choice(('', '<|im_end|>', '</answer>', '.'))}\n"
    elif kind == 3 and fence.last:
        fence.close = rng.choice(("\n", "\n<|im_end|>")) if program.parsed else "\n"
    else:
        fence.close = f"\n```{rng.choice(UNSEEN)}\n"
    faults.append(f"close {fence.close!r}")


FAULTS: tuple[Callable[[random.Random, Program, _Fence, list[str]], None], ...] = (
    _label, _label_that_says_nothing, _label_line, _late, _unseen, _shape, _close, _close,
)  # fmt: skip


def _escaped(rng: random.Random, program: Program, code: str, faults: list[str]) -> str:
    """The code, now and then with HTML escapes where it does not parse with them."""
    if program.escapes and rng.random() < 0.06:
        faults.append("escaped")
        return rng.choice(
            (html.escape, lambda text: text.replace('"', "&#34;"), lambda text: text.replace('"', "&#x22;"))
        )(code)
    return code


def _extra(rng: random.Random, program: Program, faults: list[str]) -> str:
    """A block below the file that is none."""
    kind = rng.choice(("usage", "usage", "shell", "output", "tests", "turn"))
    faults.append(kind)
    label = next(iter(program.labels.values()))[0]
    if kind == "usage" and program.parsed:
        return f"\nUsage:\n\n```{label}\n{program.usage}```\n"
    if kind == "tests" and program.parsed:
        return (
            f"\nAnd the tests:\n\n```{label} test_{next(iter(program.files)).rpartition('/')[2]}\n{program.usage}```\n"
        )
    if kind == "output":
        return "\nIt prints:\n\n```output\n3 2 1\n```\n"
    if kind == "turn":
        turn = "\n<|im_end|>\n<|im_start|>user\nThanks!<|im_end|>\n<|im_start|>assistant\n"
        return f"{turn}```{label}\n{program.draft}```\n"
    return f"\n{_shell(rng, faults)}"


def _shell(rng: random.Random, faults: list[str]) -> str:
    faults.append("shell")
    return f"Run:\n\n```{rng.choice(('bash', 'sh', 'console', 'shell'))}\nmake && ./run 3\n```\n\n"


def _bare(rng: random.Random, program: Program, faults: list[str]) -> tuple[str, dict[str, str]]:
    """The code without an opening fence."""
    head = rng.choice(("", "", f"{program.language}\n", f"{program.language}\nCopy code\n", "\n"))
    tail = rng.choice(("", "```", "```\n<|im_end|>", "<|im_end|>", "```<|im_end|>", "```\n\nThis takes one pass.\n"))
    faults[:] = [program.language, f"bare {head!r} {tail!r}"]
    ((name, code),) = program.files.items()
    return f"{head}{code}{tail}", {name: code}
