# 640 MB in folders that nobody may list or enter.
#
# limits: file_mb=20 disk_mb=60
# hits: disk_mb
# leaves: 300 MB

import os
import time

import attack  # noqa: F401 - ends after a minute whatever happens

for count in range(40):
    os.makedirs(f"folder-{count}/inner")
    with open(f"folder-{count}/inner/big", "wb", 0) as file:
        file.write(b"x" * (16 << 20))
    os.chmod(f"folder-{count}/inner", 0)
    os.chmod(f"folder-{count}", 0)
    time.sleep(0.01)
time.sleep(20)
