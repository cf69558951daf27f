# Sixteen processes take 80 MB each, at the same moment: each alone is within the limit.
#
# limits: memory_mb=200
# hits: memory_mb
# at most: 700 MB

import os
import time

import attack  # noqa: F401 - ends after a minute whatever happens

for _ in range(15):
    if os.fork() == 0:
        break
blocks = [b"x" * (8 << 20) for _ in range(10)]
time.sleep(20)
