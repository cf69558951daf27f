"""Options, their environment and ini twins, read into ``Settings``."""
