# Double forks into sessions of their own, 200 processes at most, each without any descriptor.
#
# limits: processes=50
# hits: processes
# at most: 80 processes

import contextlib
import os
import time

import attack  # noqa: F401 - ends after a minute whatever happens

for _ in range(200):
    with contextlib.suppress(OSError):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.closerange(0, 1000)
                time.sleep(20)
            os._exit(0)
        os.wait()
time.sleep(20)
