"""What compilers need again and again, made once: read-only for every attempt, with the attempt's own files over it."""
