# Doubles itself eight times: 256 processes, and no more.
#
# limits: processes=50
# hits: processes
# at most: 80 processes

import contextlib
import os
import time

import attack  # noqa: F401 - ends after a minute whatever happens

for _ in range(8):
    with contextlib.suppress(OSError):
        os.fork()
time.sleep(20)
