"""The summary as text: plain elsewhere, coloured on a terminal, harmless everywhere."""

from __future__ import annotations

import re
import textwrap

import pytest
from support.records import answered, card, criterion, failed, plan, records, results

from pytest_llmbench.reporting.terminal import number, render
from pytest_llmbench.schema.attempt import Failure
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.outcome import Failed
from pytest_llmbench.schema.results import Results
from pytest_llmbench.text import printable

FIX = card("js-bug-fix", criterion("once", 12), criterion("order", 8, cases="xyz"))
RUST = card("rust-cli", criterion("builds", 20))
BOX = re.compile(r"[\u2500-\u257f\u2026]")
ESCAPE = "\x1b"


def plain(found: Results, width: int | None = None) -> str:
    text = render(found, width=width, colour=False)
    assert ESCAPE not in text
    assert not BOX.search(text)
    assert all(line == line.rstrip() for line in text.splitlines())
    return text


def seen(found: Results, width: int) -> list[str]:
    """What a reader of a coloured terminal sees."""
    text = render(found, width=width, colour=True)
    return re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()


def example(stopped_by: str = "") -> Results:
    """Two ranked models, one without a toolchain's task, one whose server failed."""
    of = plan(FIX, RUST, models=("gpt-oss-20b", "qwen3", "claude"))
    outcomes = {key: answered(2.0 if key.model == "qwen3" else 61.25) for key in of.attempts()}
    outcomes[AttemptKey("js-bug-fix", "claude", 1)] = failed("timeout", "no end after 600 s")

    def verdict(ref):
        if ref.task == "rust-cli":
            return "skipped", "no cargo: install rustup"
        if ref.model == "claude":
            return "not_reached"
        return "missed" if (ref.model, ref.case) == ("qwen3", "y") else "earned"

    return results(of, records(of, verdict), outcomes, stopped_by=stopped_by)


def test_a_full_example():
    assert plain(example(stopped_by="stopping after 1 failures")) == textwrap.dedent("""\
        maximum score: 20 of 40 points
          rust-cli: 20 points not graded (no cargo: install rustup)
        stopped before the end: stopping after 1 failures
        attempts: 2 scored, 1 error, 3 not run
        rank  model           total  tasks  avg wall  js-bug-fix
           1  gpt-oss-20b     20/20    1/1    61.2 s          20
           2  qwen3        17.33/20    1/1     2.0 s       17.33
        Incomplete, not ranked (totals of what was scored)
        rank  model   total  tasks  avg wall  js-bug-fix  why
           -  claude  0+/20    0/1         -           -  timeout
        error: timeout: claude: no end after 600 s [js-bug-fix]""")


# -- headings --------------------------------------------------------------------------------------------------------


def test_a_full_run_says_what_was_asked_for():
    of = plan(FIX, RUST)
    assert plain(results(of, records(of))).splitlines()[:2] == ["maximum score: 40 points", "attempts: 2 scored"]


def test_a_partial_selection_is_headed_so():
    of = plan(FIX, RUST, only=lambda ref: ref.point == "once")
    text = plain(results(of, records(of)))
    assert text.startswith("partial selection: maximum score: 12 of 20 points\n")
    assert "12/12" in text


def test_a_partial_selection_still_says_what_was_left_out():
    of = plan(FIX, RUST, only=lambda ref: ref.case in ("", "x"))
    text = plain(results(of, records(of, lambda ref: ("skipped", "no cargo") if ref.task == "rust-cli" else "earned")))
    assert text.splitlines()[:2] == [
        "partial selection: maximum score: 14.67 of 40 points",
        "  rust-cli: 20 points not graded (no cargo)",
    ]


def test_nothing_at_all_is_said_too():
    assert plain(results(plan(), [])) == "maximum score: 0 points\nattempts: none"


def test_one_cause_of_errors_is_one_line():
    of = plan(FIX, RUST, models=("a", "b"))
    found = results(of, [], {key: failed("connection", f"{key.model}'s server is down") for key in of.attempts()})
    assert [line for line in plain(found).splitlines() if line.startswith("error: ")] == [
        "error: connection: a: a's server is down [js-bug-fix, rust-cli]",
        "error: connection: b: b's server is down [js-bug-fix, rust-cli]",
    ]


def test_messages_that_count_differently_are_one_cause():
    of = plan(FIX, RUST, models=("a",), epochs=2)
    said = {
        key: failed("timeout", f"no end within 1.5 s after {number * 367} characters")
        for number, key in enumerate(of.attempts())
    }
    assert [line for line in plain(results(of, [], said)).splitlines() if line.startswith("error: ")] == [
        "error: timeout: a: no end within 1.5 s after 0 characters [js-bug-fix, rust-cli]"
    ]


def test_equal_messages_of_different_causes_are_two():
    of = plan(FIX, RUST, models=("a",))
    said = {key: Failed(failure=Failure(kind="timeout", message="no end", cause=key.task)) for key in of.attempts()}
    assert plain(results(of, [], said)).count("error: ") == 2


# -- nothing is lost -------------------------------------------------------------------------------------------------


def many(tasks: int = 40, model: str = "m" * 300) -> Results:
    of = plan(
        *(card(f"task-with-a-long-name-{n}", criterion("a", 100 + n)) for n in range(tasks)), models=(model, "short")
    )
    broken = {key: failed("timeout", "x" * 3000) for key in of.attempts() if key.epoch == 1 and key.task.endswith("-1")}
    return results(of, records(of), {k: v for k, v in broken.items() if k.model == "short"})


def test_plain_text_without_a_width_is_never_folded_or_cut():
    found = many()
    lines = plain(found).splitlines()
    header = next(line for line in lines if line.startswith("rank"))
    assert header.split() == [
        "rank",
        "model",
        "total",
        "tasks",
        "avg",
        "wall",
        *(f"task-with-a-long-name-{n}" for n in range(40)),
    ]
    row = lines[lines.index(header) + 1]
    assert row.split()[1] == "m" * 300
    assert row.split()[-40:] == [str(100 + n) for n in range(40)]
    assert "x" * 3000 in lines[-1]


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("width", [40, 60, 80, 100, 130, 200])
@pytest.mark.parametrize("tasks", [1, 6, 12, 40])
def test_a_table_fits_and_never_cuts_a_figure(tasks, width, colour):
    found = many(tasks, "qwen3-coder-30b-a3b-instruct-q4_k_m")
    lines = seen(found, width) if colour else plain(found, width).splitlines()
    table = [line for line in lines[2:] if not line.startswith(("error: ", "1=", "too narrow"))]
    assert all(len(line) <= width for line in table)
    assert not any("\u2026" in line for line in table)
    total = sum(range(100, 100 + tasks))
    assert any(re.search(rf"\b{total}/{total}\b", line) for line in table)


@pytest.mark.parametrize("width", [40, 80])
def test_long_names_stay_apart(width):
    names = [f"qwen3-coder-30b-a3b-instruct-{size}-of-the-long-name" for size in ("q4", "q5", "q8")]
    of = plan(FIX, models=(*names, "short"))
    rows = [line.split() for line in plain(results(of, records(of)), width).splitlines() if line.endswith("/1")]
    rows = rows or [line.split() for line in plain(results(of, records(of)), width).splitlines() if "20/20" in line]
    shown = [row[1] for row in rows]
    assert len(set(shown)) == 4
    assert "short" in shown
    assert all(name.startswith("q") for name in shown if name != "short")


def test_what_a_narrow_table_leaves_out_is_told_below_it():
    lines = plain(example(), 40).splitlines()
    assert "   -  claude  0+/20    0/1" in lines
    assert "claude: timeout" in lines
    assert "too narrow for the points of 1 task: see results.json" in lines


def test_a_terminal_with_little_room_numbers_the_tasks():
    of = plan(*(card(f"task-{name * 8}", criterion("a", 20)) for name in "abcdef"))
    lines = seen(results(of, records(of)), 80)
    header = next(line for line in lines if "rank" in line)
    assert header.split()[-6:] == ["1", "2", "3", "4", "5", "6"]
    assert any(line.startswith("1=task-aaaaaaaa, 2=task-bbbbbbbb, ") for line in lines)


def test_a_terminal_with_no_room_for_tasks_says_how_to_see_them():
    lines = seen(many(40, "m"), 80)
    assert any("40 tasks" in line and "results.json" in line for line in lines)


def test_plain_text_leaves_out_more_tasks_than_anybody_reads():
    """A log of CI with a thousand tasks: their points are in results.json."""
    shown = plain(many(1000, model="m"))
    assert "too narrow for the points of 1000 tasks: see results.json" in shown
    assert max(map(len, shown.splitlines()[:6])) < 200
    assert "task-with-a-long-name-99" in plain(many(100, model="m"))


def test_a_dumb_terminal_gets_its_width_too(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    of = plan(*(card(f"task-{name * 8}", criterion("a", 20)) for name in "abcdef"))
    assert any("task-ffffffff" in line and "rank" in line for line in seen(results(of, records(of)), 200))


@pytest.mark.parametrize("name", ["FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"])
def test_plain_text_stays_plain_whatever_the_environment_says(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    plain(example())


# -- hostile names and messages --------------------------------------------------------------------------------------

HOSTILE = [
    "\x1b[31mred",
    "two\nlines",
    "[red]markup[/red]",
    "[/]",
    "\r\x07\x08",
    "\u202eevil",
    "\x9b31m",
    ":smile:",
    "\udcff",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("colour", [False, True])
def test_hostile_names_and_messages_are_shown_inert(name, colour):
    of = plan(FIX, RUST, models=(name, "good"))
    broken = {AttemptKey("js-bug-fix", name, 1): failed("bad_request", f"sent {name}")}
    found = records(of, lambda ref: ("skipped", f"no {name}") if ref.task == "rust-cli" else "earned")
    text = render(results(of, found, broken, stopped_by=f"stop {name}"), width=200, colour=colour)
    shown = printable(name)
    text = re.sub(r"\x1b\[(1|31|1;33|0)m", "", text) if colour else text
    for line in (
        f"stopped before the end: stop {shown}",
        f"not graded (no {shown})",
        f"error: bad_request: {shown}: sent {shown}",
    ):
        assert line in text
    assert all(c.isprintable() or c == "\n" for c in text)
    assert sum(shown in line for line in text.splitlines()) == 4


# -- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0"),
        (0.0, "0"),
        (20.0, "20"),
        (100.0, "100"),
        (6.6667, "6.67"),
        (0.5, "0.5"),
        (-0.0, "0"),
        (-1, "-1"),
    ],
)
def test_numbers_have_no_needless_decimals(value, text):
    assert number(value) == text
