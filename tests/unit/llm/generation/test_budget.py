"""What a session may spend."""

import json

import pytest

from pytest_llmbench.llm.generation.budget import Budget
from pytest_llmbench.llm.prices import Price, PriceTable
from pytest_llmbench.schema.attempt import Completion, Usage


def answer(prompt, reply, cached=None):
    return Completion(text="", usage=Usage(prompt_tokens=prompt, completion_tokens=reply, cached_tokens=cached))


def test_without_limits_nothing_ends():
    budget = Budget()
    budget.add(answer(10**9, 10**9), Price(1.0, 1.0))
    assert budget.used_up() == ""


def test_tokens_of_prompts_and_replies_count():
    budget = Budget(tokens=100)
    budget.add(answer(40, 59), None)
    assert budget.used_up() == ""
    budget.add(answer(0, 1), None)
    assert budget.used_up() == "budget: 100 of --llm-max-tokens-total=100 tokens were used"


def test_what_has_a_price_is_spent():
    budget = Budget(cost_usd=0.5)
    budget.add(answer(1000, 1000), None)
    assert budget.used_up() == ""
    budget.add(answer(100_000, 10_000), Price(3e-6, 20e-6))
    assert budget.used_up() == "budget: 0.5000 of --llm-max-cost=0.5 USD were spent"


def test_an_answer_of_unknown_size_ends_a_limit_on_what_it_would_count_to():
    for limits in ({"tokens": 10**9}, {"cost_usd": 10.0}):
        budget = Budget(**limits)
        budget.add(answer(5, 5), Price(1e-6, 1e-6))
        assert budget.used_up() == ""
        budget.add(answer(5, None), Price(1e-6, 1e-6))
        assert "cannot be kept" in budget.used_up()
    free = Budget(cost_usd=10.0)
    free.add(answer(None, None), None)
    assert free.used_up() == ""


def test_minutes_pass():
    now = [100.0]
    budget = Budget(minutes=2, clock=lambda: now[0])
    now[0] += 119
    assert budget.used_up() == ""
    now[0] += 1
    assert budget.used_up() == "budget: 2.0 of --llm-max-minutes=2 minutes are over"


@pytest.mark.parametrize(
    ("price", "usage", "cost"),
    [
        (Price(1e-6, 2e-6), Usage(prompt_tokens=10, completion_tokens=5), 20e-6),
        (Price(1e-6, 2e-6, 1e-7), Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=10), 11e-6),
        (Price(1e-6, 2e-6), Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=10), 20e-6),
        (Price(1e-6, 2e-6, 1e-7), Usage(prompt_tokens=10, completion_tokens=0, cached_tokens=99), 1e-6),
        (Price(1e-6, 2e-6), Usage(completion_tokens=5), None),
        (Price(0.0, 0.0), Usage(prompt_tokens=1, completion_tokens=1), 0.0),
    ],
)
def test_what_an_answer_costs(price, usage, cost):
    assert price.cost_usd(usage) == (None if cost is None else pytest.approx(cost))


def test_the_table_of_litellm():
    table = PriceTable.installed()
    assert len(table.providers) > 100
    entries = {
        "gpt-9": {"mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6},
        "free": {"mode": "chat"},
    }
    table = PriceTable(json.loads(json.dumps(entries)))
    assert table.price("gpt-9") == table.price("openai/gpt-9") == Price(1e-6, 4e-6)
    assert table.price("free") is table.price("nobody") is None
