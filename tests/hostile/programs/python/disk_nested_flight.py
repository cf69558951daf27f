# 513 MB in deleted files on their way over sockets that are themselves on their way: of each socket that a process has
# open, only a few descriptors are on their way.
#
# limits: file_mb=20 disk_mb=150
# hits: disk_mb or nothing

import os
import socket
import time

from attack import done, held

count = 0


def leaf():
    """A file that nobody has open."""
    global count
    file = os.open("file", os.O_CREAT | os.O_WRONLY)
    os.unlink("file")
    os.write(file, b"x" * (19 << 20))
    count += 1
    held(19 * count)
    return [file]


def nested(levels):
    """Both ends of a socket over which three things of the level below are on their way."""
    left, right = socket.socketpair()
    for _ in range(3):
        inner = nested(levels - 1) if levels else leaf()
        socket.send_fds(left, [b"x"], inner)
        for descriptor in inner:
            os.close(descriptor)
        time.sleep(0.01)
    return [left.detach(), right.detach()]


try:
    kept = nested(2)
except OSError as error:
    print("refused:", error)
else:
    time.sleep(20)
done()
