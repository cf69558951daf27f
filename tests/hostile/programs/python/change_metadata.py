# Changes modes, owners, times, attributes, names and lengths of the canary files, and removes them.

import contextlib
import os
import shutil

from attack import done, target

actions = [
    lambda name: os.chmod(name, 0o755),
    lambda name: os.chown(name, os.getuid(), os.getgid()),
    lambda name: os.utime(name, (1, 1)),
    lambda name: os.setxattr(name, "user.mark", b"1"),
    lambda name: os.truncate(name, 0),
    lambda name: os.rename(name, name + ".moved"),
    lambda name: os.unlink(name),
    lambda name: os.rmdir(name),
    lambda name: shutil.rmtree(name),
]
for name in (target("SECRET"), target("TESTS"), target("RESULTS"), target("FOLDER"), target("HOME")):
    for way in (name, "../" * 30 + name.lstrip("/"), f"/proc/1/root/{name}"):
        for action in actions:
            with contextlib.suppress(OSError):
                action(way)
for action in actions[:3]:
    with contextlib.suppress(OSError):
        action("/usr/bin/env")
done()
