# Types into terminals: the controlling one, those it inherited, the tester's, and its own.

import fcntl
import os
import termios

from attack import attempt, done, target


def type_into(descriptor):
    for character in b"id\n":
        fcntl.ioctl(descriptor, termios.TIOCSTI, bytes([character]))


attempt("the controlling terminal", lambda: os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
attempt("the tester's", lambda: os.open(target("TTY"), os.O_RDWR | os.O_NOCTTY))
attempt("the console", lambda: os.open("/dev/console", os.O_RDWR | os.O_NOCTTY))
for number in range(300):
    if os.path.lexists(f"/proc/self/fd/{number}"):
        attempt(f"type into {number}", lambda: type_into(number))
try:
    master, own = os.openpty()
except OSError as error:
    print("refused:", error)
else:
    attempt("type into its own", lambda: type_into(own))
    attempt("TIOCLINUX", lambda: fcntl.ioctl(own, 0x541C, b"\x02"))
done()
