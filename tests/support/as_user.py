"""Running a pytest command in surroundings of its own: as an ordinary user, with other folders for temporary files.

Only root can become somebody else. bubblewrap lays the folders in place; unlike in a sandbox of ours everything else
stays as it is on the machine, and sandboxes inside work as they do outside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from support.compiled import FOLDER, folder_of_binaries

from pytest_llmbench import toolchains
from pytest_llmbench.sandbox.backend import SYSTEM_PATH

REPOSITORY = Path(__file__).parents[2]
UID = 54321
_OTHERS_MAY_ENTER = 0o001
_TEMPORARY = {"/tmp": "tmp", "/var/tmp": "var-tmp", "/dev/shm": "shm"}


def pytest_elsewhere(
    root: Path,
    arguments: Sequence[str],
    *,
    uid: int | None = None,
    alone: bool = False,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 600.0,
) -> subprocess.CompletedProcess[str]:
    """Run pytest with its home and the machine's temporary folders below ``root`` (``home``, ``tmp``, ``shm``...).

    ``uid``: the ordinary user to become, which is root's to ask. ``alone``: without sight of the machine's other
    processes, network and System V memory, for what may do harm. Mounts before and after are left in the home folder.
    """
    places = {name: root / name for name in ("home", *_TEMPORARY.values())}
    for place in places.values():
        place.mkdir(parents=True)
        place.chmod(0o700 if place.name == "home" else 0o1777)
        if uid is not None:
            os.chown(place, uid, uid)
    binds = [part for inside, name in _TEMPORARY.items() for part in ("--bind", str(places[name]), inside)]
    become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"] if uid is not None else []
    record = 'cat /proc/self/mountinfo >"$HOME/mounts-before"; "$@"; status=$?; '
    record += 'cat /proc/self/mountinfo >"$HOME/mounts-after"; exit $status'
    command = [
        *("bwrap", "--dev-bind", "/", "/", "--die-with-parent"),
        *(("--unshare-pid", "--unshare-net", "--unshare-ipc", "--proc", "/proc") if alone else ()),
        *binds,
        *_brought_along(),
        *(_opened() if uid is not None else ()),
        *("--bind", str(places["home"]), _home(uid), "--chdir", str(REPOSITORY)),
        *("--", *become, "sh", "-c", record, "sh"),
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments),
    ]
    return subprocess.run(
        command, env=_environment(uid) | dict(env or {}), capture_output=True, text=True, timeout=timeout_s, check=False
    )


def _home(uid: int | None) -> str:
    """A path outside of folders that are private to us."""
    return "/mnt" if uid is not None or os.geteuid() == 0 else str(Path.home())


def _environment(uid: int | None) -> dict[str, str]:
    """Ours without what belongs to our home or to this very pytest; compilers by their own paths."""
    found = [toolchain.executable.parent for name in _NAMES if (toolchain := toolchains.find(name))]
    kept = {name: value for name, value in os.environ.items() if name in ("LANG", "CI", "TERM")}
    return {
        **kept,
        "PATH": ":".join(dict.fromkeys([*map(str, found), *SYSTEM_PATH, "/usr/sbin", "/sbin"])),
        "HOME": _home(uid),
        "TMPDIR": "/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        FOLDER: str(folder_of_binaries()),
    }


_NAMES = ("python", "node", "go", "cargo")


def _needed() -> list[Path]:
    """Folders without which nothing runs."""
    needed = [REPOSITORY, Path(sys.prefix), Path(sys.base_prefix), folder_of_binaries()]
    for name in _NAMES:
        if toolchain := toolchains.find(name):
            needed += [toolchain.executable.parent.parent]
    if bwrap := shutil.which("bwrap"):
        needed += [Path(bwrap).resolve().parent]
    return list(dict.fromkeys(path.resolve() for path in needed))


def brought_along(root: Path) -> set[Path]:
    """Empty places in the temporary folders below ``root`` over which needed folders were shown."""
    return {
        root / name / path.relative_to(place).parts[0]
        for path in _needed()
        for place, name in _TEMPORARY.items()
        if path.is_relative_to(place)
    }


def _brought_along() -> list[str]:
    """Arguments that show those needed folders that lie in a temporary folder, which is replaced by an empty one."""
    arguments = []
    for path in _needed():
        hidden = next((Path(place) for place in _TEMPORARY if path.is_relative_to(place)), None)
        if hidden and path.exists():
            between = [above for above in reversed(path.parents) if above.is_relative_to(hidden) and above != hidden]
            for above in between:
                arguments += ["--perms", "0755", "--dir", str(above)]
            arguments += ["--ro-bind", str(path), str(path)]
    return arguments


def _opened() -> list[str]:
    """Arguments that show a user the few folders it needs of those that lie in other people's private folders."""
    closed: dict[Path, list[Path]] = {}
    for path in _needed():
        outermost = next((above for above in reversed(path.parents) if not _enterable(above)), None)
        if outermost:
            closed.setdefault(outermost, []).append(path)
    arguments = []
    for folder, inner in closed.items():
        arguments += ["--perms", "0755", "--tmpfs", str(folder)]
        between = {
            above for path in inner for above in path.parents if above.is_relative_to(folder) and above != folder
        }
        for above in sorted(between, key=lambda each: len(each.parts)):
            arguments += ["--perms", "0755", "--dir", str(above)]
        for path in sorted(inner, key=lambda each: len(each.parts)):
            arguments += ["--ro-bind", str(path), str(path)]
    return arguments


def _enterable(folder: Path) -> bool:
    return bool(folder.stat().st_mode & _OTHERS_MAY_ENTER)
