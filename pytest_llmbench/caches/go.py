"""Go's standard library, compiled once: a build of any small program would else take half a minute of CPU time.

The entry has a ``GOCACHE`` (https://pkg.go.dev/cmd/go#hdr-Build_and_test_caching), and links to all of it. Go refuses
one that it cannot write to, and each command writes to a view of its own: ``go test`` runs the code that it compiled.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from pytest_llmbench.caches.command import run_tool
from pytest_llmbench.caches.overlay import link_tree
from pytest_llmbench.caches.store import Entry, base_folder, digest
from pytest_llmbench.schema.execution import Seed, Toolchain

_LAST_TIDIED = "trim.txt"
"""When Go last threw away what had not been used for days. The name and content are Go's, a time in seconds."""
_FILES, _LINKS = "files", "links"
_PUBLIC = '{{if and (ne .Name "main") .GoFiles}}{{.ImportPath}}{{end}}'


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
        (module / "go.mod").write_text("module everything\n\ngo 1.22\n")
        (module / "everything.go").write_text(f"package everything\n\nimport (\n{imports})\n")
        (module / "everything_test.go").write_text(
            'package everything\n\nimport "testing"\n\nfunc TestNothing(t *testing.T) {}\n'
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
    # Now, whenever the entry was made: Go would else find nothing used of late, and empty the view.
    tidied = (_LAST_TIDIED, str(int(time.time())))
    seed = Seed(cache / _LINKS, variable="GOCACHE", files=(tidied,))
    return replace(go, mounts=(*go.mounts, cache), seeds=(*go.seeds, seed))
