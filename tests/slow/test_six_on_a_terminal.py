"""What the whole suite prints: a few screens, with the answer at the end."""

from __future__ import annotations

import re

from support.bench import Bench


def test_two_models_at_six_tasks(bench: Bench) -> None:
    chosen = ("--llm-suite=six", "--llm-model=builtin/reference,builtin/starter", "-n2")
    run = bench.run(*chosen, timeout_s=600, COLUMNS="80")
    lines = run.out.splitlines()
    assert len(lines) <= 100
    assert re.findall(r"^={3,} (.*?) ={3,}$", run.out, re.MULTILINE)[1:-1] == ["missed points", "llmbench"]
    assert run.counts()["missed"] > 30
    answer = lines[lines.index(next(line for line in lines if re.search("= llmbench =", line))) :]
    assert {"builtin/reference", "builtin/starter"} <= {word for line in answer for word in line.split()}
    assert answer[-2].startswith("results: ")
