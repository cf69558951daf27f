"""The command line that runs one program in a container: all of the isolation is decided here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.container import init as container_init
from pytest_llmbench.sandbox.container.engine import Engine, Image
from pytest_llmbench.sandbox.files.unprivileged_user import Identity
from pytest_llmbench.sandbox.kernel.rlimits import prlimit_arguments
from pytest_llmbench.schema.execution import Limits

_HOSTS = Path(__file__).parents[1] / "etc" / "hosts"
_SHM_MB = 32
_SPARE_MB = 32
"""For process 1, and for what the kernel counts to a container beside its programs' memory."""
_SPARE_PROCESSES = 9
"""Process 1; and the kernel refuses a little later than the watchdog counts, so that the limit can be named."""
_LEAST_PROCESSES = 16
"""The runtime needs some threads itself until it has become process 1."""
_PROXIES = [f"{word}_PROXY" for word in ("HTTP", "HTTPS", "FTP", "ALL", "NO")]
"""Variables that docker else fills from its settings, where a password may stand."""
_ALWAYS = (
    *("--rm", "--pull", "never", "--log-driver", "none", "--no-healthcheck"),
    *("--network", "none", "--ipc", "private", "--hostname", "box", "--read-only"),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
)
_ONLY = {
    "podman": ("--read-only-tmpfs=false", "--http-proxy=false", "--no-hosts"),
    "docker": (
        *(f"--env={name}=" for word in _PROXIES for name in (word, word.lower())),
        *("--dns", "127.0.0.1", "--dns-search", "."),
    ),
}


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One container to be."""

    engine: Engine
    image: Image
    name: str
    mark: str
    """Of its process 1, see ``container_init``."""
    lifetime_s: int
    """When podman ends it, should we no longer be there to do so."""
    filter_file: Path
    """See ``container_filter``."""
    user: Identity | None
    """None: our own."""
    writable: Mapping[Path, str]
    """Folders outside, the workspace first, and their paths inside."""

    def command(self, launch: Launch) -> list[str]:
        """The whole command. Raises ``SandboxError`` for a path that cannot be shown."""
        podman = self.engine.flavour == "podman"
        return [
            *(self.engine.program, *(("--log-level", "error") if podman else ()), "run", "--name", self.name),
            *(*_ALWAYS, *_ONLY[self.engine.flavour], "--security-opt", f"seccomp={self.filter_file}"),
            *(("--timeout", str(self.lifetime_s)) if podman else ()),
            # The labels of our files would else forbid everything; the workspace is the only one to be written.
            *(("--security-opt", "label=disable") if self.engine.selinux else ()),
            *self._user(),
            *self._limits(launch.limits),
            *self._volatile(launch.limits),
            *self._binds(launch.mounts),
            *(f"--env={name}={value}" for name, value in {"HOME": "/tmp", "TMPDIR": "/tmp", **launch.env}.items()),  # noqa: S108
            *(("--interactive",) if launch.stdin else ()),
            *("--workdir", next(iter(self.writable.values())), "--entrypoint", container_init.SHELL, self.image.id),
            *container_init.arguments(self.mark, launch.command),
        ]

    def _user(self) -> list[str]:
        """Whoever may write to the workspace, and has no other rights."""
        if self.engine.rootless:
            # Inside a user namespace: by our own number, or by 0, which is us as well seen from outside.
            return ["--userns", "keep-id"] if self.engine.flavour == "podman" else ["--user", "0:0"]
        uid, gid = (self.user.uid, self.user.gid) if self.user else (os.getuid(), os.getgid())
        return ["--user", f"{uid}:{gid}"]

    def _limits(self, limits: Limits) -> list[str]:
        """The container's limits, and those of each process."""
        processes = max(limits.processes, _LEAST_PROCESSES) + _SPARE_PROCESSES
        # What lies in /tmp and in shared memory counts as the container's memory.
        memory = f"{limits.memory_mb + limits.disk_mb + _SHM_MB + _SPARE_MB}m"
        # A backstop to the container's own limit, which can be read. The kernel counts the processes of a user, which
        # may be ours, with hundreds of them outside.
        own = self.user is not None or self.engine.rootless
        each = dict(argument[2:].split("=") for argument in prlimit_arguments(limits, processes=False))
        each |= {"msgqueue": "0:0"} | ({"nproc": f"{processes + 1}:{processes + 1}"} if own else {})
        return [
            *("--pids-limit", str(processes), "--memory", memory, "--memory-swap", memory),
            *(f"--ulimit={name}={values}" for name, values in each.items()),
        ]

    def _volatile(self, limits: Limits) -> list[str]:
        """Folders that begin empty and end with the container."""
        # podman copies into the folder what the image has there.
        more = ",notmpcopyup" if self.engine.flavour == "podman" else ""
        return [
            *("--tmpfs", f"/tmp:rw,exec,nosuid,nodev,mode=1777,size={limits.disk_mb << 20}{more}"),  # noqa: S108
            *("--shm-size", f"{_SHM_MB}m"),
            # The runtime would make them writable, on our disk.
            *(part for volume in self.image.volumes for part in ("--tmpfs", f"{volume}:ro,size=64k")),
        ]

    def _binds(self, mounts: Mapping[Path, str]) -> list[str]:
        """What a program sees of this machine."""
        shown = {_HOSTS: "/etc/hosts", **mounts}
        options = [_bind(outside, inside) for outside, inside in self.writable.items()]
        options += [f"{_bind(outside, inside)},readonly" for outside, inside in shown.items()]
        return [part for option in options for part in ("--mount", option)]


def _bind(outside: Path, inside: str) -> str:
    for path in (str(outside), inside):
        if "," in path or '"' in path:
            msg = f"a container cannot be shown {path!r}: its name has a comma or a quotation mark"
            raise SandboxError(msg)
    return f"type=bind,source={outside},target={inside}"
