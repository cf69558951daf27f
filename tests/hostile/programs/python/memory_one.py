# One process takes 1 GB of its own.
#
# limits: memory_mb=150
# hits: memory_mb
# holds: 450 MB

import time

from attack import held

blocks = []
for count in range(1, 65):
    blocks.append(b"x" * (16 << 20))
    held(16 * count)
time.sleep(20)
