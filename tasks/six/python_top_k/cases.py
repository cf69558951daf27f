"""What is asked: lists with a k, what is right for each of them, and where ties compete."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from pytest_llmbench import seeded

FUNCTION = "top_k_frequent"


@dataclass(frozen=True)
class Case:
    """One question and its answer."""

    nums: list[int]
    k: int

    @cached_property
    def counts(self) -> dict[int, int]:
        """How often each value occurs."""
        counts: dict[int, int] = {}
        for value in self.nums:
            counts[value] = counts.get(value, 0) + 1
        return counts

    @cached_property
    def ranking(self) -> list[int]:
        """Every distinct value, the most frequent first, the smaller first among equals."""
        return sorted(self.counts, key=lambda value: (-self.counts[value], value))

    @property
    def tied(self) -> bool:
        """Whether equally frequent values compete for the last of the k places."""
        border = [self.counts[value] for value in self.ranking[max(self.k - 1, 0) : self.k + 1]]
        return len(border) == 2 and border[0] == border[1]

    def __str__(self) -> str:
        shown = f"[{', '.join(map(str, self.nums[:12]))}, ... {len(self.nums)} values]"
        return f"{FUNCTION}({self.nums if len(self.nums) <= 24 else shown}, {self.k})"


def ordinary_cases() -> list[Case]:
    """All short lists of three values, then generated ones, none with a negative value."""
    rng = seeded(20)
    lists = [list(values) for size in range(1, 5) for values in itertools.product((0, 9, 10), repeat=size)]
    for size in (8, 15, 40, 120, 400) * 12:
        highest = rng.choice((5, 30, 1000))
        lists.append([rng.randint(0, rng.randint(0, highest)) for _ in range(size)])
    lists += [spread(distinct, distinct // 2, seed) for seed in range(6) for distinct in (6, 20, 110)]
    lists.append([rng.randint(0, rng.randint(0, 200)) for _ in range(1_500)])
    return _with_some_k(lists)


def signed_cases() -> list[Case]:
    """Lists with negative values, where ties have to be settled between values of either sign."""
    rng = seeded(21)
    lists = [[-1], [-1, 1], [2, -2, -2, 2, 0], [-10, -9, -9, -10, 5, -100]]
    lists += [[rng.randint(-12, 12) for _ in range(size)] for size in (6, 12, 30, 90) * 6]
    return _with_some_k(lists)


def huge_cases() -> list[Case]:
    """Values beyond 64 bits."""
    return [Case([2**70, -(2**70), 2**70, 5, 5, 2**70 + 1], k) for k in (1, 2, 3, 4)]


def edge_cases() -> list[Case]:
    """Empty lists, k = 0, and k at and beyond the number of distinct values."""
    return [Case([], 0), Case([], 3), Case([4, 4, 2], 0), Case([8], 1), Case([8], 2), Case([5, 1, 5, 1, 3], 7)]


def spread(distinct: int, twice: int, seed: int) -> list[int]:
    """Shuffled values, of which ``twice`` many occur two times and the others once."""
    rng = seeded(seed)
    values = rng.sample(range(10 * distinct), distinct)
    nums = values + values[:twice]
    rng.shuffle(nums)
    return nums


def layered(frequencies: int, seed: int) -> list[int]:
    """Shuffled values: one of each frequency from 2 on, and about as many numbers that occur once.

    Whoever goes through all the values for each frequency goes through those many once.
    """
    rng = seeded(seed)
    once = frequencies * (frequencies + 1) // 2
    values = rng.sample(range(10 * once), once + frequencies)
    nums = values + [value for place, value in enumerate(values[:frequencies]) for _ in range(place + 1)]
    rng.shuffle(nums)
    return nums


def tiered_case() -> Case:
    """240 values of 24 frequencies: no frequency has more than 10 of them."""
    rng = seeded(22)
    nums = [value for place, value in enumerate(rng.sample(range(2400), 240)) for _ in range(place // 10 + 1)]
    rng.shuffle(nums)
    return Case(nums, 12)


def broad_case() -> Case:
    """6,000 values of 8 frequencies: more than a program would take for a test of how it works."""
    rng = seeded(23)
    nums = [value for place, value in enumerate(rng.sample(range(60_000), 6_000)) for _ in range(place % 8 + 1)]
    rng.shuffle(nums)
    return Case(nums, 400)


def growing_cases() -> dict[str, list[Case]]:
    """Small and large lists of one kind each, to compare the work."""
    return {
        "one of few": [Case(spread(32, 4, seed), 1) for seed in range(32)],
        "one of many": [Case(spread(4096, 4, seed), 1) for seed in range(2)],
        "half of few": [Case(spread(64, 16, seed), 32) for seed in range(16)],
        "half of many": [Case(spread(1024, 256, 0), 512)],
        "few frequencies": [Case(layered(8, seed), 8) for seed in range(16)],
        "many frequencies": [Case(layered(64, 0), 64)],
    }


def _with_some_k(lists: Iterable[list[int]]) -> list[Case]:
    """Each list with k = 1, half and all of its distinct values."""
    return [Case(nums, k) for nums in lists for n in [len(set(nums))] for k in sorted({1, (n + 1) // 2, n})]
