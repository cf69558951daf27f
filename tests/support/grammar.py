"""Random replies, by seed: fences, tags, brackets, chains, nesting, long lines, names and code that is nearly right."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from support.bench import REPOSITORY

LONGEST = 1_050_000
"""Characters; a little more than is read."""
_FILES = {
    "go-middleware": "main.go",
    "js-bug-fix": "task_queue.js",
    "js-sse": "server_sent_events.js",
    "python-top-k": "top_k.py",
    "rust-cli": "src/main.rs",
    "ts-refactor": "pipeline.ts",
}
_LABELS = ("python", "javascript", "js", "rust", "go", "typescript", "ts", "", "text", "markdown", "diff", "sh")
_PROSE = (
    "`", "```", "````", "~~~", "```\n", "~~~\n", "> ", "- ", "1) ", "# ", "**", "\n", "\r\n", "\r", "\t", " ", "    ",
    "\0", "\ud800", "\U0001f600", "\u2028", "\x0c", "\ufeff", "&lt;", "&#39;", "<answer>", "@@ -1 +1 @@\n",
    "--- a\n+++ b\n", "<<<<<<< SEARCH\n", "Here is the file:\n", "// src/main.rs\n", "# top_k.py\n",
)  # fmt: skip
_TAGS = (
    "<think>", "</think>", "<think>\n", "</think>\n", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "<|channel|>",
    "<think></think>", "<think>a</think> ",
)  # fmt: skip
_CHAINS = (
    "+a", ".b", "()", ".split(a)", "==a", "[0]", "=>a", "&&a", "?a:a", ",a", ".Clear()", ".Delete(a)", " and a", "<a",
    "**a", " if a else a", ".then(a)", "?.a", "::a", " as a", "|a", "=a", "`a`", "!", "a;", "a\n",
)  # fmt: skip
_OPENERS = (
    ("(", ")"), ("[", "]"), ("{", "}"), ("f(", ")"), ("a<", ">"), ("-", ""), ("!", ""), ("not ", ""), ("`${", "}`"),
    ("func(){", "}"), ("function f(){", "}"), ("lambda:", ""), ("if(a){", "}"), ("class A{", "}"), ("{1:", "}"),
    ("mod a{", "}"), ("map[string]", "int"), ("Vec<", ">"), ("new TextDecoder(", ")"), ("x => ", ""), ("<a>", "</a>"),
    ("/*", "*/"), ("match a {_=>", "}"), ("await ", ""), ("*", ""), ("&", ""),
)  # fmt: skip
_STATEMENTS = (
    "enum A{}", "#[a]enum A{}", "#[a]\n", "import a\n", "import 'a';\n", "x = 1\n", "var x int\n", "x := 1\n", "a;",
    "def f(): pass\n", "function f(){}\n", "class A{}\n", "use a;\n", "@a\n", "case 1:\n", "// a\n", "'\\n'", "x='a'\n",
    "impl A for B {}\n", "const x = {a: 1};\n", "type A = B;\n", "export {};\n", "elif a: pass\n", "if 1:\n ", "f'{a}'",
    "\\\n", "delete(a, b)\n", "function ", "def ", "&lt;", "# top_k.py\n",
)  # fmt: skip


@dataclass(frozen=True)
class RandomReply:
    """A text, and the task that it is a reply to."""

    task: str
    file: str
    """What the task asks for."""
    text: str


def random_reply(seed: int, longest: int = LONGEST) -> RandomReply:
    """The reply of a seed, the same on every run."""
    rng = random.Random(seed)
    task, file = rng.choice(sorted(_FILES.items()))
    size = int(longest ** rng.uniform(0.4, 1.0))
    prose = (*_PROSE, *_TAGS) if rng.random() < 0.2 else _PROSE
    parts: list[str] = []
    while (room := size - sum(map(len, parts))) > 0:
        share = max(20, int(room * rng.choice((0.2, 0.5, 1.0))))
        part = _prose(rng, prose, share) if rng.random() < 0.2 else _fenced(rng, file, _code(rng, task, file, share))
        parts.append(part)
    text = "".join(parts)[:longest]
    return RandomReply(task, file, text.replace("\n", "\r\n")[:longest] if rng.random() < 0.05 else text)


def _prose(rng: random.Random, words: tuple[str, ...], size: int) -> str:
    """One piece of text again and again, or many by turns."""
    if rng.random() < 0.6:
        unit = "".join(rng.choice(words) for _ in range(rng.randint(1, 4)))
        return unit * (size // len(unit) + 1)
    return "".join(rng.choice(words) for _ in range(min(size, 20_000)))


def _fenced(rng: random.Random, file: str, code: str) -> str:
    """The code in a fence, as models write them, or nearly."""
    ending = file.rpartition(".")[2]
    mark = rng.choice(("```", "```", "```", "````", "~~~", "`" * rng.randint(1, 60)))
    label = ending if rng.random() < 0.7 else rng.choice((*_LABELS, "x" * rng.randint(0, 5000)))
    info = rng.choice((label, label, f"{label} {file}", f"{label}:{file}"))
    lead = rng.choice(("", "", "", "", "> ", "- ", "> " * rng.randint(1, 3000), "    "))
    above = rng.choice(("", f"`{file}`:\n", f"### {file}\n", f"**{file}**\n", "Use it like this:\n"))
    end = rng.choice((f"\n{mark}\n", f"\n{mark}\n", f"\n{mark}\n", "", "\n```\n"))
    return f"{above}{lead}{mark}{info}\n{code}{end}"


def _code(rng: random.Random, task: str, file: str, size: int) -> str:
    kind = rng.randrange(5)
    if kind == 0:
        links = min(size // 3, rng.choice((90, 180, 5000, 30_000, 300_000)))
        return _head(file) + "a" + rng.choice(_CHAINS) * links
    if kind == 1:
        opening, closing = rng.choice(_OPENERS)
        depth = min(size // (len(opening) + len(closing)), rng.choice((20, 90, 150, 250, 5000, 200_000)))
        return _head(file) + opening * depth + rng.choice(("a", "")) + closing * rng.choice((depth, 0))
    if kind == 2:
        unit = "".join(rng.choice(_STATEMENTS) for _ in range(rng.randint(1, 3)))
        return unit * (min(size, 99_000) // len(unit))
    if kind == 3:
        bits = (*_STATEMENTS, *_CHAINS, *(opening for opening, _ in _OPENERS))
        return "".join(rng.choice(bits) for _ in range(min(size // 5, 20_000)))
    return _nearly_right(rng, task, file, size)


def _head(file: str) -> str:
    return {"go": "package main\nvar x = ", "rs": "fn main() { let x = ", "py": "x = "}.get(
        file.rpartition(".")[2], "let x = "
    )


def _nearly_right(rng: random.Random, task: str, file: str, size: int) -> str:
    """The reference with a few changes: characters lost, lines doubled, something odd put in."""
    lines = Path(REPOSITORY, "fixtures", task, "reference", file).read_text(encoding="utf-8").splitlines(keepends=True)
    for _ in range(rng.randint(0, 5)):
        place = rng.randrange(len(lines))
        match rng.randrange(4):
            case 0:
                lines[place] = lines[place][: rng.randrange(len(lines[place]) + 1)]
            case 1:
                lines[place] *= rng.choice((2, 50, 1000))
            case 2:
                lines.insert(place, rng.choice(_CHAINS) * min(size, 20_000))
            case _:
                lines.insert(place, rng.choice(_OPENERS)[0] * rng.choice((1, 40, 3000)))
    return "".join(lines)
