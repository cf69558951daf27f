# Leaves a daemon behind whose environment, command line, name, group and working folder are changed.

import os
import time

from attack import done, target

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 300)
        os.chdir("/")
        os.execve("/usr/bin/sleep", ["kworker/0:0", "60." + target("TOKEN")], {})
    os._exit(0)
os.wait()
time.sleep(0.05)
done()
done()
