"""The order of model calls: queues, concurrency, budgets, reuse of stored completions."""
