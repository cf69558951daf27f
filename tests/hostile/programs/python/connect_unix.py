# Connects to unix sockets of this machine: by path, through a link, through /proc, and by abstract name.

import socket

from attack import attempt, done, target


def say(address, kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_UNIX, kind) as connection:
        connection.connect(address)
        connection.send(b"hello")


path = target("UNIX")
for way in (path, "../" * 20 + path.lstrip("/"), f"/proc/1/root/{path}", f"/proc/{target('PID')}/root/{path}"):
    attempt(way, lambda: say(way))
attempt("abstract", lambda: say("\0" + target("ABSTRACT")))
attempt("docker", lambda: say("/var/run/docker.sock"))
attempt("dbus", lambda: say("/run/dbus/system_bus_socket"))
done()
