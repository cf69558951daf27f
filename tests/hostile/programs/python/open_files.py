# Opens 5000 files.
#
# limits: open_files=200
# hits: open_files

import os

files = [os.open("/dev/null", os.O_RDONLY) for _ in range(5000)]
