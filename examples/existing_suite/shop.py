"""A module that has tests already: what a basket costs."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def rounded(amount):
    """An amount in whole cents, halves away from zero."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def total(basket, code=None):
    """The price of a basket, a list of (unit price, quantity), as a Decimal in whole cents.

    From ten of one thing on, those are 5 % cheaper. The code "SPRING" then takes 10.00 off, though never more than half
    of the price. Any other code is a ValueError; no code is None.
    """
    if code not in (None, "SPRING"):
        raise ValueError(f"unknown code {code!r}")
    price = sum((unit * n * (Decimal("0.95") if n >= 10 else 1) for unit, n in basket), Decimal(0))
    if code is not None:
        price -= min(Decimal(10), price / 2)
    return rounded(price)
