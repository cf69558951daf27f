"""A pytest plugin that turns LLM coding benchmarks into test suites."""
