# Leaves things that are no regular files where a grader looks for its results: links to the secret, a FIFO,
# a device, a socket, a folder.
#
# refuses: link, chain, up, inside/secret.txt, fifo, socket, folder, null, endless

import contextlib
import os
import socket
import stat

from attack import done, target

os.symlink(target("SECRET"), "link")
os.symlink("link", "chain")
os.symlink("../" * 30 + target("SECRET").lstrip("/"), "up")
os.symlink(os.path.dirname(target("SECRET")), "inside")
os.mkfifo("fifo")
socket.socket(socket.AF_UNIX).bind("socket")
os.mkdir("folder")
os.symlink("/dev/null", "null")
os.symlink("/dev/zero", "endless")
with contextlib.suppress(OSError):
    os.mknod("device", stat.S_IFCHR | 0o666, os.makedev(1, 5))
done()
