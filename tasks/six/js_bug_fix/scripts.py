"""What is tried with EventEmitter, PriorityQueue, RateLimiter and ScheduledTaskRunner: scripts for ``actor.mjs``."""

import itertools

from pytest_llmbench import seeded

CLASSES = ("EventEmitter", "PriorityQueue", "TaskQueue", "RateLimiter", "ScheduledTaskRunner")

# -- EventEmitter ----------------------------------------------------------------------------------------------------


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

# -- PriorityQueue ---------------------------------------------------------------------------------------------------


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

# -- RateLimiter -----------------------------------------------------------------------------------------------------


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

# -- ScheduledTaskRunner ---------------------------------------------------------------------------------------------

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

BATCHES = {
    "EventEmitter": {"simple": EMITTER_SIMPLE, "once": EMITTER_ONCE, "on": EMITTER_ON},
    "PriorityQueue": {"heap": HEAP, "interface": QUEUE_INTERFACE},
    "RateLimiter": {"simple": LIMITER_SIMPLE, "lines": LIMITER_LINES, "asking": LIMITER_ASKING},
    "ScheduledTaskRunner": {"simple": RUNNER_SIMPLE, "more": [*RUNNER_MORE.values()]},
    "interfaces": {"all": [{"steps": [["look", name]]} for name in CLASSES]},
}
"""By class and name of the batch; the TaskQueue has its own in ``task_queue_scripts.py``."""
