# Writes 1 GB into memory files of a process that forbids other processes of its user to look into it.
#
# limits: memory_mb=200
# hits: memory_mb or nothing
# holds: 600 MB

import os
import time

from attack import LIBC, done, held

PR_SET_DUMPABLE = 4
LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
try:
    for count in range(1, 65):
        os.write(os.memfd_create("hidden"), b"x" * (16 << 20))
        held(16 * count)
        time.sleep(0.005)
except OSError as error:
    print("refused:", error)
else:
    time.sleep(20)
done()
