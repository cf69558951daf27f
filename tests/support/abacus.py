"""Abacus, a language that does not exist: all that a toolchain can have, in one file."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from pytest_llmbench.schema.execution import Seed, Toolchain
from pytest_llmbench.toolchains.base import Cache, Manifest, Run, ToolchainSupport
from pytest_llmbench.toolchains.caches.store import Entry, digest
from pytest_llmbench.toolchains.machine import ask, numbers

PROGRAM = """#!/bin/sh
case "$1" in
    about) echo "Abacus 10.2";;
    string) cp beads strung;;
esac
"""


class Abacus(ToolchainSupport):
    """A program, packages that are fetched, and something that is built of them in a sandbox."""

    name = "abacus"
    hint = "install Abacus from https://abacus.example"
    programs = ("abacus", "soroban")
    version_argument = "about"
    minimum_in_image = (10,)
    env = (("ABACUS_BEADS", "ten"),)
    manifest = Manifest("abacus", "Beadfile", "Beadfile.lock", "abacus lock")

    def find(self, path: str) -> Toolchain | None:
        """The one on the PATH."""
        program = shutil.which("abacus", path=path)
        version = ask([program, "about"], path).removeprefix("Abacus ") if program else ""
        if program is None or not numbers(version):
            return None
        return Toolchain(self.name, Path(program), version, (Path(program).parent,), self.env)

    def to_fetch(self, toolchain: Toolchain, dependencies: Path) -> Cache:
        """The beads."""

        def fill(new: Path, _run: Run) -> None:
            shutil.copyfile(dependencies / "Beadfile.lock", new / "beads")

        return Cache(self._entry("beads", dependencies), "fetching beads", fill)

    def to_build(self, toolchain: Toolchain, dependencies: Path | None) -> Cache | None:
        """The beads on a string."""
        if dependencies is None:
            return None
        fetched = self.to_fetch(toolchain, dependencies).entry.path

        def fill(new: Path, run: Run) -> None:
            shutil.copyfile(fetched / "beads", new / "beads")
            assert run(new, toolchain, ("abacus", "string"), keep=("strung",)).ok

        return Cache(self._entry("strung", dependencies), "stringing beads", fill)

    def equip(self, toolchain: Toolchain, dependencies: Path | None, workspace: Path) -> list[Toolchain]:
        """Abacus with the string."""
        cache = self.to_build(toolchain, dependencies)
        return [replace(toolchain, seeds=(Seed(cache.entry.path, place="string"),)) if cache else toolchain]

    def _entry(self, what: str, dependencies: Path) -> Entry:
        return Entry(f"abacus-{what}-{digest((dependencies / 'Beadfile.lock').read_bytes())}")
