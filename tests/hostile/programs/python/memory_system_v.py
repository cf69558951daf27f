# Takes 1 GB of System V shared memory, which outlives the process that made it.
#
# limits: memory_mb=200
# hits: memory_mb or nothing
# holds: 600 MB

import ctypes
import os
import time

from attack import LIBC, done, held

LIBC.shmat.restype = ctypes.c_void_p
IPC_CREAT, IPC_PRIVATE = 0o1000, 0
try:
    for count in range(1, 65):
        segment = LIBC.shmget(IPC_PRIVATE, ctypes.c_size_t(16 << 20), IPC_CREAT | 0o666)
        if segment < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        address = LIBC.shmat(segment, None, 0)
        ctypes.memset(address, 120, 16 << 20)
        LIBC.shmdt(ctypes.c_void_p(address))
        held(16 * count)
except OSError as error:
    print("refused:", error)
else:
    time.sleep(20)
done()
