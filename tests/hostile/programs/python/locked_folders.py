# Leaves folders that nobody may list, enter or change, and files that nobody may read: they must be removable.

import os

from attack import done

for name in ("locked", "locked/inner", "read-only", "no-entry", "sticky"):
    os.mkdir(name)
    with open(f"{name}/file", "w") as file:
        file.write("x")
    os.chmod(f"{name}/file", 0)
os.chmod("locked/inner", 0)
os.chmod("locked", 0)
os.chmod("read-only", 0o500)
os.chmod("no-entry", 0o600)
os.chmod("sticky", 0o1111)
os.chmod(".", 0)
done()
