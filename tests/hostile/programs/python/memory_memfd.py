# Writes 1 GB into memory files that are never mapped, so that they are nobody's resident memory.
#
# limits: memory_mb=200
# hits: memory_mb or disk_mb or nothing
# holds: 600 MB

import os
import time

from attack import done, held

files = []
try:
    for count in range(1, 65):
        files.append(os.memfd_create("hidden"))
        os.write(files[-1], b"x" * (16 << 20))
        held(16 * count)
        time.sleep(0.005)
except OSError as error:
    print("refused:", error)
else:
    time.sleep(20)
done()
