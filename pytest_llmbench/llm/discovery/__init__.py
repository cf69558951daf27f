"""From a model name to the place that answers for it."""
