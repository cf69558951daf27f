# Sleeps.
#
# limits: wall_s=0.5
# hits: wall_s

import time

time.sleep(60)
