# Counts for ever.
#
# limits: cpu_s=0.5 wall_s=5
# hits: cpu_s

import attack  # noqa: F401 - ends after a minute whatever happens

number = 0
while True:
    number += 1
