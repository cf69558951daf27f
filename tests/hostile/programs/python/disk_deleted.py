# 640 MB in files of the workspace that are deleted, or never had a name, but are open.
#
# limits: file_mb=20 disk_mb=60
# hits: disk_mb
# holds: 300 MB

import os
import time

from attack import held

files = []
for count in range(1, 41):
    if count % 2:
        files.append(os.open(".", os.O_TMPFILE | os.O_WRONLY))
    else:
        files.append(os.open("file", os.O_CREAT | os.O_WRONLY))
        os.unlink("file")
    os.write(files[-1], b"x" * (16 << 20))
    held(16 * count)
    time.sleep(0.01)
time.sleep(20)
