"""What was seen: the answers of the stage, if they can come from the actor alone, as runs of scenarios."""

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from typing_extensions import TypedDict

from pytest_llmbench import Row, checked, shortened

FAULTS = ("onerror", "threw")
FORGED = "the module has answered in the probe's place"


@dataclass(frozen=True)
class Run:
    """What was seen of a scenario."""

    scenario: Any
    log: list[list[Any]]
    """``[place, type, data, last event ID]`` for each event, ``["onerror", the error's message]``, and
    ``["threw", message]`` for what nobody caught."""
    commands: list[int]
    """The command after which each entry of the log came."""
    read: bool
    """Whether all of it was asked for, and more."""
    cancelled: bool
    id: Any
    """The property ``lastEventId`` in the end."""
    time: Any
    """The property ``reconnectionTime`` in the end."""
    time_unset: bool
    """Whether that is what it was in the beginning."""

    @property
    def heard(self) -> list[list[Any]]:
        """The events."""
        return [entry for entry in self.log if entry[0] not in FAULTS]

    @property
    def data(self) -> list[Any]:
        """The events' data."""
        return [entry[2] for entry in self.heard]

    @property
    def faults(self) -> list[list[Any]]:
        """What is no event."""
        return [entry for entry in self.log if entry[0] in FAULTS]

    def __str__(self) -> str:
        return f"{self.scenario} gave {shortened(self.log)}"


@dataclass(frozen=True)
class Report:
    """What there is to say of a group of scenarios."""

    exported: bool
    starter: str | None
    """What makes it begin: nothing but its construction (``""``), a method of this name, or nothing at all."""
    runs: list[Run]


Property = str | int | float | bool | None
Note = Row[tuple[Literal["onerror", "threw"], str]] | Row[tuple[str, Property, Property, Property]]


class Heard(TypedDict):
    """What the actor says after a command."""

    notes: list[Note]
    read: bool
    cancelled: bool
    id: Property
    time: Property
    timeUnset: bool


class Loaded(TypedDict):
    """What the actor says of the module."""

    exported: bool
    starter: str | None


class Answer(TypedDict):
    """What the stage says of a group: for each scenario what was heard after each of its commands."""

    loaded: Loaded
    reports: list[list[Heard]]


def report_of(group, scenarios, value):
    """A group as it was reported; a miss when that cannot come from the actor."""
    answer = checked(value, Answer, f"{group}: {FORGED}")
    if len(answer["reports"]) != len(scenarios):
        pytest.fail(f"{group}: {FORGED}")
    runs = list(map(_run, scenarios, answer["reports"]))
    return Report(answer["loaded"]["exported"], answer["loaded"]["starter"], runs)


def _run(scenario, scene):
    """One run as it was reported; a miss when there is not a report for each command."""
    if len(scene) != len(scenario.commands):
        pytest.fail(f"{scenario}: {FORGED}")
    log = [entry for report in scene for entry in report["notes"]]
    commands = [number for number, report in enumerate(scene) for _ in report["notes"]]
    last = scene[-1]
    state = (last["read"], last["cancelled"], last["id"], last["time"], last["timeUnset"])
    return Run(scenario, log, commands, *state)
