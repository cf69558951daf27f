# Ignores every signal that can be ignored, in a session of its own, and its children do so too.
#
# limits: wall_s=0.5
# hits: wall_s

import contextlib
import os
import signal
import time

for number in signal.valid_signals():
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_IGN)
with contextlib.suppress(OSError):
    os.setsid()
for _ in range(3):
    if os.fork() == 0:
        with contextlib.suppress(OSError):
            os.setsid()
        break
time.sleep(60)
