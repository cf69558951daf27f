"""Running given test suites beside the code that they test."""
