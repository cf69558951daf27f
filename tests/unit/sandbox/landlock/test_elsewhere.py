"""Landlock where it is meant for: without root, and where namespaces and mounts are forbidden."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.as_user import UID, pytest_elsewhere

from pytest_llmbench.sandbox.kernel.seccomp import LOOPBACK_FAMILIES, filter_program

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs root, to become somebody else"
)

PROJECT = Path(__file__).parents[4]
HERE = Path(__file__).parent
DOCKERS = (
    "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,setfcap"
)
"""What root may do in a container of Docker's, unless more is asked for."""
SCRIPT = """
import ctypes, os, sys, tempfile
sys.path.insert(0, {project!r})
from pathlib import Path

def forbid():
    "As a container's own filter does: no namespaces, no mounts."
    code = {code!r}
    program = ctypes.create_string_buffer(code, len(code))
    class Filter(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.byref(Filter(len(code) // 8, ctypes.addressof(program)))) == 0

if {forbid}:
    forbid()

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.bubblewrap import Bubblewrap
from pytest_llmbench.sandbox.landlock.backend import Landlock
from pytest_llmbench.sandbox.self_test import prove
from pytest_llmbench.schema.execution import Limits

def tried(backend):
    "In a folder that is closed to others, as pytest's are."
    with tempfile.TemporaryDirectory() as above:
        workspace = Path(above, "workspace")
        workspace.mkdir()
        try:
            prove(backend(workspace), backend.name, isolated=True)
            own = "cd $WORKSPACE; echo x >a; touch a; chmod 700 a; cat $WORKSPACE/a"
            said = backend(workspace).run(["/bin/sh", "-c", own])
            bomb = "for i in $(seq 60); do sleep 30 & done; wait"
            hit = backend(workspace).run(["/bin/sh", "-c", bomb], Limits(processes=20)).limit_hit
            return f"{{said.exit_code}} {{said.stdout.split()[0]}} {{said.stderr}}{{hit.limit}}"
        except SandboxError as error:
            return str(error)

print("bubblewrap:", tried(Bubblewrap))
print("landlock:", tried(Landlock))
"""


def said(tmp_path, *, become=(), forbid=True):
    script = tmp_path / "script.py"
    code = filter_program(families=LOOPBACK_FAMILIES)
    script.write_text(SCRIPT.format(project=str(PROJECT), code=code, forbid=forbid))
    command, env = [*become, sys.executable, str(script)], os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=120)
    assert done.stderr == ""
    bubblewrap, landlock = done.stdout.split("landlock: ")
    return bubblewrap.removeprefix("bubblewrap: "), landlock


def test_it_works_where_bubblewrap_does_not(tmp_path):
    if not shutil.which("bwrap"):
        pytest.skip("no bubblewrap")
    bubblewrap, landlock = said(tmp_path)
    assert "bubblewrap failed" in bubblewrap
    assert landlock == "0 x processes\n"


@pytest.mark.parametrize("rights", [DOCKERS, f"{DOCKERS},dac_read_search"])
def test_it_works_with_the_few_rights_of_root_in_a_container(tmp_path, rights):
    assert said(tmp_path, become=bounded(rights))[1] == "0 x processes\n"


def test_root_that_cannot_let_a_program_into_its_folders_is_told_so(tmp_path):
    landlock = said(tmp_path, become=bounded("chown,fowner,kill,setgid,setuid,setpcap"))[1]
    assert "could not start the program: " in landlock
    assert "Permission denied" in landlock
    assert "move it to a place that everyone may enter, or run pytest as an ordinary user" in landlock


def test_root_that_may_not_end_its_programs_is_told_so(tmp_path):
    assert "lacks CAP_KILL" in said(tmp_path, become=bounded(DOCKERS.replace("kill,", "")))[1]


def bounded(rights):
    """The command that is root with a few rights."""
    if not shutil.which("setpriv"):
        pytest.skip("no setpriv")
    return ["setpriv", "--inh-caps=-all", f"--bounding-set=-all,+{rights.replace(',', ',+')}", "--"]


@pytest.mark.slow
def test_an_ordinary_user_gets_the_same(tmp_path):
    if not shutil.which("bwrap") or not shutil.which("setpriv"):
        pytest.skip("needs bwrap and setpriv, to show an ordinary user what it may see of a root's installation")
    modules = [str(HERE / f"test_{name}.py") for name in ("backend", "isolation")]
    done = pytest_elsewhere(tmp_path / "elsewhere", [*modules, "-q", "-rs"], uid=UID)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
