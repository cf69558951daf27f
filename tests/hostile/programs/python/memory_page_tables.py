# Takes 500 MB for page tables alone: reads one byte of every 2 MB of a huge mapping of nothing.
#
# limits: memory_mb=100
# hits: memory_mb
# holds: 350 MB

import mmap
import time

from attack import held

PIECE, MAP_NORESERVE = 8 << 30, 0x4000
kept = []
for count in range(1, 33):
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
    block = mmap.mmap(-1, PIECE, flags=flags, prot=mmap.PROT_READ)
    block.madvise(mmap.MADV_NOHUGEPAGE)
    for at in range(0, PIECE, 2 << 20):
        block[at]
    kept.append(block)
    held(16 * count)
    time.sleep(0.005)
time.sleep(20)
