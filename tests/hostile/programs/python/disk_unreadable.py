# 1000 MB in files that are deleted, but open in processes that nobody of their user may look into, for their program
# may be run and not read.
#
# limits: file_mb=20 disk_mb=60
# hits: disk_mb
# holds: 600 MB

import os
import shutil
import time

from attack import held, target

shutil.copy("/usr/bin/sleep", "sleeper")
os.chmod("sleeper", 0o111)
for count in range(1, 64):
    file = os.open("file", os.O_CREAT | os.O_WRONLY)
    os.unlink("file")
    os.write(file, b"x" * (16 << 20))
    if os.fork() == 0:
        os.set_inheritable(file, True)
        os.execv("./sleeper", ["sleeper", "20." + target("TOKEN")])
    time.sleep(0.01)
    os.close(file)
    held(16 * count)
time.sleep(20)
