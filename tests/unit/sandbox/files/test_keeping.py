"""What a command made and its task names is carried back; nothing else is, and nothing over a link."""

import os
import socket

import pytest

from pytest_llmbench.errors import TaskError
from pytest_llmbench.sandbox.files import keeping
from pytest_llmbench.sandbox.files.keeping import carry_back
from pytest_llmbench.sandbox.files.rmtree import remove_tree
from pytest_llmbench.schema.execution import Limits


@pytest.fixture
def bed(tmp_path):
    folder = tmp_path / "bed"
    folder.mkdir()
    return folder


def names_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (["out/a.txt"], ["out", "out/a.txt"]),
        (["out"], ["out", "out/a.txt", "out/b.js", "out/deep", "out/deep/c.js"]),
        (["out/*.js", "*/deep/?.js"], ["out", "out/b.js", "out/deep", "out/deep/c.js"]),
        (["no-such", "out/no-such/x", "top/x"], []),
    ],
)
def test_names_and_patterns(bed, workspace, names, kept):
    (bed / "out" / "deep").mkdir(parents=True)
    for name in ("out/a.txt", "out/b.js", "out/deep/c.js", "top"):
        (bed / name).write_text(name)
    assert carry_back(bed, workspace, names, Limits()) is None
    assert names_in(workspace) == kept
    assert all((workspace / name).read_text() == name for name in kept if (workspace / name).is_file())


def test_modes_and_times(bed, workspace):
    for name, mode in (("program", 0o6711), ("text", 0o666)):
        (bed / name).touch()
        (bed / name).chmod(mode)
        os.utime(bed / name, ns=(1, 1_000_000_001))
    (workspace / "text").write_text("old")
    carry_back(bed, workspace, ["*"], Limits())
    assert [oct((workspace / name).stat().st_mode & 0o7777) for name in ("program", "text")] == ["0o755", "0o644"]
    assert (workspace / "text").stat().st_mtime_ns == 1_000_000_001
    assert (workspace / "text").read_text() == ""


def test_nothing_but_files_and_folders(bed, workspace, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (bed / "link").symlink_to(tmp_path / "secret")
    (bed / "folder").symlink_to(tmp_path)
    (bed / "device").symlink_to("/dev/zero")
    os.mkfifo(bed / "fifo")
    here = os.open(bed, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{here}/socket")  # the whole path may be too long
    os.close(here)
    for name in (".git", "con", "new\nline", "back\\slash"):
        (bed / name).touch()
    carry_back(bed, workspace, ["*", "link", "folder/secret", "fifo"], Limits())
    assert names_in(workspace) == []


def test_locked_folders_are_opened_and_locked_files_left(bed, workspace):
    (bed / "out").mkdir()
    (bed / "out" / "open").touch()
    (bed / "out" / "closed").touch(mode=0)
    (bed / "out").chmod(0)
    bed.chmod(0)
    assert carry_back(bed, workspace, ["out"], Limits()) is None
    assert names_in(workspace) == ["out", *(["out/closed"] if os.geteuid() == 0 else []), "out/open"]


def test_a_link_that_we_laid_stays(bed, workspace, tmp_path):
    (tmp_path / "packages").mkdir()
    (workspace / "node_modules").symlink_to(tmp_path / "packages")
    (bed / "node_modules").mkdir()
    (bed / "node_modules" / "planted.js").touch()
    carry_back(bed, workspace, ["node_modules", "*/planted.js"], Limits())
    assert (workspace / "node_modules").is_symlink()
    assert list((tmp_path / "packages").iterdir()) == []


def test_files_and_folders_change_places(bed, workspace):
    (workspace / "a").mkdir()
    (workspace / "a" / "x").touch()
    (workspace / "b").touch()
    (bed / "a").write_text("a")
    (bed / "b").mkdir()
    carry_back(bed, workspace, ["a", "b"], Limits())
    assert (workspace / "a").read_text() == "a"
    assert (workspace / "b").is_dir()


def test_a_tree_without_end_is_not_followed(bed, workspace):
    folder = os.open(bed, os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    carry_back(bed, workspace, ["d"], Limits())
    remove_tree(bed)  # pytest could not
    assert 0 < len(names_in(workspace)) <= 20


@pytest.mark.parametrize(("limits", "hit"), [(Limits(disk_mb=1), "disk_mb"), (Limits(inodes=3), "inodes")])
def test_too_much_is_a_limit_and_keeps_nothing(bed, workspace, limits, hit):
    for number in range(4):
        with (bed / f"{number}").open("wb") as file:
            file.truncate(400_000)  # takes no room here, but would there
    assert carry_back(bed, workspace, ["*"], limits).limit == hit
    assert names_in(workspace) == []


def test_what_changes_meanwhile_is_not_copied(bed, workspace, monkeypatch):
    (bed / "file").write_text("x")
    place = keeping._place

    def late(*args):
        (bed / "file").write_text("x" * 100)
        place(*args)

    monkeypatch.setattr(keeping, "_place", late)
    with pytest.raises(keeping.SandboxError, match="changed after its program had ended"):
        carry_back(bed, workspace, ["file"], Limits())


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../../x", "a//b", ".git/config"])
def test_names_that_lead_elsewhere_are_the_tasks_error(sandbox, name):
    with pytest.raises(TaskError, match="cannot be kept"):
        sandbox.run(["true"], keep=[name])
