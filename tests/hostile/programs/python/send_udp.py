# Sends datagrams to a service of this machine, by broadcast and by DNS.

import contextlib
import socket

from attack import done, target

for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.sendto(b"hello", (host, int(target("UDP"))))
with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sender.sendto(b"hello", ("255.255.255.255", int(target("UDP"))))
with contextlib.suppress(OSError):
    print("GOT THROUGH: name resolved:", socket.gethostbyname("secret.example.com"))
done()
