"""The files that keep pytest out of run folders are told from somebody's own of the same name."""

from __future__ import annotations

from pathlib import Path

from pytest_llmbench.store.guard import GUARDS, is_guard, write_guards
from pytest_llmbench.store.inspection import inspect
from pytest_llmbench.store.run_dir import RunDir


def test_a_run_of_ours_is_a_folder_like_any_other(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / ".llmbench")
    assert all(is_guard(run.path, name) for name in GUARDS)
    assert inspect(run).notes(run.path) == []


def test_what_has_the_guards_name_and_another_text_is_told_and_left_alone(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / ".llmbench")
    (run.path / "conftest.py").write_text("import os\n")
    write_guards(run.path)
    assert (run.path / "conftest.py").read_text() == "import os\n"
    assert inspect(run).odd == ("conftest.py",)
    (run.path / "files/m/t.1").mkdir(parents=True)
    (run.path / "files/m/t.1/conftest.py").write_text(GUARDS["conftest.py"])
    assert "files/m/t.1/conftest.py" in inspect(run).odd
