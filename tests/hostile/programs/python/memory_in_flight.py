# Writes 1 GB into memory files whose descriptors were sent over a socket and not received: no process has them open.
#
# limits: memory_mb=200 file_mb=20
# hits: memory_mb or disk_mb or nothing
# holds: 600 MB

import os
import socket
import time

from attack import done, held

left, right = socket.socketpair()
try:
    for count in range(1, 65):
        file = os.memfd_create("hidden")
        os.write(file, b"x" * (16 << 20))
        socket.send_fds(left, [b"x"], [file])
        os.close(file)
        held(16 * count)
        time.sleep(0.005)
except OSError as error:
    print("refused:", error)
else:
    time.sleep(20)
done()
