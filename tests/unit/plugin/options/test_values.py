"""What an option's text may be."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.plugin.options.values import Value, number, params, percentage, suites
from pytest_llmbench.schema.settings import LoadedSuite


def given(text: str) -> dict[str, Value | None]:
    return {"it": Value(text, "--llm-it", from_ini=False)}


@pytest.mark.parametrize("text", ["5%", "%", "", "nan", "inf", "0", "-1", "five"])
def test_a_number_is_finite_above_its_bound_and_never_a_percentage(text: str) -> None:
    with pytest.raises(OptionError, match=r"--llm-it=.*: use a number above 0"):
        number(given(text), "it", above=0)


@pytest.mark.parametrize("text", ["101", "-1%", "nan", "", "%", "ten", "5%%"])
def test_a_percentage_lies_between_0_and_100(text: str) -> None:
    with pytest.raises(OptionError, match=r"--llm-it=.*: use a percentage from 0 to 100"):
        percentage(given(text), "it")


def test_what_is_accepted() -> None:
    assert number(given("2.5"), "it", above=0) == 2.5
    assert [percentage(given(text), "it") for text in ("0", "80", "80%", "100%")] == [0, 80, 80, 100]
    assert (number({"it": None}, "it", above=0), percentage({"it": None}, "it")) == (None, None)


def read_suites(text: str, *, from_ini: bool = False) -> tuple[tuple[str, ...], tuple[LoadedSuite, ...]]:
    config: Any = SimpleNamespace(rootpath=Path("/project"), invocation_params=SimpleNamespace(dir=Path("/here")))
    return suites({"suite": Value([text], "--llm-suite", from_ini=from_ini)}, config)


def test_suites_and_what_loaders_read() -> None:
    names, loaded = read_suites("six, rows:a/../b.jsonl,own,rows:/c:d")
    assert names == ("six", "own")
    assert loaded == (
        LoadedSuite("rows:a/../b.jsonl", "rows", Path("/here/b.jsonl")),
        LoadedSuite("rows:/c:d", "rows", Path("/c:d")),
    )
    assert read_suites("rows:a", from_ini=True)[1][0].path == Path("/project/a")
    assert len(read_suites("rows:a,rows:a")[1]) == 1


@pytest.mark.parametrize("text", [":a", "rows:", ":", "rows:a,rows:./a", "rows:a,other:a"])
def test_a_suite_has_a_loader_and_a_path_of_its_own(text: str) -> None:
    with pytest.raises(OptionError, match=r"^--llm-suite.*(needs text on both sides|are one path)"):
        read_suites(text)


def read_params(*texts: str) -> dict[str, Any]:
    return params({"param": Value([*texts], "--llm-param")}, "param")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('stop=["</s>","<|im_end|>"]', {"stop": ["</s>", "<|im_end|>"]}),
        ('stop=["]",",","}", "a=b"],top_k=40', {"stop": ["]", ",", "}", "a=b"], "top_k": 40}),
        ('chat_template_kwargs={"enable_thinking":false,"budget":1}',
         {"chat_template_kwargs": {"enable_thinking": False, "budget": 1}}),
        ('temperature=0.2, provider={"order": ["a", "b"], "sort": {"by": [1, 2]}} ,seed=1',
         {"temperature": 0.2, "provider": {"order": ["a", "b"], "sort": {"by": [1, 2]}}, "seed": 1}),
        ('logit_bias={"1":-5,"2":5}', {"logit_bias": {"1": -5, "2": 5}}),
        (r'stop="a\",b",x="\\",y=2', {"stop": 'a",b', "x": "\\", "y": 2}),
        ('stop=", "', {"stop": ", "}),
        ("stop=[INST],effort=high", {"stop": "[INST]", "effort": "high"}),
        ("stop=[,top_p=1", {"stop": "[", "top_p": 1}),
        ('stop=",top_p=1', {"stop": '"', "top_p": 1}),
        ("stop=],top_p=1", {"stop": "]", "top_p": 1}),
        ("stop=\\", {"stop": "\\"}),
    ],
)  # fmt: skip
def test_commas_in_json_separate_no_parameters(text: str, expected: dict[str, Any]) -> None:
    assert read_params(text) == expected


def test_parameters_given_several_times_are_joined() -> None:
    assert read_params('a=[1,2],b="x"', "c={}") == {"a": [1, 2], "b": "x", "c": {}}


@pytest.mark.parametrize("text", ["stop=[</s>,<|im_end|>]", "k={enable_thinking:false}", "k={'a':1}", 'k={"a":1'])
def test_what_is_meant_as_json_must_be_valid(text: str) -> None:
    with pytest.raises(OptionError, match=r"^--llm-param=\w+=.*not valid JSON .*single quotes"):
        read_params(text)


@pytest.mark.parametrize("text", ["", "a", "=1", "a=1,", 'a=[1,2],"b"', ",a=1"])
def test_a_parameter_is_a_key_and_a_value(text: str) -> None:
    with pytest.raises(OptionError, match="write KEY=VALUE"):
        read_params(text)


def test_a_parameter_is_given_once() -> None:
    with pytest.raises(OptionError, match="'a' is given twice"):
        read_params("a=1", "b=2,a=[1,2]")
