"""Arithmetic that several rooms need: ranks, Pareto fronts, pass@k. Pure, and standard library only."""
