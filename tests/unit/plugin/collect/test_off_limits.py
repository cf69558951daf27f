"""Which folders pytest must not look into, told by their look and by the text of task modules."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.plugin.collect.keep_out import _holds_runs
from pytest_llmbench.plugin.collect.off_limits import OffLimits
from pytest_llmbench.store.guard import GUARDS, is_run_folder, write_guards
from pytest_llmbench.store.run_dir import RunDir

TASK = 'import pytest\npytestmark = pytest.mark.llm_task(id="slug", points=1, files=["slug.py", "src/a.py"]{more})\n'


def made(root: Path, *names: str, text: str = "") -> None:
    """Files; a name that ends in a slash is a folder."""
    for name in names:
        path = root / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_text(text)


def task(root: Path, name: str = "tasks/test_slug.py", more: str = ', prompt_text="x"') -> None:
    made(root, name, text=TASK.format(more=more))


def out(root: Path, *names: str, **more: object) -> list[str]:
    """Those of the names that are off limits."""
    limits = OffLimits(root, **more)  # type: ignore[arg-type]
    return [name for name in names if limits.why(root / name)]


def test_a_run_folder_is_known_by_its_look_wherever_it_lies(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / "results of mine")
    made(run.path, "run.json", "replies/m/slug.1.md", "files/m/slug.1/test_x.py")
    made(tmp_path, "tests/test_x.py", "runs/test_y.py", "run.json")
    below = str(run.path.relative_to(tmp_path))
    names = [below, f"{below}/conftest.py", f"{below}/files/m/slug.1/test_x.py", f"{below}/new/test_x.py"]
    assert out(tmp_path, *names, "tests/test_x.py", "runs/test_y.py", "run.json", ".") == names


def test_links_count_for_what_they_lead_to(tmp_path: Path) -> None:
    made(tmp_path, "shared/run.json", "shared/plan.json", "shared/files/test_x.py", "tests/")
    (tmp_path / "tests/folder").symlink_to("../shared")
    (tmp_path / "tests/deeper").symlink_to("../shared/files")
    (tmp_path / "tests/test_link.py").symlink_to("../shared/files/test_x.py")
    (tmp_path / "tests/again").symlink_to("deeper")
    (tmp_path / "tests/circle").symlink_to("circle")
    names = ["tests/folder/files/test_x.py", "tests/deeper/test_x.py", "tests/test_link.py", "tests/again/test_x.py"]
    assert out(tmp_path, *names, "tests/circle", "tests") == names


def test_a_folder_of_replies_is_off_limits_as_a_whole(tmp_path: Path) -> None:
    made(tmp_path, "replies/slug/", "replies/anything/conftest.py", "replies2/test_x.py")
    (tmp_path / "link").symlink_to("replies")
    names = ["replies", "replies/slug", "replies/anything/conftest.py", "link/slug"]
    for way in ("replies", "link", "./replies/../replies/"):
        assert out(tmp_path, *names, "replies2/test_x.py", "x", replies=[tmp_path / way]) == names


@pytest.mark.parametrize("folder", [".", "tasks", "sub/.."])
def test_a_folder_of_replies_that_holds_the_tests(tmp_path: Path, folder: str) -> None:
    """Off limits is there what is named after a task, as ``dir:`` looks for it."""
    made(tmp_path, "sub/")
    task(tmp_path)
    base = Path(folder)
    names = [str(base / name) for name in ("slug", "slug.1", "slug.12/a/test_x.py", "slug.2.turn3.md", "slug.md")]
    kept = [str(base / name) for name in ("slugs", "slug.x", "slug.py", "test_slug.py", "unit")]
    found = out(tmp_path, *names, *kept, replies=[tmp_path / folder], tests=[tmp_path / "tasks"])
    assert found == names


@pytest.mark.parametrize("more", ['id="a" + "b"', "**common"])
def test_where_tasks_have_no_plain_names_replies_need_a_folder_of_their_own(tmp_path: Path, more: str) -> None:
    made(tmp_path, "tasks/test_x.py", text=f"pytestmark = pytest.mark.llm_task({more})\n")
    with pytest.raises(OptionError, match=r"test_x\.py has no plain id=.*folder of their own"):
        OffLimits(tmp_path, replies=[tmp_path])
    OffLimits(tmp_path, replies=[tmp_path / "replies"])


def test_what_looks_like_a_reply_to_a_task_of_the_project(tmp_path: Path) -> None:
    task(tmp_path)
    made(tmp_path, "a/slug/slug.py", "b/c/slug.3/src/a.py", "b/slug/other.py", "tests/slug/test_slugs.py", "d/slug.py")
    assert out(tmp_path, "a/slug/slug.py", "b/c/slug.3", "b/slug", "tests/slug", "d") == [
        "a/slug/slug.py",
        "b/c/slug.3",
    ]
    assert out(tmp_path, "a/slug/slug.py", used=False) == []


def test_the_folder_of_a_task_itself_is_no_reply(tmp_path: Path) -> None:
    task(tmp_path, "slug/test_slug.py", ', data="."')
    made(tmp_path, "slug/slug.py")
    assert out(tmp_path, "slug", "slug/test_slug.py", "slug/slug.py") == []


DATA = {
    "beside": ("tasks/test_slug.py", "", "tasks/fixtures/slug"),
    "four above": ("a/b/c/d/test_slug.py", "", "fixtures/slug"),
    "beside the tasks": ("tasks/six/slug/test_slug.py", "", "fixtures/slug"),
    "named": ("tasks/test_slug.py", ', data="things"', "tasks/things"),
    "named elsewhere": ("tasks/test_slug.py", ', data="../things/slug"', "things/slug"),
    "said at run time": ("tasks/test_slug.py", ', data=PLACE + "/slug"', "tasks/things"),
}


@pytest.mark.parametrize("way", DATA)
@pytest.mark.parametrize("part", ["starter", "stub", "reference", "mutants", "dependencies"])
def test_a_data_folder_is_off_limits_as_a_whole(tmp_path: Path, way: str, part: str) -> None:
    module, more, data = DATA[way]
    task(tmp_path, module, more)
    made(tmp_path, f"{data}/{part}/test_x.py", f"{data}/conftest.py", f"{data}/new/x.py")
    names = [data, f"{data}/{part}/test_x.py", f"{data}/conftest.py", f"{data}/new/x.py"]
    assert out(tmp_path, *names, module, str(Path(data).parent)) == names


def test_beside_a_task_only_the_parts_of_its_data(tmp_path: Path) -> None:
    task(tmp_path, "slug/test_slug.py", ', data="."')
    made(tmp_path, "slug/starter/test_x.py", "slug/other/test_y.py", "slug/conftest.py", "slug/probe.py")
    names = ["slug/starter/test_x.py", "slug/starter"]
    assert out(tmp_path, *names, "slug/test_slug.py", "slug/other/test_y.py", "slug/conftest.py", "slug") == names
    limits = OffLimits(tmp_path)
    assert limits.is_probe(tmp_path / "slug/probe.py")
    assert not limits.is_probe(tmp_path / "slug/test_slug.py")
    assert not limits.is_probe(tmp_path / "slug/other/test_y.py")


def test_folders_with_such_names_and_no_task_are_ordinary(tmp_path: Path) -> None:
    task(tmp_path, more="")
    names = ["tests/reference/test_x.py", "tests/fixtures/other/starter/test_x.py", "reference", "fixtures/slugs/stub"]
    made(tmp_path, *names[:2], "reference/", "fixtures/slugs/stub/")
    assert out(tmp_path, *names) == []


@pytest.mark.parametrize(
    "text", ["def (llm_task", "\0llm_task", "(" * 5000 + "llm_task", "llm_task(id='\\d')", "llm_task()"]
)
def test_a_module_that_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    task(tmp_path, more="")
    made(tmp_path, "tasks/test_odd.py", text=text)
    made(tmp_path, "fixtures/slug/stub/")
    assert out(tmp_path, "fixtures/slug", "tasks") == ["fixtures/slug"]


def test_in_too_many_folders_the_look_of_one_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_llmbench.catalog.outline._MOST_FOLDERS", 3)
    made(tmp_path, "a/", "b/", "c/", "d/", "x/data/starter/", "x/data/reference/", "x/other/reference/")
    assert out(tmp_path, "x/data", "x/other") == ["x/data"]
    with pytest.raises(OptionError, match="too many folders"):
        OffLimits(tmp_path, replies=[tmp_path])


def test_folders_that_may_not_be_entered_are_left_to_pytest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an ordinary user beside somebody's database, say. Root, who runs most tests, may enter all."""
    task(tmp_path, more="")
    made(tmp_path, "closed/run.json", "closed/runs/", "fixtures/slug/stub/")
    look = os.stat

    def stat(path: Any, *rest: Any, **how: Any) -> os.stat_result:
        if str(path).startswith(f"{tmp_path}/closed/"):
            raise PermissionError(13, "Permission denied", path)
        return look(path, *rest, **how)

    monkeypatch.setattr(os, "stat", stat)
    assert out(tmp_path, "closed", "fixtures/slug") == ["fixtures/slug"]
    assert not _holds_runs(tmp_path / "closed")


def test_guards_replace_nothing_and_follow_no_link(tmp_path: Path) -> None:
    made(tmp_path, "run/", "target", text="mine")
    (tmp_path / "run/conftest.py").symlink_to("../target")
    (tmp_path / "run/pyvenv.cfg").symlink_to("../nothing")
    write_guards(tmp_path / "run")
    assert (tmp_path / "target").read_text() == "mine"
    assert not (tmp_path / "nothing").exists()
    run = RunDir.create(tmp_path / "base")
    assert {path.name: path.read_text() for path in run.path.iterdir()} == GUARDS
    assert not is_run_folder(run.path)


def test_what_lies_in_something_that_a_loader_reads(tmp_path: Path) -> None:
    made(tmp_path, "bank/tests/test_a.py", "bank/a/b/c.py", "rows.jsonl", "bank2/x.py")
    loaded = [tmp_path / "bank", tmp_path / "rows.jsonl"]
    inside = ["bank/tests", "bank/tests/test_a.py", "bank/a/b/c.py"]
    assert out(tmp_path, "bank", "rows.jsonl", "bank2", "bank2/x.py", *inside, loaded=loaded) == inside
    (tmp_path / "link").symlink_to(tmp_path / "bank")
    assert out(tmp_path, "link/tests", loaded=loaded) == ["link/tests"]


def test_replies_that_hold_the_project_and_a_loaders_tasks(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="a loader reads are not known yet"):
        OffLimits(tmp_path, [tmp_path], [tmp_path], loaded=[tmp_path / "rows.jsonl"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("probe.py", True),
        ("contest.py", True),
        ("latest_probe.py", True),
        ("test_notes.txt", True),
        ("prompt.md", True),
        ("inputs/deep/read.py", True),
        ("test_own.py", False),
        ("test_helpers.py", False),
        ("helpers_test.py", False),
        ("../app.py", False),
        ("../other/app.py", False),
    ],
)
def test_files_of_a_task_are_probes_unless_they_are_named_as_tests(tmp_path: Path, name: str, expected: bool) -> None:
    folder = tmp_path / "tasks/own"
    folder.mkdir(parents=True)
    (folder / "test_own.py").write_text('import pytest\npytestmark = pytest.mark.llm_task(id="own", files=["a.py"])\n')
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text("")
    assert OffLimits(tmp_path).is_probe(path) is expected


def test_a_task_at_the_root_does_not_own_the_project(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        'import pytest\npytestmark = pytest.mark.llm_task(id="own", files=["a.py"])\n'
    )
    (tmp_path / "src").mkdir()
    assert not OffLimits(tmp_path).is_probe(tmp_path / "src/app.py")
