# Takes 1 GB of shared memory, which the kernel's limit on a process's data does not count.
#
# limits: memory_mb=200
# hits: memory_mb
# holds: 600 MB

import mmap
import time

from attack import held

blocks = []
for count in range(1, 65):
    block = mmap.mmap(-1, 16 << 20)
    block.write(b"x" * (16 << 20))
    blocks.append(block)
    held(16 * count)
time.sleep(20)
