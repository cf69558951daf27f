# Leaves names of 255 bytes and folders 600 levels deep, far beyond the longest path: they must be removable.

import os

from attack import done

open("n" * 255, "w").close()
open("\N{GRINNING FACE}" * 63, "w").close()
base = os.open(".", os.O_RDONLY)
for depth in range(600):
    name = "d" * 200 if depth < 100 else "d"
    os.mkdir(name, dir_fd=base)
    deeper = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=base)
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=deeper))
    os.close(base)
    base = deeper
done()
