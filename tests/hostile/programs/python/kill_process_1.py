# Kills, stops and hangs up its parents inside the sandbox and closes what it finds of their pipes.
#
# limits: wall_s=2
# hits: wall_s or nothing

import contextlib
import os
import signal

from attack import done

for pid in {1, os.getppid()}:
    if pid < 20:  # a process of the machine is none of the sandbox's own
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGCHLD, signal.SIGSEGV, signal.SIGKILL):
            with contextlib.suppress(OSError):
                os.kill(pid, number)
for number in range(3, 300):
    with contextlib.suppress(OSError):
        os.write(number, b'{ "exit-code": 0 }\n')
    with contextlib.suppress(OSError):
        os.close(number)
done()
