"""What the sign of life says."""

from pytest_llmbench.llm.protocols import ModelPace, Progress
from pytest_llmbench.plugin.controller.progress import sign_of_life, time_left_s
from pytest_llmbench.plugin.controller.status_line import as_line
from pytest_llmbench.schema.keys import AttemptKey


def progress(**more):
    return Progress(**{"total": 10, "asked": 4, "reused": 0, "answered": 0, "failed": 0} | more)


def said(columns=200, elapsed_s=60, now=None, **more):
    return as_line(sign_of_life(now or progress(), elapsed_s, **more), columns)


def test_before_the_first_reply():
    flying = (AttemptKey("t", "a", 1), AttemptKey("u", "a", 1))
    assert said(now=progress(in_flight=flying)) == "llmbench: 0 generated, 0 graded of 10; asking a (2 in flight)"


def test_time_left_tokens_and_costs():
    now = progress(answered=3, failed=1, tokens=900, spent_usd=0.25)
    assert said(now=now, graded=3, left_s=110) == (
        "llmbench: 4 generated, 3 graded of 10; about 2 min left; 15.0 tokens/s; 0.2500 USD spent"
    )


def test_what_does_not_fit_is_shortened_or_left_out_as_a_whole():
    flying = tuple(AttemptKey("t", f"a-model-with-a-long-name-{number}", 1) for number in range(3))
    now = progress(in_flight=flying, tokens=900)
    start = "llmbench: 0 generated, 0 graded of 10"
    assert said(120, now=now, left_s=40) == f"{start}; about 40 s left; asking 3 models (3 in flight); 15.0 tokens/s"
    assert said(75, now=now, left_s=40) == f"{start}; about 40 s left; 3 in flight"
    assert said(60, now=now, left_s=40) == f"{start}; about 40 s left"
    assert said(53, now=now, left_s=40) == f"{start}; 3 in flight"
    assert said(40, now=now, left_s=40) == start
    assert said(30, now=now, left_s=40) == "llmbench: 0 graded of 10"
    for columns in range(20, 150):
        line = said(columns, now=now, left_s=40)
        assert line.startswith("llmbench: 0 g")
        assert len(line) <= columns
        assert line.split()[-1] in {"generated,", "graded", "of", "10", "0", "left", "flight", "flight)", "tokens/s"}


def test_hours_and_nothing_left():
    assert said(left_s=59_760).endswith("about 16.6 h left")
    assert "left" not in said(left_s=0.2)


def test_the_longer_of_generation_and_grading_counts():
    paces = (ModelPace("a", 3, recent_s=(10,)),)
    assert time_left_s(progress(paces=paces), None) == 30
    assert time_left_s(progress(paces=paces), 80) == 80
    assert time_left_s(progress(), 80) is None
    assert time_left_s(progress(answered=10), 7) == 7
