"""What the Linux kernel offers for limits and denials."""
