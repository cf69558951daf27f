"""Failures: classified, bounded, and which of them are sent again."""
