# Fills /tmp and /dev/shm with 1 GB in files that are deleted, but open.
#
# limits: memory_mb=200 disk_mb=100
# hits: disk_mb or memory_mb
# holds: 400 MB

import contextlib
import os
import time

from attack import held, target

total, files = 0, []
for count in range(64):
    for folder in ("/tmp", "/dev/shm"):
        name = f"{folder}/{target('TOKEN')}-{count}"
        with contextlib.suppress(OSError):
            file = open(name, "wb", 0)
            os.unlink(name)
            files.append(file)
            total += file.write(b"x" * (16 << 20)) >> 20
            held(total)
    if total >= 1000:
        break
time.sleep(20)
