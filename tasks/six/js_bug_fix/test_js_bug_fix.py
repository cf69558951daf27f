"""A task queue in JavaScript with three bugs to find and to fix.

Only the public interface is used, on scripts that ``actor.mjs`` plays on a virtual clock, so any sound way of writing
the module passes. It runs in a process of the module's own, which ``stage.mjs`` hands one script after the other; what
comes back is text that nothing of the module's has a hand in. Each bug is judged on its own: none of the scripts for
one bug meets another. What is right comes from the models of the classes in ``models.py``, which follow the module's
comments. Where those leave something open (whether ``off`` also removes a listener that ``once`` added, say), nothing
is asked.

The scripts are in ``scripts.py`` and ``task_queue_scripts.py``; ``playing.py`` has them played. Here are the points.
"""

import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_llmbench import Sandbox

HERE = Path(__file__).parent
MODELS, SCRIPTS, TASK_QUEUE, PLAYING = (
    SimpleNamespace(**runpy.run_path(str(HERE / name)))
    for name in ("models.py", "scripts.py", "task_queue_scripts.py", "playing.py")
)
FILE = "task_queue.js"
BATCHES = {**SCRIPTS.BATCHES, **TASK_QUEUE.BATCHES}

pytestmark = pytest.mark.llm_task(id="js-bug-fix", suite="six", points=20, floor=4, files=[FILE], toolchains=["node"])


@pytest.fixture(scope="module")
def play(sandbox: Sandbox) -> Callable[[str, str], list[list[list]]]:
    """Logs of a batch of scripts: ``play("TaskQueue", "simple")``."""
    return PLAYING.player(sandbox, FILE, BATCHES)


# -- EventEmitter ----------------------------------------------------------------------------------------------------


@pytest.mark.rubric("emitter-delivers", points=1)
def test_emitter_delivers(play):
    """Listeners get the arguments of their event."""
    check_emitter(play("EventEmitter", "simple"), SCRIPTS.EMITTER_SIMPLE, "called")


@pytest.mark.rubric("once-unregisters", points=4)
def test_once_unregisters(play):
    """A listener added with once() is called once, and is gone then."""
    check_emitter(play("EventEmitter", "once"), SCRIPTS.EMITTER_ONCE, "called", "listeners")


@pytest.mark.rubric("keeps-emitter", cap=9)
def test_keeps_emitter(play):
    """on, off, emit and listenerCount work as before, also when a listener adds or removes listeners."""
    check_emitter(play("EventEmitter", "on"), SCRIPTS.EMITTER_ON, "called", "listeners", "emitted", "threw")


# -- PriorityQueue ---------------------------------------------------------------------------------------------------


@pytest.mark.rubric("heap-order", points=6)
def test_heap_order(play):
    """Whatever comes and goes, the item that leaves next has the lowest priority number there is."""
    for log, script in zip(play("PriorityQueue", "heap"), SCRIPTS.HEAP, strict=True):
        waiting = {}
        assert [entry[1] for entry in log] == ["dequeue"] * script["steps"].count(["dequeue"]), log
        dequeued = iter(log)
        for what, *args in script["steps"]:
            if what == "enqueue":
                waiting[args[0]] = args[1]
                continue
            item = next(dequeued)[2]
            if not waiting:
                assert item is None, f"{item!r} left an empty queue"
                continue
            assert isinstance(item, int), f"{item!r} left, which never came"
            assert item in waiting, f"item {item} left a second time"
            first = min(waiting.values())
            assert waiting[item] == first, f"an item of priority {waiting[item]} left while one of {first} waited"
            del waiting[item]


@pytest.mark.rubric("keeps-priority-queue", cap=10)
def test_keeps_priority_queue(play):
    """Equal priorities leave as they came; peek, size, isEmpty, toArray and clear work as before."""
    for log, script in zip(play("PriorityQueue", "interface"), SCRIPTS.QUEUE_INTERFACE, strict=True):
        expected = MODELS.FirstComeFirstServed()
        for step in script["steps"]:
            expected.step(*step)
        assert [unordered(entry[1:]) for entry in log] == expected.log, f"after {script['steps']}"


# -- TaskQueue -------------------------------------------------------------------------------------------------------


@pytest.mark.rubric("queue-runs-tasks", points=1)
def test_queue_runs_tasks(play):
    """Tasks run; results and failures are told."""
    (log,) = play("TaskQueue", "simple")
    assert entries(log, "completed") == [
        ["completed", "one", "result of one"],
        ["completed", "three", "result of three"],
    ]
    assert entries(log, "failed") == [["failed", "two", True, "two broke"]]


@pytest.mark.rubric("clear-adjusts-stats", points=3)
def test_clear_adjusts_stats(play):
    """clear() tells how many tasks it dropped and moves them from pending to cleared."""
    for log, script in zip(play("TaskQueue", "clear"), TASK_QUEUE.TASKS_CLEAR, strict=True):
        check_clearing(log, script["steps"])


@pytest.mark.rubric("keeps-task-queue", cap=9)
def test_keeps_task_queue(play):
    """All slots are used and no more, each task runs once, and the other methods work as before."""
    for log, script in zip(play("TaskQueue", "crowd"), TASK_QUEUE.TASKS_CROWD, strict=True):
        check_crowd(log, script)
    logs = dict(zip(TASK_QUEUE.TASKS_CONTROL, play("TaskQueue", "control"), strict=True))

    log = logs["pause"]
    assert moments(log, "begin") == [0, 0, 20, 20], f"begun while paused, or not resumed: {log}"
    check_stats(log, {"pending": 2, "running": 0, "completed": 2})
    assert entries(logs["urgent"], "begin") == [["begin", "sooner"], ["begin", "later"]]
    assert entries(logs["find"], "found") == [
        ["found", "first", True],
        ["found", "second", True],
        ["found", "first", False],
        ["found", "second", False],
    ]
    log = logs["clear"]
    assert entries(log, "begin", "found", "end") == [["begin", "runs"], ["found", "dropped", False], ["end", "runs"]]
    assert moments(log, "drained") == [4], f"drain() of a cleared queue waits for what runs: {log}"
    log = logs["clear paused"]
    assert moments(log, "drained") == [0], f"drain() resolves when clear() leaves nothing: {log}"
    assert moments(log, "begin") == []
    log = logs["nonsense"]
    assert [entry[2] for entry in entries(log, "threw")] == ["TypeError"]
    assert moments(log, "completed") == [0]


@pytest.mark.rubric("keeps-timeouts", cap=11)
def test_keeps_timeouts(play):
    """A task that takes too long fails in time and frees its slot; its late end changes nothing."""
    logs = dict(zip(TASK_QUEUE.TIMEOUTS, play("TaskQueue", "timeouts"), strict=True))

    log = logs["own"]
    assert [entry[1:3] for entry in entries(log, "failed")] == [["slow", True]], log
    assert (moments(log, "failed"), moments(log, "begin")) == ([4], [0, 4]), log
    check_stats(log, {"completed": 1, "failed": 1, "pending": 0, "running": 0})
    log = logs["default"]
    assert entries(log, "completed") == [["completed", "patient", "result of patient"]], log
    assert moments(log, "failed") == [4], log
    check_stats(log, {"completed": 1, "failed": 1})
    log = logs["late failure"]
    assert moments(log, "failed") == [4], log
    check_stats(log, {"completed": 0, "failed": 1})
    log = logs["in time"]
    assert entries(log, "completed") == [["completed", "quick", "result of quick"]], log
    assert entries(log, "failed") == [["failed", "broken", True, "broken broke"]], log
    check_stats(log, {"completed": 1, "failed": 1})


@pytest.mark.rubric("keeps-retries", cap=11)
def test_keeps_retries(play):
    """A failing task is tried again at once, as often as it may be, and counted once."""
    logs = dict(zip(TASK_QUEUE.RETRIES, play("TaskQueue", "retries"), strict=True))

    log = logs["own"]
    assert (moments(log, "begin"), moments(log, "retry")) == ([0, 2, 4], [2, 4]), log
    assert entries(log, "completed", "failed") == [["completed", "shaky", "result of shaky"]], log
    check_stats(log, {"added": 1, "completed": 1, "failed": 0, "retried": 2})
    log = logs["default"]
    assert [entry[1] for entry in entries(log, "begin")] == ["hopeless"] * 3 + ["once"], log
    assert [entry[1] for entry in entries(log, "failed")] == ["hopeless", "once"], log
    check_stats(log, {"added": 2, "completed": 0, "failed": 2, "retried": 2})
    log = logs["after a timeout"]
    assert (moments(log, "begin"), moments(log, "failed")) == ([0, 4], [8]), log
    check_stats(log, {"completed": 0, "failed": 1, "retried": 1})


@pytest.mark.rubric("settles-once", bonus=1)
def test_settles_once(play):
    """A task that timed out is over: its late result settles no promise a second time."""
    (log,) = play("watched", "settles")
    assert entries(log, "completed") == [["completed", "quick", "result of quick"]]
    assert moments(log, "failed") == [6]
    assert entries(log, "rejected") == [["rejected", "slow", True]], "no promise was seen that the timeout rejected"
    assert entries(log, "settled again") == [["settled again", 0]], "a promise that was rejected is settled again"


@pytest.mark.rubric("strict-ids", bonus=1)
def test_strict_ids(play):
    """getTask() finds a task by its id, perhaps as text, on purpose, and never by what merely converts to it."""
    log = named(play, "bonus", TASK_QUEUE.TASKS_BONUS, "ids")
    found = [entry[2] for entry in entries(log, "found")]
    assert found[:1] == [True], f"getTask() does not find a running task: {log}"
    assert found[1:] == [False] * 5, "== finds the number 1 by true, by '0x1' and by ' 1 '"


@pytest.mark.rubric("drain-leaves-no-listener", bonus=1)
def test_drain_leaves_no_listener(play):
    """However often drain() is called, neither a listener nor any memory is held afterwards."""
    log = named(play, "bonus", TASK_QUEUE.TASKS_BONUS, "drain")
    asked = [often for often in TASK_QUEUE.DRAINS if often]
    assert [entry[1] for entry in entries(log, "drained")] == asked, f"drain() resolves: {log}"
    counts = [entry[2] for entry in entries(log, "listeners")]
    assert counts == counts[:1] * len(TASK_QUEUE.DRAINS), f"listeners of 'drain' after each turn: {counts}"
    held = [entry[1] for entry in entries(log, "memory")]
    assert len(held) == TASK_QUEUE.DRAINS.count(0), log
    # Of the turns without a call the one with the least noise.
    growth = min(held[2:]) - min(held[:2])
    assert growth < TASK_QUEUE.LEAK_BYTES * sum(asked[1:]), (
        f"{sum(asked[1:])} calls of drain() left {growth} bytes behind"
    )


# -- RateLimiter -----------------------------------------------------------------------------------------------------


@pytest.mark.rubric("limiter-holds-back", points=1)
def test_limiter_holds_back(play):
    """Two slots a second are two, and free again after it."""
    (log,) = play("RateLimiter", "simple")
    assert entries(log, "tried") == [["tried", True], ["tried", True], ["tried", False], ["tried", True]]


@pytest.mark.rubric("keeps-rate-limiter", cap=11)
def test_keeps_rate_limiter(play):
    """acquire and schedule serve in order and no later than allowed; tryAcquire and available tell the truth."""
    for log, script in zip(play("RateLimiter", "lines"), SCRIPTS.LIMITER_LINES, strict=True):
        check_line(log, script)
    for log, script in zip(play("RateLimiter", "asking"), SCRIPTS.LIMITER_ASKING, strict=True):
        check_asking(log, script)


# -- ScheduledTaskRunner ---------------------------------------------------------------------------------------------


@pytest.mark.rubric("runner-repeats", points=1)
def test_runner_repeats(play):
    """A job runs once an interval."""
    (log,) = play("ScheduledTaskRunner", "simple")
    assert moments(log, "begin") == [20, 40, 60]


@pytest.mark.rubric("keeps-runner", cap=12)
def test_keeps_runner(play):
    """Jobs end when cancelled or stopped, skip turns while they run, and have names of their own."""
    logs = dict(zip(SCRIPTS.RUNNER_MORE, play("ScheduledTaskRunner", "more"), strict=True))

    log = logs["cancel"]
    runs = {name: [round(time / 50) for time, what, who, *_ in log if (what, who) == ("begin", name)] for name in "ab"}
    assert runs == {"a": [20, 40, 60], "b": [30, 60, 90, 120]}, log
    assert entries(log, "cancelled") == [["cancelled", "a", True], ["cancelled", "a", False]], log
    assert [unordered(entry) for entry in entries(log, "jobs")] == [
        ["jobs", ["a", "b"]],
        ["jobs", ["b"]],
        ["jobs", []],
    ], log
    assert moments(logs["slow"], "begin") == [20, 80, 140], logs["slow"]
    assert len(entries(logs["twice"], "threw")) == 1, logs["twice"]
    assert moments(logs["twice"], "begin") == [20], logs["twice"]
    assert moments(logs["again"], "begin") == [10, 20], logs["again"]


# -- the module as a whole -------------------------------------------------------------------------------------------


@pytest.mark.rubric("exports-all", cap=7)
def test_exports_all(play):
    """All five classes are exported, none as an empty shell."""
    shown = {entry[1] for log in play("interfaces", "all") for entry in entries(log, "has")}
    missing = [name for name in SCRIPTS.CLASSES if name not in shown]
    assert not missing, f"not exported, or without any of its methods: {', '.join(missing)}"


# -- how logs are read and compared ----------------------------------------------------------------------------------


def entries(log, *kinds):
    """The log's entries of some kinds, without their times."""
    return [entry[1:] for entry in log if entry[1] in kinds]


def unordered(entry):
    """A list of texts in a log says nothing by its order."""
    return [sorted(value, key=str) if isinstance(value, list) else value for value in entry]


def moments(log, what, grain_ms=50):
    """When things of one kind happened, in grains: a few milliseconds more or less are a matter of style."""
    return [round(entry[0] / grain_ms) for entry in log if entry[1] == what]


def check_emitter(logs, scripts, *kinds):
    """Compare the log entries of some kinds with those of an ``Emitter``."""
    for log, script in zip(logs, scripts, strict=True):
        emitter = MODELS.Emitter(script.get("options", {}).get("reactions"))
        for step in script["steps"]:
            emitter.step(*step)
        assert entries(log, *kinds) == [entry for entry in emitter.log if entry[0] in kinds], f"after {script['steps']}"


def named(play, batch, scripts, name):
    """The log of one script out of a batch with names."""
    return play("TaskQueue", batch)[list(scripts).index(name)]


def check_stats(log, expected):
    """Compare the counts that were told last; others than the expected ones are free."""
    told = [entry[1] for entry in entries(log, "stats")]
    assert told, f"getStats() failed: {log}"
    assert isinstance(told[-1], dict), f"getStats() gave {told[-1]!r}"
    assert {name: told[-1].get(name) for name in expected} == expected


def check_clearing(log, steps):
    """Whatever came and has not begun by then is what a clear() drops."""
    came = [sum(step[0] == "add" for step in steps[:n]) for n, step in enumerate(steps) if step == ["clear"]]
    assert [entry[0] for entry in entries(log, "cleared", "stats", "threw")] == ["cleared", "stats"] * 2 + ["stats"], (
        log
    )
    begun = cleared = 0
    for _, what, *values in log:
        if what == "begin":
            begun += 1
        elif what == "cleared":
            waiting = came.pop(0) - begun - cleared
            cleared += waiting
            assert values == [waiting], f"clear() returned {values} with {waiting} tasks waiting"
        elif what == "stats":
            check_stats([[0, what, *values]], {"pending": 0, "cleared": cleared})


def check_crowd(log, script):
    """Every task ran once for its time, every slot was used while any task waited, and the end was told in time."""
    durations = {name: options["ms"] / 50 for what, name, options in script["steps"][1:-4]}
    slots = script["options"]["concurrency"]
    begins = dict(zip((name for _, name in entries(log, "begin")), moments(log, "begin"), strict=True))
    ends = dict(zip((name for _, name in entries(log, "end")), moments(log, "end"), strict=True))
    assert len(moments(log, "begin")) == len(moments(log, "end")) == len(durations), f"not each once: {log}"
    assert {name: ends.get(name, 0) - begin for name, begin in begins.items()} == durations, (
        f"not each for its time: {log}"
    )
    for moment in {*begins.values(), *ends.values()}:
        running = sum(begin <= moment < ends[name] for name, begin in begins.items())
        left = sum(end > moment for end in ends.values())
        assert running == min(slots, left), f"{running} running of {left} left with {slots} slots: {log}"
    assert sorted(entries(log, "completed"), key=str) == [
        ["completed", name, f"result of {name}"] for name in sorted(durations)
    ]
    last = max(ends.values())
    assert moments(log, "drain") == [last], f"one 'drain' event, when all is done: {log}"
    assert entries(log, "drained") == [["drained", "all"], ["drained", "none"]], f"drain() resolves: {log}"
    assert moments(log, "drained") == [last, 200], f"drain() resolves when all is done: {log}"


def check_line(log, script):
    """First come, first served, each as soon as the limit allows and not before."""
    limit, interval = script["options"]["limit"], script["options"]["interval"]
    now, asked = 0, {}
    for what, value in script["steps"]:
        if what == "advance":
            now += value
        else:
            asked[value] = (now, what)
    granted = {name: time for time, what, name, *_ in log if what == "granted"}
    assert [name for _, name in entries(log, "granted")] == list(asked), f"not in the order of asking: {log}"
    times = list(granted.values())
    for number, (name, (when, _)) in enumerate(asked.items()):
        earliest = max(when, times[number - 1] if number else 0)
        if number >= limit:
            earliest = max(earliest, times[number - limit] + interval)
        assert earliest <= granted[name] <= earliest + 5, f"{name} at {granted[name]} ms, not {earliest}: {script}"
    scheduled = [name for name, (_, what) in asked.items() if what == "schedule"]
    assert entries(log, "result") == [["result", name, f"result of {name}"] for name in scheduled]


def check_asking(log, script):
    """A slot is there when fewer than `limit` were taken within the last interval."""
    window = MODELS.Window(**script["options"])
    for step in script["steps"]:
        window.step(*step)
    expected = window.log
    assert log == expected, f"after {script['steps']}"
