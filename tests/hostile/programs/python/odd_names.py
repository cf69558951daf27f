# Leaves names that are no UTF-8, move a cursor, look like options, hide their ending or are tests of pytest.

import os

from attack import done

names = [
    b"\xff\xfe",
    b"\x1b[2J\x1b[31mred",
    b"line\nbreak",
    b"-rf",
    b"~",
    b"*",
    b" ",
    b"a\xe2\x80\xaegpj.py",
    b"\x9b31m",
]
names += [b"conftest.py", b"pytest.ini", b"test_planted.py", b"sitecustomize.py", b"usercustomize.py", b".coveragerc"]
for name in names:
    with open(name, "w") as file:
        file.write("raise SystemExit('planted')\n")
os.makedirs(b".git/hooks")
with open(".git/config", "w") as file:
    file.write("[core]\n fsmonitor = false\n")
done()
