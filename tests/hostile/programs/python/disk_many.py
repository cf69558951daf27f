# Many files, each within the limit of one, 640 MB together.
#
# limits: file_mb=20 disk_mb=60
# hits: disk_mb
# leaves: 300 MB

import time

import attack  # noqa: F401 - ends after a minute whatever happens

for count in range(40):
    with open(f"big-{count}", "wb", 0) as file:
        file.write(b"x" * (16 << 20))
    time.sleep(0.01)
time.sleep(20)
