# 640 MB in deleted files whose descriptors were sent over a socket and not received: no process has them open.
#
# limits: file_mb=20 disk_mb=60
# hits: disk_mb or nothing
# holds: 300 MB

import os
import socket
import time

from attack import done, held

left, right = socket.socketpair()
try:
    for count in range(1, 41):
        file = os.open("file", os.O_CREAT | os.O_WRONLY)
        os.unlink("file")
        os.write(file, b"x" * (16 << 20))
        socket.send_fds(left, [b"x"], [file])
        os.close(file)
        held(16 * count)
        time.sleep(0.01)
except OSError as error:
    print("refused:", error)
else:
    time.sleep(20)
done()
