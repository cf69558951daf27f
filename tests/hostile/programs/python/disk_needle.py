# 640 MB in files that are deleted, but open, in the last of 40 processes that have 900 descriptors each.
#
# limits: file_mb=20 disk_mb=60
# hits: disk_mb
# holds: 400 MB

import os
import time

from attack import held

other = os.open("/dev/null", os.O_RDONLY)
for _ in range(900):
    os.dup(other)
for _ in range(39):
    if os.fork():
        time.sleep(20)
        os._exit(0)
for count in range(1, 41):
    file = os.open("file", os.O_CREAT | os.O_WRONLY)
    os.unlink("file")
    os.write(file, b"x" * (16 << 20))
    held(16 * count)
    time.sleep(0.02)
time.sleep(20)
