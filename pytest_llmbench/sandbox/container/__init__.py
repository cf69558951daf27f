"""Isolation by containers of podman or docker."""
