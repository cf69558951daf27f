# 640 MB in files that are deleted and closed, but mapped: no name and no descriptor leads to them.
#
# limits: file_mb=20 disk_mb=60
# hits: disk_mb or memory_mb
# holds: 300 MB

import mmap
import os
import time

from attack import held

kept = []
for count in range(1, 41):
    with open("file", "w+b", 0) as file:
        file.write(b"x" * (16 << 20))
        kept.append(mmap.mmap(file.fileno(), 4096))
    os.unlink("file")
    held(16 * count)
    time.sleep(0.01)
time.sleep(20)
