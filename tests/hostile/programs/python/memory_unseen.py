# Takes 1 GB of shared memory and lets go of the pages, but not of the memory: then they are resident in no process.
#
# limits: memory_mb=200
# hits: memory_mb
# holds: 600 MB

import mmap
import time

from attack import held

blocks = []
for count in range(1, 129):
    block = mmap.mmap(-1, 8 << 20)
    block.write(b"x" * (8 << 20))
    block.madvise(mmap.MADV_DONTNEED)
    blocks.append(block)
    held(8 * count)
    time.sleep(0.002)
time.sleep(20)
