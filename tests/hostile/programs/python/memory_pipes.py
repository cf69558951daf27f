# Fills pipes and socket buffers, which are the kernel's memory: 400 MB at most.
#
# limits: memory_mb=100 open_files=400
# hits: memory_mb or open_files or nothing
# holds: 300 MB

import contextlib
import fcntl
import os
import socket
import time

from attack import done, held

total, kept = 0, []
with contextlib.suppress(OSError):
    while total < 400 << 20:
        reading, writing = os.pipe()
        kept += [reading, writing]
        os.set_blocking(writing, False)
        with contextlib.suppress(OSError):
            fcntl.fcntl(writing, 1031, 1 << 20)  # F_SETPIPE_SZ
        with contextlib.suppress(BlockingIOError):
            total += os.write(writing, b"x" * (1 << 20))
        left, right = socket.socketpair()
        kept += [left, right]
        left.setblocking(False)
        left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
        with contextlib.suppress(BlockingIOError):
            while True:
                total += left.send(b"x" * (1 << 16))
        held(total >> 20)
held(total >> 20)
time.sleep(0.2)
done()
