# Leaves a daemon behind: forked twice, in a session of its own, holding the output open.

import os
import signal
import time

from attack import done

if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
    os._exit(0)
os.wait()
done()
