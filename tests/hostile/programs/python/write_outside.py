# Writes into the canary files and leaves files in every folder of the machine that it can name.

import contextlib
import os

from attack import done, target

token = target("TOKEN")
for name in (target("SECRET"), target("TESTS"), target("RESULTS"), target("SHARED"), target("HOME") + "/.bashrc"):
    for way in (name, "../" * 30 + name.lstrip("/"), f"/proc/1/root/{name}", f"/proc/{target('PID')}/root/{name}"):
        with contextlib.suppress(OSError), open(way, "r+") as file:
            file.write("overwritten")
        with contextlib.suppress(OSError), open(way, "a") as file:
            file.write("appended")
folders = ["/tmp", "/var/tmp", "/dev/shm", "/", "/usr", "/usr/bin", "/usr/lib", "/etc", "/run", "/dev", "/sys", "/var"]
folders += [target("HOME"), target("REAL_HOME"), target("FOLDER"), os.path.dirname(target("TESTS")), target("PYTHON")]
for folder in folders:
    for way in (
        folder,
        f"/proc/1/root/{folder}",
        "../" * 30 + folder.lstrip("/"),
        f"/proc/{target('PID')}/root{folder}",
    ):
        with contextlib.suppress(OSError), open(f"{way}/{token}.left", "w") as file:
            file.write("left")
        with contextlib.suppress(OSError):
            os.mkdir(f"{way}/{token}.folder")
done()
