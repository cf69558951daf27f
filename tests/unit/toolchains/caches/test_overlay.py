"""A view can be written to; what it shows cannot."""

import os

import pytest

from pytest_llmbench.sandbox.files.bed import copy_tree
from pytest_llmbench.schema.execution import Toolchain
from pytest_llmbench.toolchains import go
from pytest_llmbench.toolchains.caches.overlay import link_tree, make_room

HOSTILE = """
import os, sys, itertools
cache, view = sys.argv[1:]
def all_of(root):
    return [os.path.join(folder, name) for folder, folders, files in os.walk(root) for name in [*folders, *files]]
below, shown = [cache, *all_of(cache)], all_of(view)
attacks = {
    "append": lambda p: open(p, "a").write("poison"),
    "overwrite": lambda p: open(p, "r+b").write(b"poison"),
    "truncate": lambda p: os.truncate(p, 0),
    "chmod": lambda p: os.chmod(p, 0o777),
    "chown": lambda p: os.chown(p, os.getuid(), os.getgid()),
    "touch": lambda p: os.utime(p, (0, 0)),
    "plant": lambda p: open(p + "/new", "w").write("poison"),
    "attribute": lambda p: os.setxattr(p, "user.x", b"y"),
    "move": lambda p: os.rename(p, p + ".moved"),
    "link": lambda p: os.link(p, view + "/hard"),
    "remove": os.unlink,
    "remove folder": os.rmdir,
    "swap": lambda p: (os.symlink("/etc", p + ".new"), os.replace(p + ".new", p)),
}
done = []
for (name, attack), path in itertools.product(attacks.items(), below):
    try:
        attack(path)
    except OSError:
        continue
    done.append((name, path))
for name in ("append", "overwrite", "truncate", "chmod", "touch", "swap"):
    for path in shown:
        try:
            attacks[name](path)
        except OSError:
            continue
for path in shown:
    if os.path.islink(path):
        os.unlink(path)
        open(path, "w").write("poison")
print(done)
"""


@pytest.fixture(params=["hard links", "another file system"])
def how(request, monkeypatch):
    """With hard links to links, and where there are none."""
    if request.param == "another file system":

        def refuse(*_args, **_kwargs):
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(os, "link", refuse)
    return request.param


def test_a_view_shows_everything_and_can_be_changed(tmp_path, how):
    below = tmp_path / "below"
    (below / "sub" / "deeper").mkdir(parents=True)
    (below / "sub" / "file").write_text("below")
    (below / "away").symlink_to("/etc")
    links, view = tmp_path / "links", tmp_path / "view"
    link_tree(below, links)
    view.mkdir()
    copy_tree(links, view)
    shared = (view / "sub" / "file").lstat().st_ino == (links / "sub" / "file").lstat().st_ino
    assert shared == (how == "hard links")
    assert (view / "sub" / "file").read_text() == "below"
    assert (view / "sub" / "deeper").is_dir()
    assert not (view / "sub").is_symlink()
    assert (view / "away").readlink() == below / "away"
    (view / "sub" / "file").unlink()
    (view / "sub" / "file").write_text("view")
    assert (below / "sub" / "file").read_text() == "below"
    assert (links / "sub" / "file").readlink() == below / "sub" / "file"


def test_room_is_made_without_following_links(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    (tmp_path / "link").symlink_to(kept)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    (tmp_path / "folder" / "link").symlink_to(kept)
    (tmp_path / "file").touch()
    for name in ("link", "folder", "file", "nothing"):
        make_room(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (kept / "file").exists()


def test_a_hostile_command_changes_nothing_for_the_next(own_cache, attempt, run, found, unchanged):
    """The program is another user where root tests, and the owner of all files where an ordinary user does."""

    def fill(folder):
        (folder / "files" / "00").mkdir(parents=True)
        (folder / "files" / "00" / "object").write_text("sound")
        (folder / "files" / "README").touch()
        go.finish(chain, folder)

    chain = Toolchain("go", found("python").executable, "1.22")
    entry = go.entry(chain)
    entry.make(fill)
    before = unchanged(own_cache)
    workspace = attempt(**{"attack.py": HOSTILE})
    tools = [found("python"), go.equip(chain)]
    attack = f'"$0" attack.py {entry.path} "$GOCACHE"; cat "$GOCACHE"/00/object'
    result = run(workspace, tools, "sh", "-c", attack, str(found("python").executable))
    assert (result.stdout, result.limit_hit) == ("[]\npoison", None), result
    assert unchanged(own_cache) == before
    assert run(workspace, tools, "sh", "-c", 'cat "$GOCACHE"/00/object').stdout == "sound"
