"""One message for all points of an attempt is told once, on the page of the attempt and by ``llmbench show``."""

from __future__ import annotations

from support.records import card, criterion, failed, plan, records, results

from pytest_llmbench.cli.show import lines
from pytest_llmbench.reporting.html.details import AttemptEvidence
from pytest_llmbench.reporting.points import messages_once
from pytest_llmbench.schema.results import AttemptResult

TASK = card("t", *(criterion(f"p{number}", 1) for number in range(5)))
OF = plan(TASK)


def attempt(verdict, said: str | None = None) -> AttemptResult:
    outcomes = {key: failed("timeout", said) for key in OF.attempts()} if said else {}
    return results(OF, records(OF, verdict), outcomes).attempts[0]


def test_an_error_is_told_by_the_attempt_alone():
    found = attempt(lambda ref: ("not_reached", "no end after 600 s"), "no end after 600 s")
    assert [criterion.message for criterion in found.criteria] == ["no end after 600 s"] * 5, "as recorded"
    assert set(messages_once(found).values()) == {""}
    assert "\n".join(lines(found, AttemptEvidence())).count("no end after 600 s") == 1


def test_another_message_of_points_is_told_at_the_first():
    found = attempt(lambda ref: ("not_reached", "not reached: no disk"), "no end after 600 s")
    assert list(messages_once(found).values()) == ["not reached: no disk", "", "", "", ""]


def test_equal_messages_of_misses_stay():
    found = attempt(lambda ref: ("missed", "assert 0"))
    assert list(messages_once(found).values()) == ["assert 0"] * 5


def test_no_code_is_told_once():
    found = attempt(lambda ref: ("missed", "no code: prose")).model_copy(update={"labels": ["no_code"]})
    assert list(messages_once(found).values()) == ["no code: prose", "", "", "", ""]
