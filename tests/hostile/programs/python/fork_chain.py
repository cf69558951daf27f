# Burns CPU time in a chain of 200 short processes: each starts the next one and ends, so that none is there for long
# and none is waited for by the one that looks idle.
#
# limits: cpu_s=1 wall_s=5
# hits: cpu_s

import os
import time

import attack  # noqa: F401 - ends after a minute whatever happens

if os.fork():
    time.sleep(20)
    os._exit(0)
for _ in range(200):
    end = time.process_time() + 0.04
    while time.process_time() < end:
        pass
    if os.fork():
        os._exit(0)
