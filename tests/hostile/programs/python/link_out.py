# Brings the secret file into the workspace by hard link, by exchange and by symbolic link, and writes through them.

import contextlib
import os

from attack import done, look, read, target

for name in (target("SECRET"), target("TESTS"), target("RESULTS")):
    with contextlib.suppress(OSError):
        os.link(name, "hard")
    with contextlib.suppress(OSError):
        os.link(f"/proc/1/root/{name}", "hard")
    with contextlib.suppress(OSError):
        os.rename(name, "moved")
    os.symlink(name, "soft")
    for link in ("hard", "soft", "moved"):
        look(link, lambda: read(link))
        with contextlib.suppress(OSError), open(link, "r+") as file:
            file.write("overwritten")
        with contextlib.suppress(OSError):
            os.chmod(link, 0o777)
    os.unlink("soft")
done()
