# 20,000 hard links and files in folders that nobody may list or enter.
#
# limits: inodes=1000
# hits: inodes
# leaves: 12000 files

import os
import time

import attack  # noqa: F401 - ends after a minute whatever happens

for folder in range(200):
    os.mkdir(f"folder-{folder}")
    open(f"folder-{folder}/file", "w").close()
    for count in range(100):
        os.mknod(f"folder-{folder}/{count}")
    os.chmod(f"folder-{folder}", 0)
    time.sleep(0.005)
time.sleep(20)
