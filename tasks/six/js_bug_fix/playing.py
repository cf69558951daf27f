"""How scripts are played: what the stage is asked, and which answers can come from the actor alone."""

from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Interval
from typing_extensions import TypedDict

from pytest_llmbench import Batches, Limits, Row, checked

STAGE = Path(__file__).with_name("stage.mjs")
ACTOR = Path(__file__).with_name("actor.mjs").read_text(encoding="utf-8")
PATIENCE_S = 20.0
"""Wall time for all batches that are asked for a second time, alone."""
LIMITS = Limits(cpu_s=3.0, output_bytes=5_000_000)  # about ten times what a sound module needs
Log = list[list[Any]]
"""What the actor noted of a script: the time, the kind, and what is told of it."""
PROCESSES = {
    "plain": ("interfaces", "EventEmitter", "PriorityQueue", "RateLimiter", "TaskQueue", "ScheduledTaskRunner"),
    "watched": ("watched",),
}
"""Subjects whose batches share a process, as long as it lives."""
LOADING = ("", "")
"""In place of a subject and a batch: the module is loaded, and nothing is asked of it."""


def player(sandbox, file, batches):
    """Gives the logs of a batch: ``play("TaskQueue", "simple")``. Batches of a process share it while it lives."""
    processes = {
        name: Batches(
            sandbox, STAGE, "perform", requests(name, file, batches), LIMITS, alone_s=PATIENCE_S, canary=LOADING
        )
        for name in PROCESSES
    }

    def logs(subject, batch):
        process = next(name for name, subjects in PROCESSES.items() if subject in subjects)
        # What cannot be loaded in the plain process can be loaded in none.
        for name, request in (("plain", LOADING), (process, LOADING), (process, (subject, batch))):
            result = processes[name][request]
            if result.outcome != "returned":
                pytest.fail(f"{subject}: {result.outcome}: {result.type_name} {result.message}")
        return logs_of(result.value, subject, len(batches[subject][batch]))

    return logs


def requests(process, file, batches):
    """What the stage is asked in a process, by subject and batch."""
    actor = ACTOR + ("watchPromises();" if process == "watched" else "")
    return {LOADING: [actor, file, []]} | {
        (subject, batch): [actor, file, [[{"subject": subject, "options": {}, **script}] for script in scripts]]
        for subject in PROCESSES[process]
        for batch, scripts in batches[subject].items()
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
