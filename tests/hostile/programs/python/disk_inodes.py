# 20,000 empty files in folders.
#
# limits: inodes=1000
# hits: inodes
# leaves: 12000 files

import os
import time

import attack  # noqa: F401 - ends after a minute whatever happens

for folder in range(200):
    os.mkdir(f"folder-{folder}")
    for count in range(100):
        os.close(os.open(f"folder-{folder}/{count}", os.O_CREAT | os.O_WRONLY))
    time.sleep(0.005)
time.sleep(20)
