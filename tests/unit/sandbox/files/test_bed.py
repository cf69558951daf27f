"""Each command finds the workspace as the task laid it out, whatever the commands before it did."""

import os

import pytest

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.files.bed import made
from pytest_llmbench.schema.execution import Limits, Seed

HOSTILE = """
import os
for name in ("json.py", "package.json", ".npmrc", "go.work", "conftest.py"):
    open(name, "w").write("planted")
os.unlink("given"); os.rename("folder", "moved"); os.symlink("/etc", "link")
os.chmod(".", 0)
"""
LOOK = "import os; print(sorted(os.listdir('.')), open('given').read())"
SEEN = "['folder', 'given'] text\n"


@pytest.fixture(params=["bubblewrap", "landlock", "none"])
def each(request, make_sandbox, workspace):
    (workspace / "given").write_text("text")
    (workspace / "folder").mkdir()
    return make_sandbox(request.param)


def test_what_a_command_does_is_not_seen_by_the_next(each, workspace):
    def run(source, **options):
        return each.run(["python", "-S", "-c", source], **options)

    assert run(LOOK).stdout == SEEN
    assert run(HOSTILE).ok
    assert run(LOOK).stdout == SEEN
    assert run(HOSTILE, limits=Limits(disk_mb=1), keep=["folder", "go.work"]).ok
    assert sorted(path.name for path in workspace.iterdir()) == ["folder", "given", "go.work"]
    assert list(workspace.parent.iterdir()) == [workspace]


def test_calls_begin_anew_too(each, workspace):
    leaving = "import os\ndef f(x):\n    open('left', 'x')\n    x or os._exit(0)\n    return x\n"
    (workspace / "solution.py").write_text(leaving)
    results = each.calls("solution.py", "f", [[0], [1], [2]])
    assert [result.outcome for result in results] == ["died", "returned", "raised"]
    assert each.call("solution.py", "f", 1).value == 1


def test_the_path_is_the_same_each_time(workspace):
    with made(workspace) as first:
        with made(workspace) as second:
            assert first.top != second.top
        assert not second.top.exists()
    with made(workspace) as third:
        assert third.top == first.top


def test_caches_are_laid_over(workspace, tmp_path):
    cache = tmp_path / "cache"
    (cache / "sub").mkdir(parents=True)
    (cache / "sub" / "file").symlink_to("/etc/hosts")
    (cache / "time").write_text("old")
    (workspace / "target" / "sub").mkdir(parents=True)
    (workspace / "target" / "own").write_text("kept")
    seeds = [Seed(cache, place="target"), Seed(cache, variable="CACHE", files=(("time", "new"),))]
    with made(workspace, seeds) as bed:
        assert (bed.workspace / "target" / "own").read_text() == "kept"
        assert (bed.workspace / "target" / "sub" / "file").is_symlink()
        assert (bed.caches["CACHE"] / "time").read_text() == "new"
        (bed.caches["CACHE"] / "sub" / "file").unlink()
    assert (cache / "sub" / "file").is_symlink()
    assert (cache / "time").read_text() == "old"


def test_what_is_no_file_is_not_copied(workspace):
    os.mkfifo(workspace / "fifo")
    with pytest.raises(SandboxError, match="neither file, folder nor link"), made(workspace):
        pass
    assert list(workspace.parent.iterdir()) == [workspace]
