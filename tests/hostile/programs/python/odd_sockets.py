# Makes sockets of families that reach the kernel, the host of a virtual machine, or the wire itself.

import socket

from attack import attempt, done

families = {"netlink": 16, "packet": 17, "vsock": 40, "alg": 38, "bluetooth": 31, "can": 29, "tipc": 30, "xdp": 44}
families |= {"key": 15, "rds": 21, "nfc": 39, "qipcrtr": 42, "smc": 43, "kcm": 41, "rxrpc": 33, "ax25": 3, "x25": 9}
for name, family in families.items():
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        attempt(name, lambda: socket.socket(family, kind))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("ping", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1))
attempt("sctp", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132))
done()
