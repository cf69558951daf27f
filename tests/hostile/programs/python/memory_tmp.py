# Fills /tmp, /dev/shm and /dev, which are memory where they are a sandbox's own, with 1 GB.
#
# limits: memory_mb=200 disk_mb=100
# hits: disk_mb or memory_mb
# holds: 400 MB

import contextlib
import time

from attack import held, target

total = 0
for count in range(64):
    for folder in ("/tmp", "/dev/shm", "/dev", "/run", "/var/tmp"):
        if total < 1000:
            with contextlib.suppress(OSError), open(f"{folder}/{target('TOKEN')}-{count}", "wb", 0) as file:
                total += file.write(b"x" * (16 << 20)) >> 20
                held(total)
time.sleep(20)
