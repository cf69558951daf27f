"""Layer 2: one attempt: its submission, its turns, the toolchains it needs."""
