"""Calling functions of untrusted files, from outside their process."""
