# Eight processes take 100 MB each, in a thread that goes on after the main thread ended: what the kernel then tells of
# the process itself is empty.
#
# limits: memory_mb=150
# hits: memory_mb
# at most: 1000 MB

import ctypes
import os
import platform
import threading
import time

from attack import LIBC

EXIT = {"x86_64": 60, "aarch64": 93}[platform.machine()]
kept = []


def take():
    time.sleep(0.1)
    for _ in range(10):
        kept.append(b"x" * (10 << 20))
        time.sleep(0.005)
    time.sleep(20)


for _ in range(7):
    if os.fork() == 0:
        break
threading.Thread(target=take).start()
LIBC.syscall(ctypes.c_long(EXIT), ctypes.c_long(0))
