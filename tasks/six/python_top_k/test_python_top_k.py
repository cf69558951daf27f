"""The k most frequent integers: right for every list, in linear time, typed, and without side effects.

The questions are in ``cases.py``; ``probe.py`` watches how they are answered, ``visible.py`` tells whether it can, and
``reading.py`` reads the source. Here are the points.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import runpy
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from annotated_types import Interval
from typing_extensions import TypedDict

from pytest_llmbench import CallResult, Label, Limits, Sandbox, SourceFinder, checked, shortened

pytestmark = pytest.mark.llm_task(
    id="python-top-k", suite="six", points=20, floor=2, files=["top_k.py"], toolchains=["python"]
)
FILE = "top_k.py"
HERE = Path(__file__).parent
CASES, READING, VISIBLE = (
    SimpleNamespace(**runpy.run_path(str(HERE / name))) for name in ("cases.py", "reading.py", "visible.py")
)
Case, FUNCTION = CASES.Case, CASES.FUNCTION
PROBE = HERE / "probe.py"
OUTPUT_BYTES = 20_000_000
"""Room for a reply that prints a lot: that costs what printing costs, and nothing more."""
LARGE_CPU_S = 3.0
"""For the largest input: ten times what a plain solution takes, a fraction of what a quadratic one does."""
STEADY = 1.4
"""Growth of the work per element from 32 to 4096 distinct values, k = 1: linear ways stay below 1.2, sorts reach 2."""
HALF_STEADY = 2.7
"""The same from 64 to 1024 values, k = half of them: log k brings it to 1.8, a list kept in order to 3.5."""
EACH_STEADY = 2.2
"""The same from 8 to 64 distinct frequencies: sound ways stay below 1.6, a walk for each exceeds 2.5."""
MOST_WORK = 1e9
"""Far more than the probe's budget."""


# -- the answers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """A case and what the model's function gave."""

    case: Case
    result: CallResult

    @property
    def values(self) -> list[int]:
        """The returned list; a miss when it is no list of integers."""
        value = self.result.value
        assert self.result.outcome == "returned", str(self)
        assert type(value) is list, f"{self}: not a list"
        assert all(type(v) is int for v in value), f"{self}: not a list of integers"
        return value

    def __str__(self) -> str:
        result = self.result
        if result.outcome == "returned":
            return f"{self.case} returned {shortened(result.value)} ({result.type_name})"
        return f"{self.case} {result.outcome}: {shortened(result.message)} {result.type_name}".rstrip()


@pytest.fixture(scope="module")
def ordinary(sandbox: Sandbox) -> list[Answer]:
    """Lists of whole numbers from 0 on, and k from 1 to the number of distinct values."""
    return _ask(sandbox, CASES.ordinary_cases(), cpu_s=3)


@pytest.fixture(scope="module")
def special(sandbox: Sandbox) -> dict[str, list[Answer]]:
    """Negative and huge values and the edges of k: apart, for they may end the process."""
    groups = {"signed": CASES.signed_cases(), "edges": CASES.edge_cases(), "huge": CASES.huge_cases()}
    answers = iter(_ask(sandbox, list(itertools.chain(*groups.values())), cpu_s=1))
    return {name: list(itertools.islice(answers, len(cases))) for name, cases in groups.items()}


@pytest.fixture(scope="module")
def hidden(source: SourceFinder) -> Callable[[], list[Any]]:
    """Gives the parts of the source that could do something out of sight; none of it has run for that."""
    return cache(lambda: list(VISIBLE.hidden_parts(source(FILE).python)))


@pytest.fixture(scope="module")
def observed(sandbox: Sandbox, hidden: Callable[[], list[Any]]) -> Callable[[], dict[str, list[Answer]]]:
    """Gives what the probe saw of each group of cases; a miss when the code could hide from it."""

    @cache
    def answers() -> dict[str, list[Answer]]:
        groups = {"tiered": [CASES.tiered_case()], **CASES.growing_cases(), "broad": [CASES.broad_case()]}
        cases = list(itertools.chain(*groups.values()))
        found = iter(_ask(sandbox, cases, cpu_s=10, file=PROBE, function="observe", uncounted=groups["broad"]))
        return {name: list(itertools.islice(found, len(group))) for name, group in groups.items()}

    def seen() -> dict[str, list[Answer]]:
        for part in hidden():
            pytest.fail(str(part))
        return answers()

    return seen


# -- rubric: the values ----------------------------------------------------------------------------------------------


@pytest.mark.rubric("returns-k-values", points=2)
def test_returns_k_distinct_values_of_the_list(ordinary):
    """Every answer is a list of k different integers that occur in the input."""
    for answer in ordinary:
        assert len(set(answer.values)) == len(answer.values) == answer.case.k, f"{answer}: not {answer.case.k} values"
        strange = set(answer.values) - set(answer.case.nums)
        assert not len(strange), f"{answer}: {len(strange)} values that are not in the list"


@pytest.mark.rubric("most-frequent", points=3)
def test_chooses_the_most_frequent_values(ordinary):
    """Where frequencies alone decide, the chosen values are the most frequent ones."""
    _assert_chosen(answer for answer in ordinary if not answer.case.tied)


@pytest.mark.rubric("ties", points=3)
def test_ties_go_to_the_smaller_values(ordinary):
    """Where equally frequent values compete for the last places, the smaller ones are chosen."""
    _assert_chosen(answer for answer in ordinary if answer.case.tied)


@pytest.mark.rubric("any-integers", points=2)
def test_integers_of_any_sign_and_size(special):
    """Negative values and values beyond 64 bits are counted and chosen like any other."""
    _assert_chosen(special["signed"] + special["huge"])


@pytest.mark.rubric("edge-cases", points=1)
def test_empty_lists_and_any_k(special):
    """An empty list or k = 0 gives an empty list; too large a k gives every distinct value."""
    _assert_chosen(special["edges"])


@pytest.mark.rubric("right-values", cap=8)
def test_no_wrong_value_is_chosen(ordinary, special):
    """Wrong values for an ordinary list are a significant fault, however good the rest is."""
    _assert_chosen(ordinary + special["signed"])


# -- rubric: the order -----------------------------------------------------------------------------------------------


@pytest.mark.rubric("order", points=3)
def test_one_of_the_stated_orders(ordinary):
    """The list is by falling frequency or by rising value, the same for all calls."""
    not_falling = [a for a in ordinary if not _falling([a.case.counts.get(value, 0) for value in a.values])]
    not_rising = [a for a in ordinary if not _rising(a.values)]
    assert not (not_falling and not_rising), (
        f"{not_falling[0]}: not by falling frequency; {not_rising[0]}: not by rising value"
    )


@pytest.mark.rubric("order-of-ties", points=1)
def test_equally_frequent_values_rise(ordinary):
    """Equally frequent values stand in rising order, as both stated orders have it."""
    for answer in ordinary:
        groups: dict[int, list[int]] = {}
        for value in answer.values:
            groups.setdefault(answer.case.counts.get(value, 0), []).append(value)
        for count, group in groups.items():
            assert _rising(group), f"{answer}: {shortened(group)}, each {count} times, should rise"


# -- rubric: the speed -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sorts(observed):
    """Gives the cases whose sorts are looked at with what was seen; the many values of the second may be too many."""

    def both():
        [tiered], [broad] = observed()["tiered"], observed()["broad"]
        return [(tiered.case, _seen(tiered)), (broad.case, _report(broad))]

    return both


@pytest.mark.rubric("no-full-sort", cap=12)
def test_does_not_sort_every_value(sorts):
    """No sort gets all the distinct values, or a good part of them, whoever calls it."""
    for case, seen in sorts():
        distinct = len(case.counts)
        longest = max(seen["sorts"] + seen["inner"], default=0)
        assert longest < distinct / 2, f"a sort got {longest} elements of {distinct} values, k is {case.k}"


@pytest.mark.rubric("no-sort-calls", points=1)
def test_settles_everything_without_sorting(sorts):
    """No sort is called at all, but for the one that brings the chosen values into rising order.

    What a function of ``heapq`` sorts for its own ends does not count either, as long as it is no more than k values.
    """
    for case, seen in sorts():
        rest = Counter(seen["sorts"]) - Counter(seen["presented"])
        others = [size for size in rest if size > 1] + [size for size in seen["inner"] if size > case.k]
        assert not others, f"calls of a sort, of up to {max(others)} elements"


@pytest.mark.rubric("steady-work", cap=12)
def test_work_per_element_stays_level(observed):
    """Nothing is sorted in disguise: the work per element hardly grows with the number of values."""
    work = {name: _work_per_element(answers) for name, answers in observed().items() if name != "broad"}
    one = work["one of many"] / work["one of few"]
    half = work["half of many"] / work["half of few"]
    assert one <= STEADY, f"k = 1: {one:.2f} times the work per element for 128 times the values"
    assert half <= HALF_STEADY, f"k = half: {half:.2f} times the work per element for 16 times the values"
    each = work["many frequencies"] / work["few frequencies"]
    assert each <= EACH_STEADY, f"{each:.2f} times the work per element for 8 times the distinct frequencies"


@pytest.mark.rubric("large-input", cap=12)
def test_large_input_in_little_time(sandbox):
    """48,000 numbers are answered, with half of the values, within 3 seconds of CPU time."""
    _assert_chosen(_ask(sandbox, [Case(CASES.spread(32_000, 16_000, seed=3), 16_000)], cpu_s=LARGE_CPU_S))


# -- rubric: the rules -----------------------------------------------------------------------------------------------


@pytest.mark.rubric("no-counter", cap=2)
def test_counts_without_counter(source, hidden):
    """``Counter`` is neither imported nor used, under any name, and nothing is reached that is not named."""
    mention = next(READING.counter_mentions(source(FILE).python), None)
    assert mention is None, f"{FILE} line {mention.lineno}: {READING.written(mention)}"
    reaching = next((part for part in hidden() if part.reaches), None)
    assert reaching is None, f"{FILE} {reaching}"


@pytest.mark.rubric("type-hints", points=3)
def test_every_parameter_and_the_result_have_a_type(source):
    """The signature has a type hint for each parameter and for the returned value."""
    function = _definition(source(FILE).python)
    bare = [parameter.arg for parameter in READING.parameters(function) if parameter.annotation is None]
    assert not bare, f"no type hint for {', '.join(bare)}"
    assert function.returns is not None, "no type hint for the returned value"


@pytest.mark.rubric("element-types", points=1)
def test_hints_name_the_elements(source):
    """The hints of the list and of the result say what the elements are: ``list[int]``, not ``list``."""
    function = _definition(source(FILE).python)
    for hint in (*[parameter.annotation for parameter in READING.parameters(function)[:1]], function.returns):
        assert hint is not None, "a type hint is missing"
        assert READING.says_elements(hint), f"the hint {READING.written(hint)} does not say what the elements are"


@pytest.mark.rubric("input-untouched", penalty=5)
def test_input_is_left_alone(ordinary):
    """The list given is the same after the call."""
    for answer in ordinary:
        after = answer.result.args_after
        same = not after or after[0] == answer.case.nums
        assert same, f"{answer.case} changed its list to {shortened(after[0])}"


@pytest.mark.rubric("prints-nothing", penalty=5)
def test_prints_nothing(ordinary, sandbox):
    """Nothing goes to standard output, neither in a call nor on import."""
    for answer in ordinary:
        printed = len(answer.result.stdout)
        assert not printed, f"{answer.case} printed {shortened(answer.result.stdout)}"
    imported = sandbox.run(["python", "-c", f"import {Path(FILE).stem}"], Limits(cpu_s=2))
    printed = len(imported.stdout)
    assert not printed, f"importing {FILE} printed {shortened(imported.stdout)}"


# -- how answers are got and judged ------------------------------------------------------------------------------------


def _ask(
    sandbox: Sandbox,
    cases: list[Case],
    *,
    cpu_s: float,
    file: str | Path = FILE,
    function: str = FUNCTION,
    uncounted: Iterable[Case] = (),
) -> list[Answer]:
    """Call a function for each case, with a third argument for those whose lines are not to be counted."""
    limits = Limits(cpu_s=cpu_s, wall_s=2 * cpu_s, output_bytes=OUTPUT_BYTES)
    calls = [(case.nums, case.k, *([False] if case in uncounted else [])) for case in cases]
    results = sandbox.calls(file, function, calls, limits)
    return [Answer(case, result) for case, result in zip(cases, results, strict=True)]


def _assert_chosen(answers: Iterable[Answer]) -> None:
    """Every answer has exactly the right values, in any order."""
    for answer in answers:
        expected = answer.case.ranking[: answer.case.k]
        right = sorted(answer.values) == sorted(expected)  # not in the assertion, which would show all differences
        assert right, f"{answer}, right are {shortened(expected)} in either order"


def _falling(values: list[int]) -> bool:
    return all(a >= b for a, b in itertools.pairwise(values))


def _rising(values: list[int]) -> bool:
    return all(a < b for a, b in itertools.pairwise(values))


Size = Annotated[int, Interval(ge=0, lt=MOST_WORK)]


class Report(TypedDict):
    """What the probe saw: units of work, and how many elements sorts got."""

    finished: bool
    work: Annotated[float, Interval(ge=0, lt=MOST_WORK)]
    sorts: list[Size]
    presented: list[Size]
    inner: list[Size]


def _report(answer: Answer) -> Report:
    """What the probe says it saw; a miss when it says nothing of sense."""
    return checked(answer.result.value, Report, f"{answer}: no report of the probe")


def _seen(answer: Answer) -> Report:
    seen = _report(answer)
    assert seen["finished"], f"{answer.case} was given up after {seen['work']:.0f} units of work"
    return seen


def _work_per_element(answers: list[Answer]) -> float:
    work = sum(_seen(answer)["work"] for answer in answers)
    assert work > 0, f"{answers[0]}: no work was seen"
    return work / sum(len(answer.case.nums) for answer in answers)


# -- how the source is read --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def method_label(source: SourceFinder, label: Label) -> None:
    """How it chooses, for reports; nothing is said of what cannot be parsed."""
    with contextlib.suppress(pytest.fail.Exception):
        label("method", READING.method(source(FILE).python))


def _definition(tree: ast.Module) -> ast.FunctionDef:
    """The definition of the asked function; a miss when there is none."""
    function = READING.definition(tree, FUNCTION)
    assert function is not None, f"{FILE} defines no function {FUNCTION}"
    return function
