# Reads every descriptor that it may have inherited, and reopens each through /proc.

import os

from attack import done, look, read

for number in list(range(3, 300)) + [int(name) for name in os.listdir("/proc/self/fd")]:
    if number > 2:
        look(f"descriptor {number}", lambda: os.pread(number, 1 << 16, 0))
        look(f"/proc/self/fd/{number}", lambda: read(f"/proc/self/fd/{number}"))
        look(f"/dev/fd/{number}", lambda: read(f"/dev/fd/{number}"))
for pid in (1, os.getppid()):
    for number in range(300):
        if os.path.lexists(f"/proc/{pid}/fd/{number}") and number > 2:
            look(f"/proc/{pid}/fd/{number}", lambda: read(f"/proc/{pid}/fd/{number}"))
done()
