# One file of 600 MB.
#
# limits: file_mb=20
# hits: file_mb
# leaves: 60 MB

with open("big", "wb", 0) as file:
    for _ in range(600):
        file.write(b"x" * (1 << 20))
