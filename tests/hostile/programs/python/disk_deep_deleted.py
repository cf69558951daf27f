# 640 MB in files that are deleted, but open, and lay so deep that the kernel cannot write down their paths.
#
# limits: file_mb=20 disk_mb=60
# hits: disk_mb
# holds: 300 MB

import os
import time

from attack import held

for _ in range(30):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
for count in range(1, 41):
    file = os.open("file", os.O_CREAT | os.O_WRONLY)
    os.unlink("file")
    os.write(file, b"x" * (16 << 20))
    held(16 * count)
    time.sleep(0.01)
time.sleep(20)
