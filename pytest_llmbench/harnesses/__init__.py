"""Layer 1: agents' command lines, one module each: found, started, and what they print read as one trajectory."""
