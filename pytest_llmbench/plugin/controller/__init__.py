"""In the one controlling process: ask the models, keep the run, report, decide the exit status."""
