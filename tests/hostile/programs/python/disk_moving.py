# 640 MB behind folders that are moved about all the time, so that whoever looks for it loses the way.
#
# limits: file_mb=20 disk_mb=60
# hits: disk_mb
# holds: 300 MB

import os
import time

from attack import held, target

DECOYS = 30
for number in range(DECOYS):
    os.makedirs(f"decoy-{number}/a/" + "d/" * 40)
    os.mkdir(f"decoy-{number}/b")
for _ in range(2):
    if os.fork() == 0:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for number in range(DECOYS):
                try:
                    os.rename(f"decoy-{number}/a/d", f"decoy-{number}/b/d")
                    os.rename(f"decoy-{number}/b/d", f"decoy-{number}/a/d")
                except OSError:
                    pass
        os._exit(0)
time.sleep(0.1)
os.mkdir("data-" + target("TOKEN"))
for count in range(1, 41):
    with open(f"data-{target('TOKEN')}/{count}", "wb", 0) as file:
        file.write(b"x" * (16 << 20))
    held(16 * count)
    time.sleep(0.02)
time.sleep(20)
