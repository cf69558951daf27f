"""Pure functions over records: comparisons, intervals, rankings, derived tables."""
