"""Markers and the files beside them, read and checked into a ``Task``. Standard library only."""
