"""What is tried with TaskQueue: scripts for ``actor.mjs``, in which nothing depends on the other classes' bugs."""

from pytest_llmbench import seeded


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

BATCHES = {
    "TaskQueue": {
        "simple": TASKS_SIMPLE,
        "clear": TASKS_CLEAR,
        "crowd": TASKS_CROWD,
        "control": [*TASKS_CONTROL.values()],
        "timeouts": [*TIMEOUTS.values()],
        "retries": [*RETRIES.values()],
        "bonus": [*TASKS_BONUS.values()],
    },
    "watched": {"settles": [TASK_SETTLES]},
}
"""By subject and name of the batch. What is watched needs a process of its own, in which promises are."""
