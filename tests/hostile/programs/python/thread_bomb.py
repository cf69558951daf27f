# Starts 256 threads.
#
# limits: processes=50
# hits: processes
# at most: 80 processes

import contextlib
import threading
import time

import attack  # noqa: F401 - ends after a minute whatever happens

for _ in range(256):
    with contextlib.suppress(RuntimeError):
        threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
time.sleep(20)
