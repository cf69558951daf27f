# 1000 MB in files that are deleted, but open in a process that forbids other processes of its user to look into it.
#
# limits: file_mb=20 disk_mb=60
# hits: disk_mb
# holds: 600 MB

import os
import time

from attack import LIBC, held

PR_SET_DUMPABLE = 4
LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
for count in range(1, 64):
    file = os.open("file", os.O_CREAT | os.O_WRONLY)
    os.unlink("file")
    os.write(file, b"x" * (16 << 20))
    held(16 * count)
    time.sleep(0.01)
time.sleep(20)
