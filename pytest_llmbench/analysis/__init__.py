"""Layer 1: pure functions from a run's results, or a published table, to what can be concluded from them."""
