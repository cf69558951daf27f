# Connects to a service of this machine and to the world, although only loopback to itself was granted.
#
# loopback: yes

import socket

from attack import attempt, done, target


def say(address):
    with socket.create_connection(address, timeout=1) as connection:
        connection.sendall(b"hello")


for host in ("127.0.0.1", "localhost", "0.0.0.0"):
    attempt(host, lambda: say((host, int(target("TCP")))))
attempt("the world", lambda: say(("192.0.2.1", 80)))
attempt("a cloud's keys", lambda: say(("169.254.169.254", 80)))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.sendto(b"to itself at most", ("127.0.0.1", int(target("UDP"))))
attempt(
    "datagrams to the world", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53))
)
done()
