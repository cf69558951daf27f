"""Records: immutable, strict about fields, the same on both sides of a process or a file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from support.records import answered, card, criterion, failed, header, plan, record, records, results

from pytest_llmbench.schema.attempt import CompletionRequest, Message
from pytest_llmbench.schema.execution import ExecResult, LimitHit
from pytest_llmbench.schema.keys import AttemptKey, ItemRef
from pytest_llmbench.schema.outcome import OutcomeRecord
from pytest_llmbench.schema.results import SCHEMA_VERSION, AttemptResult, Results
from pytest_llmbench.schema.settings import LLMSettings, ModelSpec, Settings

PLAN = plan(card("t", criterion("a", 2), criterion("b", 3, cases="xy")), models=("m", "n"), epochs=2)
KEY = AttemptKey("t", "m", 1)


def every_record() -> list[BaseModel]:
    return [
        PLAN,
        PLAN.tasks[0],
        header("m"),
        record(ItemRef("t", "m", 1, "a", ""), "missed", "text", ["label"]),
        OutcomeRecord(task="t", model="m", epoch=1, outcome=answered()),
        OutcomeRecord(task="t", model="m", epoch=1, outcome=failed("auth")),
        CompletionRequest(model="m", endpoint="e", messages=(Message(role="user", content="x"),), epoch=1),
        results(PLAN, records(PLAN)),
    ]


def names(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize("value", every_record(), ids=names)
def test_a_record_is_the_same_on_the_other_side(value):
    assert type(value).model_validate_json(value.model_dump_json()) == value
    assert type(value).model_validate(value.model_dump(mode="json")) == value


@pytest.mark.parametrize("value", every_record(), ids=names)
def test_a_record_is_immutable_and_knows_its_fields(value):
    with pytest.raises(ValidationError, match="frozen"):
        setattr(value, next(iter(type(value).model_fields)), None)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        type(value).model_validate({**value.model_dump(), "unknown": 1})


def test_an_attempt_has_one_of_four_states():
    with pytest.raises(ValidationError, match="'scored', 'error', 'incomplete' or 'not_run'"):
        AttemptResult.model_validate(
            {"task": "t", "model": "m", "epoch": 1, "status": "done", "points": 0, "max_points": 0}
        )


def test_a_plan_lists_each_attempt_once_in_order():
    assert PLAN.attempts() == [AttemptKey("t", model, epoch) for model in "mn" for epoch in (1, 2)]


def test_items_records_and_outcomes_know_their_attempt():
    ref = ItemRef("t", "m", 1, "b", "x")
    assert ref.key == record(ref).key == OutcomeRecord(task="t", model="m", epoch=1, outcome=answered()).attempt == KEY
    assert str(KEY) == "t / m #1"


def test_results_state_their_version_and_have_a_json_schema():
    assert results(PLAN, []).schema_version == SCHEMA_VERSION == 2
    published = Results.model_json_schema()
    assert set(published["properties"]) == {
        "schema_version",
        "run",
        "models",
        "tasks",
        "attempts",
        "leaderboard",
        "incomplete",
        "reduced",
        "selfcheck",
    }


@pytest.mark.parametrize(
    ("exit_code", "hit", "ok"),
    [(0, None, True), (1, None, False), (-9, None, False), (0, LimitHit("cpu_s", 1, 2), False)],
)
def test_a_command_is_ok_when_it_ended_by_itself(exit_code, hit, ok):
    assert ExecResult(("true",), exit_code, "", "", 0.1, 0.1, hit).ok is ok


def test_a_limit_says_what_was_allowed():
    assert str(LimitHit("memory_mb", 1024, 1500.5)) == "memory_mb limit hit: 1500.5 of 1024 allowed"


def test_settings_are_active_with_a_model(tmp_path):
    quiet = Settings(llm=LLMSettings(), rootdir=tmp_path, run_base=tmp_path)
    assert not quiet.active
    asked = LLMSettings(models=(ModelSpec("a", "a"),))
    assert Settings(llm=asked, rootdir=tmp_path, run_base=tmp_path).active


def test_what_pytest_loads_at_start_is_standard_library_only():
    modules = ("settings", "task", "keys", "execution")
    code = "".join(f"import pytest_llmbench.schema.{name}\n" for name in modules)
    code += "import pytest_llmbench.catalog, pytest_llmbench.errors, sys\nassert 'pydantic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def shape(schema):
    """Types, their fields and which of them must be there; wording differs between versions of pydantic."""
    types = {"Results": schema, **schema["$defs"]}
    return {
        name: (sorted(each.get("properties", {})), sorted(each.get("required", []))) for name, each in types.items()
    }


def test_the_published_schema_is_that_of_the_code():
    """docs/results.schema.json is ``json.dumps(Results.model_json_schema(), indent=1)``."""
    published = Path(__file__).parents[3] / "docs" / "results.schema.json"
    assert shape(json.loads(published.read_text(encoding="utf-8"))) == shape(Results.model_json_schema())
