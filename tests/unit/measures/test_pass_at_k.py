"""pass@k and pass^k: known values, and what must hold for any."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.measures.pass_at_k import pass_at_k, pass_hat_k

COUNTS = st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))


@given(COUNTS)
def test_both_are_what_counting_all_choices_gives(counts):
    n, c, k = counts
    attempts = [True] * c + [False] * (n - c)
    choices = list(combinations(attempts, k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(any(choice) for choice in choices) / len(choices))
    assert pass_hat_k(n, c, k) == pytest.approx(sum(all(choice) for choice in choices) / len(choices))


@given(COUNTS)
def test_more_tries_help_one_and_hurt_all(counts):
    n, c, k = counts
    if k < n:
        assert pass_at_k(n, c, k) <= pass_at_k(n, c, k + 1)
        assert pass_hat_k(n, c, k) >= pass_hat_k(n, c, k + 1)
    assert pass_at_k(n, c, 1) == pass_hat_k(n, c, 1)


def test_undefined_with_too_few():
    assert pass_at_k(2, 1, 3) is pass_hat_k(2, 1, 3) is None
    assert pass_at_k(0, 0, 1) is None


def test_the_example_of_the_paper():
    assert float(pass_at_k(5, 2, 2)) == pytest.approx(0.7)
    assert float(pass_hat_k(5, 2, 2)) == pytest.approx(0.1)
