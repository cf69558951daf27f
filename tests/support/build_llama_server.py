"""Builds llama-server from the sources in the package llama-cpp-python, once; prints the path of the program.

Needs cmake and a C++ compiler, and a quarter of an hour of CPU time. What it made is kept in the cache folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "0.3.36"
"""Its llama.cpp has the router mode. Other versions' sources may have other switches."""
OFF = ("LLAMA_BUILD_TESTS", "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_APP", "LLAMA_USE_PREBUILT_UI", "LLAMA_OPENSSL")


def program() -> Path:
    """Where it is, once built; the environment variable ``LLMBENCH_TEST_LLAMA_SERVER`` names another one."""
    if given := os.environ.get("LLMBENCH_TEST_LLAMA_SERVER"):
        return Path(given)
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "pytest-llmbench-tests"
    return cache / f"llama-server-{VERSION}" / "bin" / "llama-server"


def main() -> None:
    if not program().exists():
        build = program().parents[1]
        shutil.rmtree(build, ignore_errors=True)  # of a try that did not come to its end
        build.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=build.parent) as name:
            _build(Path(name), build)
    print(program())


def _build(sources: Path, build: Path) -> None:
    wanted = f"llama-cpp-python=={VERSION}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", sources]
    subprocess.run([*pip, wanted], check=True, stdout=sys.stderr)
    (archive,) = sources.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(sources, filter="data")
    (tree,) = sources.glob("*/vendor/llama.cpp")
    switches = ["-DCMAKE_BUILD_TYPE=Release", *(f"-D{name}=OFF" for name in OFF)]
    subprocess.run(["cmake", "-S", tree, "-B", build, *switches], check=True, stdout=sys.stderr)
    jobs = str(os.cpu_count() or 1)
    subprocess.run(["cmake", "--build", build, "--target", "llama-server", "-j", jobs], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    main()
