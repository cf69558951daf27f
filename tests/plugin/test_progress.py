"""The sign of life of a whole session: one line redrawn on a terminal, lines in a log, nothing anywhere else."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pyte
import pytest
from support.bench import ADD_REPLY, TASK, Bench
from support.server import ChatServer, Reply

ROWS, COLUMNS = 60, 110
SLOW = TASK.replace("    assert load(submission)(1, 2) == 3", "    import time; time.sleep(1.5)")
"""Its first point takes a while to grade, under pytest's capturing."""
DRAWN = re.compile(rb"\r\x1b\[K(llmbench: \d+ generated[^\r\n]*)")


@pytest.fixture
def quick(bench: Bench) -> Bench:
    """Two tasks, and hardly a pause between two signs."""
    for name in ("one", "two"):
        bench.task(name, SLOW)
    bench.file(
        "conftest.py", "import pytest_llmbench.plugin.controller.progress as p\np.TERMINAL_S = 0.1\np.PLAIN_S = 0.4\n"
    )
    return bench


def options(server: ChatServer, *more: str) -> list[str]:
    return ["--llm-model=test-model", f"--llm-base-url={server.base_url}", *more]


def on_a_terminal(bench: Bench, *args: str, **env: str) -> tuple[bytes, list[str]]:
    """All that pytest writes to a terminal of its own, and what that shows at the end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = bench.environment(**{"TERM": "xterm", **env})
    del environment["COLUMNS"]
    command = bench.command(*args)
    with subprocess.Popen(
        command, cwd=bench.root, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        written = b""
        try:
            while data := os.read(ours, 65536):
                written += data
        except OSError:
            pass  # how Linux tells that nobody has the other end any more
        os.close(ours)
        assert process.wait(60) == 0, written.decode()
    screen = pyte.Screen(COLUMNS, ROWS)
    pyte.ByteStream(screen).feed(written)
    return written, [line.rstrip() for line in screen.display if line.strip()]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
def test_one_line_redrawn_on_a_terminal(quick: Bench, workers: tuple[str, ...]) -> None:
    with ChatServer(Reply(ADD_REPLY, latency_s=2.0)) as server:
        written, shown = on_a_terminal(quick, *options(server, *workers, "--junit-xml=j.xml"))
    drawn = [line.decode() for line in DRAWN.findall(written)]
    assert any("0 generated, 0 graded of 2; asking test-model (1 in flight)" in line for line in drawn)
    assert any("2 generated, 0 graded of 2" in line or "2 generated, 1 graded of 2" in line for line in drawn)
    assert any(" left; " in line and "tokens/s" in line for line in drawn)
    assert b" generated, " not in re.sub(DRAWN, b"", written)
    assert not re.search(DRAWN.pattern + rb"\r?\n", written)
    assert not [line for line in shown if " generated, " in line]
    assert "llmbench: attempts: 2; 0 replies reused, 2 to request" in shown
    assert [line for line in shown if re.fullmatch(r"(tasks/test_one.py )?\.{3,6} +\[ *\d+%\]", line)]
    assert " generated, " not in (quick.root / "j.xml").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("more", "env"), [(("-s",), {}), ((), {"CI": "1"}), ((), {"TERM": "dumb"})])
def test_lines_where_none_can_be_redrawn(quick: Bench, more: tuple[str, ...], env: dict[str, str]) -> None:
    with ChatServer(ADD_REPLY) as server:
        written, shown = on_a_terminal(quick, *options(server, *more), **env)
    assert not DRAWN.search(written)
    assert [line for line in shown if line.startswith("llmbench: 2 generated, ")]


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("-n2",), ("--json-report", "--json-report-file=r.json", "--junit-xml=r.xml")])
def test_plain_lines_without_a_terminal(quick: Bench, more: tuple[str, ...]) -> None:
    with ChatServer(Reply(ADD_REPLY, latency_s=0.7)) as server:
        run = quick.run(*options(server), *more, "-o", "junit_logging=all")
    assert run.exit == 0, run.out + run.err
    said = [line for line in run.out.splitlines() if " generated, " in line]
    assert all(re.match(r"llmbench: \d+ generated, \d+ graded of 2(; .+)?$", line) for line in said)
    assert any("asking test-model (1 in flight)" in line for line in said)
    assert any("2 generated" in line for line in said)
    assert "\x1b" not in run.out
    assert "\r" not in run.out
    assert run.counts() == {"passed": 6}
    for report in quick.root.glob("r.*"):
        assert " generated, " not in report.read_text()


@pytest.mark.slow
def test_nothing_when_quiet(quick: Bench) -> None:
    with ChatServer(Reply(ADD_REPLY, latency_s=0.7)) as server:
        written, _ = on_a_terminal(quick, *options(server, "-q"))
        run = quick.run(*options(server, "-q", "--llm-cache=refresh"))
    assert b" generated, " not in written
    assert " generated, " not in run.out + run.err


@pytest.mark.slow
def test_an_attempt_of_several_turns_is_one(quick: Bench) -> None:
    before, rest = TASK.split("pytestmark = ", 1)
    feedback = 'def feedback(submission):\n    return None if "+" in submission.files["add.py"] else "Wrong."\n\n\n'
    for name in ("one", "two"):
        quick.task(
            name, f"{before}{feedback}pytestmark = {rest.replace('files=', 'turns=2, feedback=feedback, files=', 1)}"
        )
    wrong = "```python\ndef add(a, b):\n    return a - b\n```\n"
    with ChatServer(lambda body: Reply(ADD_REPLY if len(body["messages"]) > 1 else wrong, latency_s=0.6)) as server:
        run = quick.run(*options(server))
        assert server.chat_count == 4
    said = [line for line in run.out.splitlines() if " generated, " in line]
    assert said
    assert all(" of 2" in line for line in said)
