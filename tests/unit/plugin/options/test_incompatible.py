"""Ways of running that are refused. The plugins are not installed: what they declare is given as pytest would."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.plugin.options.incompatible import REFUSED, refuse_incompatible, refused_mark


def config(options: dict[str, object], ini: dict[str, object]) -> Any:
    def getini(name: str) -> object:
        if name not in ini:
            raise ValueError(name)
        return ini[name]

    return SimpleNamespace(getoption=lambda name, default=None: options.get(name, default), getini=getini)


@pytest.mark.parametrize("option", REFUSED)
def test_an_option_and_its_ini_key_are_refused_by_name(option: Any) -> None:
    for found in (config({option.name: 2}, {}), config({}, {option.name: "2"}), config({option.name: True}, {})):
        with pytest.raises(OptionError, match=f"^{option.name} would .*{option.flag}, or the ini {option.name}, away"):
            refuse_incompatible(found)


@pytest.mark.parametrize("value", [None, 0, "0", "", False, "false", "no", " off "])
def test_what_is_off_is_no_matter(value: object) -> None:
    refuse_incompatible(config({"retries": value, "forked": value}, {"retries": value, "reruns": value}))


def test_without_the_plugins_nothing_is_refused() -> None:
    refuse_incompatible(config({}, {}))


@pytest.mark.parametrize("name", ["flaky", "forked"])
def test_markers(name: str) -> None:
    mark = pytest.Mark(name, (), {}, _ispytest=True)
    found = refused_mark([pytest.mark.rubric.mark, mark], None)
    assert found is not None
    assert found[0] == name
    assert "Take the marker away" in found[1]


def test_the_decorator_of_flaky_leaves_attributes() -> None:
    def check() -> None: ...

    assert refused_mark([pytest.mark.rubric.mark], check) is None
    check._flaky_max_runs = 3  # type: ignore[attr-defined]
    assert (refused_mark([], check) or "")[0] == "flaky"
