# Writes without end to both outputs.
#
# limits: output_bytes=100000
# hits: output_bytes

import os

import attack  # noqa: F401 - ends after a minute whatever happens

while True:
    os.write(1, b"out\n" * 4096)
    os.write(2, b"err\n" * 4096)
