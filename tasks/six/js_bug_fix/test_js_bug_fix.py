"""A task queue in JavaScript with three bugs to find and to fix.

Only the public interface is used, on scripts that ``actor.mjs`` plays on a virtual clock, so any sound way of writing
the module passes. It runs in a process of the module's own, which ``stage.mjs`` hands one script after the other; what
comes back is text that nothing of the module's has a hand in. Each bug is judged on its own: none of the scripts for
one bug meets another. What is right comes from the models of the classes in this file, which follow the module's
comments. Where those leave something open (whether ``off`` also removes a listener that ``once`` added, say), nothing
is asked.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Interval
from typing_extensions import TypedDict

from pytest_llmbench import Batches, Limits, Row, Sandbox, checked, seeded

FILE = "task_queue.js"
STAGE = Path(__file__).with_name("stage.mjs")
ACTOR = Path(__file__).with_name("actor.mjs").read_text(encoding="utf-8")
PATIENCE_S = 20.0
"""Wall time for all batches that are asked for a second time, alone."""
LIMITS = Limits(cpu_s=3.0, output_bytes=5_000_000)  # about ten times what a sound module needs
Log = list[list[Any]]
"""What the actor noted of a script: the time, the kind, and what is told of it."""
CLASSES = ("EventEmitter", "PriorityQueue", "TaskQueue", "RateLimiter", "ScheduledTaskRunner")

pytestmark = pytest.mark.llm_task(id="js-bug-fix", suite="six", points=20, floor=4, files=[FILE], toolchains=["node"])


@pytest.fixture(scope="module")
def play(sandbox: Sandbox) -> Callable[[str, str], list[Log]]:
    """Logs of a batch of scripts: ``play("TaskQueue", "simple")``. Batches of a process share it while it lives."""
    processes = {
        name: Batches(sandbox, STAGE, "perform", requests(name), LIMITS, alone_s=PATIENCE_S, canary=LOADING)
        for name in PROCESSES
    }

    def logs(subject, batch):
        process = next(name for name, subjects in PROCESSES.items() if subject in subjects)
        # What cannot be loaded in the plain process can be loaded in none.
        for name, request in (("plain", LOADING), (process, LOADING), (process, (subject, batch))):
            result = processes[name][request]
            if result.outcome != "returned":
                pytest.fail(f"{subject}: {result.outcome}: {result.type_name} {result.message}")
        return logs_of(result.value, subject, len(BATCHES[subject][batch]))

    return logs


LOADING = ("", "")
"""In place of a subject and a batch: the module is loaded, and nothing is asked of it."""


def requests(process):
    """What the stage is asked in a process, by subject and batch."""
    actor = ACTOR + ("watchPromises();" if process == "watched" else "")
    return {LOADING: [actor, FILE, []]} | {
        (subject, batch): [actor, FILE, [[{"subject": subject, "options": {}, **script}] for script in scripts]]
        for subject in PROCESSES[process]
        for batch, scripts in BATCHES[subject].items()
    }


class Answer(TypedDict):
    """What the stage says: of each script's scene the logs, of which there is one."""

    loaded: dict
    reports: list[list[object]]


def logs_of(value, subject, count):
    """The logs as they were reported; a miss when those cannot come from the actor."""
    forged = f"{subject}: the module has answered in the probe's place"
    found = [log for scene in checked(value, Answer, forged)["reports"] for log in scene]
    if len(found) != count:
        pytest.fail(forged)
    return checked(found, logs_shape(subject), forged)


ANY, NAME = object, str | None
TASK_QUEUE_NOTES = {
    **dict.fromkeys(("begin", "end", "retry"), (NAME,)),
    "completed": (NAME, ANY),
    "failed": (NAME, bool, str),
    "rejected": (NAME, bool),
    "cleared": (ANY,),
    "stats": (ANY,),
    "drain": (),
    "drained": (str | int,),
    "found": (str, bool),
    "memory": (int,),
    "listeners": (str, ANY),
    "settled again": (int,),
}
NOTES = {
    "EventEmitter": {"called": (str, list), "emitted": (str, ANY), "listeners": (str, ANY)},
    "PriorityQueue": {"toArray": (ANY,), **dict.fromkeys(("dequeue", "peek", "size", "isEmpty"), (ANY,))},
    "TaskQueue": TASK_QUEUE_NOTES,
    "RateLimiter": {"granted": (str,), "result": (str, ANY), "tried": (ANY,), "available": (ANY,)},
    "ScheduledTaskRunner": {"begin": (str,), "cancelled": (str, ANY), "jobs": (ANY,)},
    "interfaces": {"has": (str, str)},
    "watched": TASK_QUEUE_NOTES,
}
"""What the actor notes of each class, and the types of what stands behind it; "threw" may come from all of them."""
LONGEST_MS = 10_000_000
"""Far more than any script lasts."""
Moment = Annotated[int, Interval(ge=0, le=LONGEST_MS)]


@cache
def logs_shape(subject):
    """Logs of what the actor can have noted of this class."""
    kinds = {"threw": (str, ANY, str), **NOTES[subject]}
    notes = [Row[tuple[(Moment, Literal[kind], *values)]] for kind, values in kinds.items()]
    return list[list[reduce(or_, notes)]]


def entries(log, *kinds):
    """The log's entries of some kinds, without their times."""
    return [entry[1:] for entry in log if entry[1] in kinds]


def unordered(entry):
    """A list of texts in a log says nothing by its order."""
    return [sorted(value, key=str) if isinstance(value, list) else value for value in entry]


def moments(log, what, grain_ms=50):
    """When things of one kind happened, in grains: a few milliseconds more or less are a matter of style."""
    return [round(entry[0] / grain_ms) for entry in log if entry[1] == what]


# EventEmitter


class Emitter:
    """What the comments of EventEmitter promise, with names for functions."""

    def __init__(self, reactions=None):
        self.listeners = defaultdict(list)
        self.reactions = dict(reactions or {})
        self.log = []

    def step(self, how, event, *args):
        listeners = self.listeners[event]
        if how in ("on", "once"):
            listeners.append((args[0], how))
        elif how == "off":
            self.listeners[event] = [one for one in listeners if one[0] != args[0]]
        elif how == "count":
            self.log.append(["listeners", event, len(listeners)])
        else:
            present = tuple(listeners)
            for name, way in present:
                if way == "once":
                    self.listeners[event].remove((name, way))
                self.log.append(["called", name, list(args)])
                for reaction in self.reactions.pop(name, []):
                    self.step(*reaction)
            self.log.append(["emitted", event, bool(present)])


def random_emitter_script(seed, *ways):
    """A script in which every listener is a function of its own, and none that ``once`` added is taken off."""
    rng = seeded(seed)
    steps, removable = [], []
    for number in range(40):
        event = rng.choice("xyz")
        kind = rng.choice(("add", "add", "off", "count", "emit", "emit"))
        if kind == "add":
            way = rng.choice(ways)
            steps.append([way, event, f"listener{number}"])
            if way == "on":
                removable.append([event, f"listener{number}"])
        elif kind == "off" and removable:
            steps.append(["off", *removable.pop(rng.randrange(len(removable)))])
        elif kind == "count":
            steps.append(["count", event])
        else:
            steps.append(["emit", event, *rng.sample(range(100), rng.randrange(3))])
    return {"steps": steps}


EMITTER_SIMPLE = [{"steps": [["on", "x", "a"], ["on", "y", "b"], ["emit", "x", 1, "two"], ["emit", "y", 3]]}]
EMITTER_ON = [
    *(random_emitter_script(seed, "on") for seed in range(40)),
    *(
        {
            "steps": [*([["on", "x", name] for name in "abc"]), ["emit", "x", 1], ["count", "x"], ["emit", "x", 2]],
            "options": {"reactions": {"b": [[way, "x", other]]}},
        }
        for way, other in [("off", "a"), ("off", "b"), ("off", "c"), ("on", "d")]
    ),
    {"steps": [["off", "x", "stranger"], ["on", "x", "a"], ["off", "x", "stranger"], ["emit", "x"], ["emit", "y"]]},
]
EMITTER_ONCE = [
    {"steps": [["once", "x", "a"], ["emit", "x", 1], ["emit", "x", 2], ["count", "x"]]},
    *(random_emitter_script(seed, "once") for seed in range(20)),
    *(random_emitter_script(seed, "on", "once") for seed in range(20, 60)),
    {  # a listener that emits its own event again hears it no second time
        "steps": [["on", "x", "a"], ["once", "x", "b"], ["emit", "x", 1], ["emit", "x", 2], ["count", "x"]],
        "options": {"reactions": {"b": [["emit", "x", 3]]}},
    },
]


def check_emitter(logs, scripts, *kinds):
    """Compare the log entries of some kinds with those of an ``Emitter``."""
    for log, script in zip(logs, scripts, strict=True):
        emitter = Emitter(script.get("options", {}).get("reactions"))
        for step in script["steps"]:
            emitter.step(*step)
        assert entries(log, *kinds) == [entry for entry in emitter.log if entry[0] in kinds], f"after {script['steps']}"


@pytest.mark.rubric("emitter-delivers", points=1)
def test_emitter_delivers(play):
    """Listeners get the arguments of their event."""
    check_emitter(play("EventEmitter", "simple"), EMITTER_SIMPLE, "called")


@pytest.mark.rubric("once-unregisters", points=4)
def test_once_unregisters(play):
    """A listener added with once() is called once, and is gone then."""
    check_emitter(play("EventEmitter", "once"), EMITTER_ONCE, "called", "listeners")


@pytest.mark.rubric("keeps-emitter", cap=9)
def test_keeps_emitter(play):
    """on, off, emit and listenerCount work as before, also when a listener adds or removes listeners."""
    check_emitter(play("EventEmitter", "on"), EMITTER_ON, "called", "listeners", "emitted", "threw")


# PriorityQueue


def heap_scripts():
    """Every order of five priorities, then long random mixtures: a heap may go wrong in the seventh item only."""
    for priorities in itertools.permutations(range(5)):
        yield {"steps": [["enqueue", item, priority] for item, priority in enumerate(priorities)] + [["dequeue"]] * 6}
    for seed in range(60):
        rng = seeded(seed)
        spread = rng.choice((3, 20, 1000))
        steps, size = [], 0
        for item in range(20 + seed):
            steps.append(["enqueue", item, rng.randint(-spread, spread) / 2])
            size += 1
            while size and rng.random() > 0.7:
                steps.append(["dequeue"])
                size -= 1
        yield {"steps": steps + [["dequeue"]] * (size + 1)}


HEAP = list(heap_scripts())


def equal_priority_script(seed):
    rng = seeded(seed)
    kinds = ("enqueue", "enqueue", "enqueue", "dequeue", "dequeue", "peek", "size", "isEmpty", "toArray")
    steps = [[rng.choice(kinds)] for _ in range(60)]
    steps.insert(45, ["clear"])
    priority = rng.choice(([], [0], [-2], [7.5]))
    return {
        "steps": [[*step, f"item{n:02}", *priority] if step == ["enqueue"] else step for n, step in enumerate(steps)]
    }


QUEUE_INTERFACE = [
    *(equal_priority_script(seed) for seed in range(20)),
    {"steps": [["enqueue", "later"], ["enqueue", "sooner", -1], ["peek"], ["dequeue"], ["dequeue"], ["dequeue"]]},
]


class FirstComeFirstServed:
    """What the comments of PriorityQueue promise, for items of one priority."""

    def __init__(self):
        self.items = []
        self.log = []

    def step(self, what, *args):
        if what == "enqueue":
            item, *priority = args
            self.items.insert(0 if priority == [-1] else len(self.items), item)
        elif what == "clear":
            self.items.clear()
        else:
            first = self.items[0] if self.items else None
            value = {"size": len(self.items), "isEmpty": not self.items, "toArray": sorted(self.items)}.get(what, first)
            self.log.append([what, value])
            if what == "dequeue":
                del self.items[:1]


@pytest.mark.rubric("heap-order", points=6)
def test_heap_order(play):
    """Whatever comes and goes, the item that leaves next has the lowest priority number there is."""
    for log, script in zip(play("PriorityQueue", "heap"), HEAP, strict=True):
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
    for log, script in zip(play("PriorityQueue", "interface"), QUEUE_INTERFACE, strict=True):
        expected = FirstComeFirstServed()
        for step in script["steps"]:
            expected.step(*step)
        assert [unordered(entry[1:]) for entry in log] == expected.log, f"after {script['steps']}"


# TaskQueue


def crowd(seed):
    """More tasks than slots; all of one priority, so that which one comes next is a matter of the PriorityQueue."""
    rng = seeded(seed)
    tasks = [["add", f"task{n}", {"ms": 100 * rng.randint(1, 5)}] for n in range(rng.randint(1, 12))]
    return {
        "options": {"concurrency": 1 + seed % 4},
        "steps": [["hearDrain"], *tasks, ["drain", "all"], ["advance", 10_000], ["drain", "none"], ["advance", 1]],
    }


def clearing(seed):
    """A script that clears twice, with some tasks running or, in a paused queue, none; in the end all have run."""
    rng = seeded(seed)
    steps = [["pause"]] if seed % 3 == 0 else []
    for turn in range(2):
        tasks = [["add", f"task{turn}{n}", {"ms": 1000}] for n in range(rng.randint(0, 6))]
        steps += [*tasks, ["advance", 100], ["clear"], ["stats"]]
    steps += [["add", "last"], ["resume"], ["advance", 9000], ["stats"]]
    return {"options": {"concurrency": rng.randint(1, 3)}, "steps": steps}


TASKS_SIMPLE = [
    {
        "steps": [
            ["add", "one", {"ms": 100}],
            ["add", "two", {"ms": 100, "fails": 1}],
            ["add", "three", {"sync": True}],
            ["advance", 1000],
        ]
    }
]
TASKS_CROWD = [crowd(seed) for seed in range(24)]
TASKS_CLEAR = [clearing(seed) for seed in range(24)]
TASKS_CONTROL = {
    "pause": {
        "options": {"concurrency": 2},
        "steps": [
            *([["add", name, {"ms": 200}] for name in ("a", "b", "c")]),
            ["advance", 100],
            ["pause"],
            ["add", "d", {"ms": 200}],
            ["advance", 900],
            ["stats"],
            ["resume"],
            ["advance", 1000],
        ],
    },
    "urgent": {  # two tasks only: more are a matter of the PriorityQueue
        "steps": [
            ["pause"],
            ["add", "later", {"priority": 2, "ms": 100}],
            ["add", "sooner", {"priority": 1, "ms": 100}],
            ["resume"],
            ["advance", 1000],
        ]
    },
    "find": {
        "steps": [
            ["add", "first", {"ms": 200}],
            ["add", "second", {"ms": 200}],
            ["advance", 100],
            ["find", "first"],
            ["find", "second"],
            ["advance", 1000],
            ["find", "first"],
            ["find", "second"],
        ]
    },
    "clear": {
        "steps": [
            ["add", "runs", {"ms": 200}],
            ["add", "dropped", {"ms": 200}],
            ["advance", 100],
            ["clear"],
            ["find", "dropped"],
            ["drain", "all"],
            ["advance", 1000],
        ]
    },
    "clear paused": {"steps": [["pause"], ["add", "dropped"], ["drain", "all"], ["clear"], ["advance", 1000]]},
    "nonsense": {"steps": [["addNonsense"], ["add", "fine"], ["advance", 100]]},
}
TIMEOUTS = {
    "own": {
        "steps": [
            ["add", "slow", {"ms": 500, "timeout": 200}],
            ["add", "next", {"ms": 100}],
            ["advance", 2000],
            ["stats"],
        ]
    },
    "default": {
        "options": {"timeout": 200},
        "steps": [
            ["add", "slow", {"ms": 500}],
            ["add", "patient", {"ms": 500, "timeout": 900}],
            ["advance", 2000],
            ["stats"],
        ],
    },
    "late failure": {"steps": [["add", "slow", {"ms": 500, "timeout": 200, "fails": 1}], ["advance", 2000], ["stats"]]},
    "in time": {
        "steps": [
            ["add", "quick", {"ms": 100, "timeout": 200}],
            ["add", "broken", {"ms": 100, "timeout": 200, "fails": 1}],
            ["advance", 2000],
            ["stats"],
        ]
    },
}
RETRIES = {
    "own": {"steps": [["add", "shaky", {"ms": 100, "fails": 2, "retries": 3}], ["advance", 2000], ["stats"]]},
    "default": {
        "options": {"retries": 2},
        "steps": [
            ["add", "hopeless", {"ms": 100, "fails": 9}],
            ["add", "once", {"ms": 100, "fails": 9, "retries": 0}],
            ["advance", 2000],
            ["stats"],
        ],
    },
    "after a timeout": {
        "steps": [["add", "slow", {"ms": 500, "timeout": 200, "retries": 1}], ["advance", 2000], ["stats"]]
    },
}
DRAINS = [2000, 0, 0, *[2000] * 8, 0, 0]
"""How often drain() is called in each turn. What the first one leaves behind is what there is to warm up, no leak."""
LEAK_BYTES = 16
"""What a call may leave behind: less than a listener of its own takes, and more than the noise of 16,000 calls."""
TASK_SETTLES = {
    "subject": "TaskQueue",
    "steps": [
        ["add", "quick", {"ms": 100, "timeout": 200}],
        ["add", "slow", {"ms": 500, "timeout": 200}],
        ["advance", 2000],
        ["settledAgain"],
    ],
}
TASKS_BONUS = {
    "ids": {"steps": [["add", "task", {"ms": 200}], ["find", "task"], ["findByLikes", "task"]]},
    "drain": {
        "steps": [
            step
            for turn, often in enumerate(DRAINS)
            for step in (
                ["add", f"task{turn}", {"ms": 100}],
                *([["drainOften", often]] if often else []),
                ["advance", 500],
                ["listeners", "drain"],
                *([] if often else [["memory"]]),
            )
        ]
    },
}


def named(play, batch, scripts, name):
    """The log of one script out of a batch with names."""
    return play("TaskQueue", batch)[list(scripts).index(name)]


def check_stats(log, expected):
    """Compare the counts that were told last; others than the expected ones are free."""
    told = [entry[1] for entry in entries(log, "stats")]
    assert told, f"getStats() failed: {log}"
    assert isinstance(told[-1], dict), f"getStats() gave {told[-1]!r}"
    assert {name: told[-1].get(name) for name in expected} == expected


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
    for log, script in zip(play("TaskQueue", "clear"), TASKS_CLEAR, strict=True):
        check_clearing(log, script["steps"])


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


@pytest.mark.rubric("keeps-task-queue", cap=9)
def test_keeps_task_queue(play):
    """All slots are used and no more, each task runs once, and the other methods work as before."""
    for log, script in zip(play("TaskQueue", "crowd"), TASKS_CROWD, strict=True):
        check_crowd(log, script)
    logs = dict(zip(TASKS_CONTROL, play("TaskQueue", "control"), strict=True))

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


@pytest.mark.rubric("keeps-timeouts", cap=11)
def test_keeps_timeouts(play):
    """A task that takes too long fails in time and frees its slot; its late end changes nothing."""
    logs = dict(zip(TIMEOUTS, play("TaskQueue", "timeouts"), strict=True))

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
    logs = dict(zip(RETRIES, play("TaskQueue", "retries"), strict=True))

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
    log = named(play, "bonus", TASKS_BONUS, "ids")
    found = [entry[2] for entry in entries(log, "found")]
    assert found[:1] == [True], f"getTask() does not find a running task: {log}"
    assert found[1:] == [False] * 5, "== finds the number 1 by true, by '0x1' and by ' 1 '"


@pytest.mark.rubric("drain-leaves-no-listener", bonus=1)
def test_drain_leaves_no_listener(play):
    """However often drain() is called, neither a listener nor any memory is held afterwards."""
    log = named(play, "bonus", TASKS_BONUS, "drain")
    asked = [often for often in DRAINS if often]
    assert [entry[1] for entry in entries(log, "drained")] == asked, f"drain() resolves: {log}"
    counts = [entry[2] for entry in entries(log, "listeners")]
    assert counts == counts[:1] * len(DRAINS), f"listeners of 'drain' after each turn: {counts}"
    held = [entry[1] for entry in entries(log, "memory")]
    assert len(held) == DRAINS.count(0), log
    # Of the turns without a call the one with the least noise.
    growth = min(held[2:]) - min(held[:2])
    assert growth < LEAK_BYTES * sum(asked[1:]), f"{sum(asked[1:])} calls of drain() left {growth} bytes behind"


# RateLimiter


def waiting_line(seed):
    """Requests at odd times; the interval fits no pause between them, so that no slot frees just when asked."""
    rng = seeded(seed)
    steps = []
    for number in range(20):
        steps.append([rng.choice(("acquire", "schedule")), f"caller{number}"])
        if rng.random() < 0.5:
            steps.append(["advance", 100 * rng.randint(1, 9)])
    return {"options": {"limit": 1 + seed % 4, "interval": 1050}, "steps": [*steps, ["advance", 60_000]]}


def asking(seed):
    rng = seeded(seed)
    steps = [rng.choice((["tryAcquire"], ["available"], ["advance", 100 * rng.randint(1, 9)])) for _ in range(40)]
    return {"options": {"limit": 1 + seed % 4, "interval": 1050}, "steps": steps}


LIMITER_SIMPLE = [
    {
        "options": {"limit": 2, "interval": 1000},
        "steps": [["tryAcquire"], ["tryAcquire"], ["tryAcquire"], ["advance", 1500], ["tryAcquire"]],
    }
]
LIMITER_LINES = [waiting_line(seed) for seed in range(12)]
LIMITER_ASKING = [asking(seed) for seed in range(12)]


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
    limit, interval = script["options"]["limit"], script["options"]["interval"]
    now, taken, expected = 0, [], []
    for what, *value in script["steps"]:
        if what == "advance":
            now += value[0]
            continue
        free = limit - sum(now - time < interval for time in taken)
        expected.append([now, "tried", free > 0] if what == "tryAcquire" else [now, "available", free])
        if what == "tryAcquire" and free > 0:
            taken.append(now)
    assert log == expected, f"after {script['steps']}"


@pytest.mark.rubric("limiter-holds-back", points=1)
def test_limiter_holds_back(play):
    """Two slots a second are two, and free again after it."""
    (log,) = play("RateLimiter", "simple")
    assert entries(log, "tried") == [["tried", True], ["tried", True], ["tried", False], ["tried", True]]


@pytest.mark.rubric("keeps-rate-limiter", cap=11)
def test_keeps_rate_limiter(play):
    """acquire and schedule serve in order and no later than allowed; tryAcquire and available tell the truth."""
    for log, script in zip(play("RateLimiter", "lines"), LIMITER_LINES, strict=True):
        check_line(log, script)
    for log, script in zip(play("RateLimiter", "asking"), LIMITER_ASKING, strict=True):
        check_asking(log, script)


# ScheduledTaskRunner

RUNNER_SIMPLE = [{"steps": [["schedule", "job", 1000], ["advance", 3500]]}]
RUNNER_MORE = {
    "cancel": {
        "options": {"concurrency": 2},
        "steps": [
            ["schedule", "a", 1000],
            ["schedule", "b", 1500],
            ["list"],
            ["advance", 3200],
            ["cancel", "a"],
            ["cancel", "a"],
            ["list"],
            ["advance", 3000],
            ["stop"],
            ["list"],
            ["advance", 3000],
        ],
    },
    "slow": {"steps": [["schedule", "slow", 1000, {"ms": 2500}], ["advance", 9500]]},
    "twice": {"steps": [["schedule", "job", 1000], ["schedule", "job", 500], ["advance", 1200]]},
    "again": {"steps": [["schedule", "job", 1000], ["cancel", "job"], ["schedule", "job", 500], ["advance", 1200]]},
}


@pytest.mark.rubric("runner-repeats", points=1)
def test_runner_repeats(play):
    """A job runs once an interval."""
    (log,) = play("ScheduledTaskRunner", "simple")
    assert moments(log, "begin") == [20, 40, 60]


@pytest.mark.rubric("keeps-runner", cap=12)
def test_keeps_runner(play):
    """Jobs end when cancelled or stopped, skip turns while they run, and have names of their own."""
    logs = dict(zip(RUNNER_MORE, play("ScheduledTaskRunner", "more"), strict=True))

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


# The module as a whole


@pytest.mark.rubric("exports-all", cap=7)
def test_exports_all(play):
    """All five classes are exported, none as an empty shell."""
    shown = {entry[1] for log in play("interfaces", "all") for entry in entries(log, "has")}
    missing = [name for name in CLASSES if name not in shown]
    assert not missing, f"not exported, or without any of its methods: {', '.join(missing)}"


BATCHES = {
    "EventEmitter": {"simple": EMITTER_SIMPLE, "once": EMITTER_ONCE, "on": EMITTER_ON},
    "PriorityQueue": {"heap": HEAP, "interface": QUEUE_INTERFACE},
    "TaskQueue": {
        "simple": TASKS_SIMPLE,
        "clear": TASKS_CLEAR,
        "crowd": TASKS_CROWD,
        "control": [*TASKS_CONTROL.values()],
        "timeouts": [*TIMEOUTS.values()],
        "retries": [*RETRIES.values()],
        "bonus": [*TASKS_BONUS.values()],
    },
    "RateLimiter": {"simple": LIMITER_SIMPLE, "lines": LIMITER_LINES, "asking": LIMITER_ASKING},
    "ScheduledTaskRunner": {"simple": RUNNER_SIMPLE, "more": [*RUNNER_MORE.values()]},
    "interfaces": {"all": [{"steps": [["look", name]]} for name in CLASSES]},
    "watched": {"settles": [TASK_SETTLES]},
}
PROCESSES = {
    "plain": ("interfaces", "EventEmitter", "PriorityQueue", "RateLimiter", "TaskQueue", "ScheduledTaskRunner"),
    "watched": ("watched",),
}
"""Subjects whose batches share a process, as long as it lives."""
