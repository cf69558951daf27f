# Fills message queues, System V's and POSIX's, which are the kernel's memory: 400 MB at most.
#
# limits: memory_mb=100
# hits: memory_mb or nothing
# holds: 100 MB

import ctypes
import time

from attack import LIBC, done, held

IPC_CREAT, IPC_NOWAIT, O_CREAT, O_RDWR, O_NONBLOCK = 0o1000, 0o4000, 0o100, 2, 0o4000
message = (ctypes.c_long * 1024)(1)
total = 0
for _ in range(25_000):
    queue = LIBC.msgget(0, IPC_CREAT | 0o600)
    if queue < 0:
        print("refused: System V", ctypes.get_errno())
        break
    while LIBC.msgsnd(queue, message, ctypes.c_size_t(8000), IPC_NOWAIT) == 0:
        total += 8000
held(total >> 20)
for number in range(250):
    queue = LIBC.mq_open(f"/queue-{number}".encode(), O_CREAT | O_RDWR | O_NONBLOCK, 0o600, None)
    if queue < 0:
        print("refused: POSIX", number, ctypes.get_errno())
        break
    while LIBC.mq_send(queue, message, ctypes.c_size_t(8000), 0) == 0:
        total += 8000
held(total >> 20)
time.sleep(0.2)
done()
