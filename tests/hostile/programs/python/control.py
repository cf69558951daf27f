# An honest program: files, folders, links, modes and times of its own, child processes, threads, temporary files,
# a socket pair, a shared queue, standard input.
#
# stdin: three words here
# prints: 3 words, 6 processes, 4 threads, 0o640

import asyncio
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path


def square(number):
    return number * number


def main():
    words = len(sys.stdin.read().split())
    folder = Path("results/deeper")
    folder.mkdir(parents=True)
    file = folder / "größe.txt"
    file.write_text("text")
    file.chmod(0o640)
    os.utime(file, (1, 1))
    os.link(file, folder / "hard")
    (folder / "soft").symlink_to("hard")
    assert (folder / "soft").read_text() == "text"
    with tempfile.NamedTemporaryFile() as temporary:
        temporary.write(b"x" * 1_000_000)
    with multiprocessing.Pool(4) as pool:
        assert pool.map(square, range(4)) == [0, 1, 4, 9]
    children = [subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True) for _ in range(2)]
    threads = [threading.Thread(target=square, args=(2,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left, right = socket.socketpair()
    left.sendall(b"ping")
    assert right.recv(4) == b"ping"
    asyncio.run(asyncio.sleep(0.01))
    print(f"{words} words, {4 + len(children)} processes, {len(threads)} threads, {oct(file.stat().st_mode & 0o777)}")


if __name__ == "__main__":
    main()
