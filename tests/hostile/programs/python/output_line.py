# Writes one line of 200 MB.
#
# limits: output_bytes=100000
# hits: output_bytes

import os

import attack  # noqa: F401 - ends after a minute whatever happens

for _ in range(200):
    os.write(1, b"x" * (1 << 20))
