"""Chances of passing with several attempts, estimated from c passes in n.

pass@k is the chance that at least one of k attempts passes, by the unbiased estimator of Chen et al., "Evaluating Large
Language Models Trained on Code" (2021), section 2.1: 1 - C(n-c, k) / C(n, k) for c passes in n attempts. pass^k is the
chance that all k do: C(c, k) / C(n, k) (Yao et al., "tau-bench", 2024, section 4).
"""

from __future__ import annotations

from fractions import Fraction
from math import comb


def pass_at_k(n: int, c: int, k: int) -> Fraction | None:
    """The chance that at least one of ``k`` attempts passes, from ``c`` passes in ``n``; None when n < k."""
    return None if n < k else 1 - Fraction(comb(n - c, k), comb(n, k))


def pass_hat_k(n: int, c: int, k: int) -> Fraction | None:
    """The chance that all of ``k`` attempts pass, from ``c`` passes in ``n``; None when n < k."""
    return None if n < k else Fraction(comb(c, k), comb(n, k))
