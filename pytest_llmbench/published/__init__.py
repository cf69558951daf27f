"""Layer 1: the published figures of the benchmarks that come with the package, and the slips in them."""
