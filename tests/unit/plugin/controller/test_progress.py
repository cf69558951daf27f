"""What the sign of life says."""

import pytest

from pytest_llmbench.llm.protocols import Progress
from pytest_llmbench.plugin.controller.progress import sign_of_life
from pytest_llmbench.schema.keys import AttemptKey


def progress(**more):
    return Progress(**{"total": 10, "asked": 4, "reused": 0, "answered": 0, "failed": 0} | more)


def test_before_the_first_reply():
    flying = (AttemptKey("t", "a", 1), AttemptKey("u", "a", 1))
    said = sign_of_life(progress(in_flight=flying), 5)
    assert said == "0 generated, 0 graded of 10; asking a (2 in flight)"


def test_pace_tokens_and_costs():
    said = sign_of_life(progress(answered=3, failed=1, tokens=900, spent_usd=0.25), 60, graded=3)
    assert said == "4 generated, 3 graded of 10; about 2 min left; 15.0 tokens/s; 0.2500 USD spent"


@pytest.mark.parametrize("free", [{"reused": 4}, {"earlier": 4}])
def test_what_took_no_time_tells_nothing_of_the_pace(free):
    assert sign_of_life(progress(answered=4, **free), 60, graded=4) == "4 generated, 4 graded of 10"
    assert sign_of_life(progress(answered=4), 60, local=4) == "4 generated, 0 graded of 10"
    assert sign_of_life(progress(answered=5, **free), 7).endswith("about 35 s left")


def test_grading_can_be_what_takes_long():
    assert "about 40 s left" in sign_of_life(progress(answered=10, reused=10), 10, graded=2)
    assert "about 80 s left" in sign_of_life(progress(answered=5), 20, graded=2)
    assert "left" not in sign_of_life(progress(answered=10), 20, graded=0)


def test_hours():
    assert sign_of_life(progress(total=1000, answered=1), 60).endswith("about 16.6 h left")
