# Children in sessions of their own write without end after their parent ended.
#
# limits: output_bytes=100000
# hits: output_bytes or nothing

import os

from attack import done

for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        while True:
            os.write(1, b"x" * 65536)
done()
