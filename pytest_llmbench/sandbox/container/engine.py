"""The command line of podman or docker: what it is, what images it has, and asking it to do things."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pytest_llmbench import clock
from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.supervise.process import ProcessExit, execute, kill_group
from pytest_llmbench.schema.execution import Limits

Runtime = Literal["podman", "docker"]
_PREFIX = "llmbench-"
"""Of all our containers' names; then the time (seconds since 1970) after which nobody waits for it any more."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where an image does not say it."""
INSTALL = {
    "podman": (
        "Install podman with: apt-get install podman (Debian, Ubuntu), dnf install podman (Fedora) or "
        "brew install podman (macOS, then: podman machine init, podman machine start)"
    ),
    "docker": "Install Docker as https://docs.docker.com/get-docker/ says, start it, and see that `docker info` works",
}
_PATIENCE = Limits(wall_s=60.0, cpu_s=60.0, memory_mb=4096, processes=1000, output_bytes=4_000_000)
"""For the command line itself, which is no program of a model: only that it does not hang for ever."""
_KEPT = ("HOME", "PATH", "LANG", "USER", "LOGNAME", "TMPDIR", "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK")
_KEPT_PREFIXES = ("XDG_", "DOCKER_", "CONTAINER_", "CONTAINERS_", "PODMAN_")


@dataclass(frozen=True, slots=True)
class Engine:
    """A container runtime that answers."""

    program: str
    flavour: Runtime
    """Whose options it understands: ``docker`` may be another name of podman."""
    version: str
    rootless: bool
    """Its containers run in a user namespace of the user's own."""
    selinux: bool

    def ask(self, *arguments: str) -> ProcessExit:
        """Run one subcommand. Raises ``SandboxError`` when it does not come to an end."""
        return _ask(self.program, arguments)

    def remove(self, name: str) -> None:
        """End and remove a container, if it exists."""
        # podman else waits ten seconds for process 1 to end by itself.
        self.ask("rm", "--force", *(("--time", "0") if self.flavour == "podman" else ()), name)

    def remove_forgotten(self) -> None:
        """Remove containers that outlived whoever started them: it was killed, or the machine was."""
        listed = self.ask("ps", "--all", "--filter", f"name={_PREFIX}", "--format", "{{.Names}}")
        for name in listed.stdout.decode(errors="replace").split():
            until = re.fullmatch(rf"{_PREFIX}(\d+)-[0-9a-f]+", name)
            if until and int(until[1]) < clock.wall():
                self.remove(name)


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is on this machine."""

    id: str
    """Of its content: what is run, even if its name comes to mean another one meanwhile."""
    volumes: tuple[str, ...]
    """Folders that the runtime would make writable."""
    path: str
    """Where its programs are looked for."""


def engine(runtime: Runtime) -> Engine:
    """The runtime behind the command ``runtime``; the answer is kept for this process.

    Raises ``SandboxError`` when it is missing or does not work.
    """
    program = shutil.which(runtime)
    if program is None:
        msg = f"{runtime} is not installed (no {runtime} on the PATH)"
        raise SandboxError(msg)
    return _engine(runtime, program)


@cache
def _engine(runtime: Runtime, program: str) -> Engine:
    info = _json(_ask(program, ("info", "--format", "{{json .}}")), f"{runtime} does not work")
    try:
        if "host" in info:
            security = info["host"]["security"]
            version, flags = info["version"]["Version"], (security["rootless"], security["selinuxEnabled"])
            return Engine(program, "podman", version, *flags)
        if info["DockerRootDir"].endswith("containers/storage"):
            msg = f"{runtime} speaks to podman here: ask for podman instead"
            raise SandboxError(msg)
        options = {option.split(",")[0] for option in info["SecurityOptions"] or ()}
        return Engine(program, "docker", info["ServerVersion"], "name=rootless" in options, "name=selinux" in options)
    except (KeyError, TypeError) as error:
        msg = f"{runtime} does not say what it is: its answer to `{runtime} info` lacks {error}"
        raise SandboxError(msg) from error


@cache
def image(runtime: Runtime, name: str) -> Image:
    """The image ``name``. Raises ``SandboxError`` when it is not on this machine: nothing is ever pulled."""
    answer = engine(runtime).ask("image", "inspect", name)
    found = _json(answer, f"the image {name!r} is not on this machine: get it with `{runtime} pull {name}`")
    if not isinstance(found, list) or not found or not isinstance(found[0].get("Id"), str):
        msg = f"{runtime} does not say what the image {name!r} is: see `{runtime} image inspect {name}`"
        raise SandboxError(msg)
    config = found[0].get("Config") or {}
    path = [entry.removeprefix("PATH=") for entry in config.get("Env") or () if entry.startswith("PATH=")]
    return Image(found[0]["Id"].removeprefix("sha256:"), tuple(config.get("Volumes") or ()), (path or [_PATH])[0])


def new_name(lifetime_s: int) -> str:
    """A name for a container that nobody waits for after ``lifetime_s`` from now."""
    return f"{_PREFIX}{int(clock.wall()) + lifetime_s}-{secrets.token_hex(8)}"


def environment() -> dict[str, str]:
    """What the command line needs of our environment to find its settings and its server: no key of ours."""
    return {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}


def _ask(program: str, arguments: Sequence[str]) -> ProcessExit:
    try:
        ended = execute([program, *arguments], env=environment(), limits=_PATIENCE, kill=kill_group)
    except OSError as error:
        msg = f"{program} could not be started: {error}"
        raise SandboxError(msg) from error
    if ended.limit_hit:
        msg = f"`{program} {arguments[0]}` did not come to an end: {ended.limit_hit}"
        raise SandboxError(msg)
    return ended


def _json(answer: ProcessExit, problem: str) -> Any:
    """The JSON value of an answer; raises ``SandboxError`` with ``problem`` when there is none."""
    try:
        if answer.status == 0:
            return json.loads(answer.stdout)
        said = answer.stderr.decode(errors="replace").strip()[-300:]
    except ValueError as error:
        said = f"{error}"
    msg = f"{problem} ({said})"
    raise SandboxError(msg)
