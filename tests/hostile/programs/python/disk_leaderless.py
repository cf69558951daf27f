# 640 MB in files that are deleted, but open in a process whose main thread has ended: its list of open files is empty.
#
# limits: file_mb=20 disk_mb=60
# hits: disk_mb
# holds: 300 MB

import ctypes
import os
import platform
import threading
import time

from attack import LIBC, held

EXIT = {"x86_64": 60, "aarch64": 93}[platform.machine()]


def take():
    time.sleep(0.1)
    for count in range(1, 41):
        file = os.open("file", os.O_CREAT | os.O_WRONLY)
        os.unlink("file")
        os.write(file, b"x" * (16 << 20))
        held(16 * count)
        time.sleep(0.01)
    time.sleep(20)


threading.Thread(target=take).start()
LIBC.syscall(ctypes.c_long(EXIT), ctypes.c_long(0))
