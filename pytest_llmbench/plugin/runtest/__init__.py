"""In each process that runs tests: wait for a submission, grade it, record how each point ended."""
