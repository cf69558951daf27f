"""Builds the server, as it was handed in or mended where the compiler says how, while the budget lasts."""

import runpy
from dataclasses import replace
from pathlib import Path

from pytest_llmbench import Limits, SourceFile

HERE = Path(__file__).parent
repaired = runpy.run_path(str(HERE / "repair.py"))["repaired"]
ROUNDS = 4
"""Of repairs: a compiler may say the next thing only when the first is mended."""
BUILDS_CPU_S = 60
"""For all builds of one reply together."""
BUILD_LIMITS = Limits(cpu_s=30, wall_s=30, memory_mb=2048, processes=200)


class Build:
    """The built program."""

    def __init__(self, said, *, ok, repairs):
        self.said = said
        """The compiler's words about the file as it was handed in."""
        self.ok = ok
        self.repairs = repairs


def built(sandbox, workspace, file):
    """The program of a source file, as it is or mended; the workspace keeps the text that was built."""
    (workspace / "rate").mkdir(exist_ok=True)
    (workspace / "rate" / "rate.go").write_bytes((HERE / "rate.go").read_bytes())
    text, first, left_s = file.text, None, BUILDS_CPU_S
    for repairs in range(ROUNDS + 1):
        result = go_build(sandbox, replace(BUILD_LIMITS, cpu_s=min(BUILD_LIMITS.cpu_s, left_s)))
        first = result.stderr if first is None else first
        left_s -= result.cpu_s
        if result.ok:
            return Build(first, ok=True, repairs=repairs)
        if result.limit_hit or left_s <= 0:
            return Build(f"over budget: go build {result.ending}; {first}", ok=False, repairs=repairs)
        mended = repaired(text, result.stderr, lambda text: SourceFile(file.name, text).root)
        if mended is None:
            break
        text = mended
        (workspace / "main.go").write_text(text, encoding="utf-8")
    return Build(first, ok=False, repairs=repairs)


def go_build(sandbox, limits):
    """Build what is in the workspace; the one place where a command makes something that later ones need."""
    return sandbox.run(["go", "build", "-gcflags=-e", "-ldflags=-s -w", "-o", "server", "."], limits, keep=["server"])
