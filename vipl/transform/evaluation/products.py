"""Products of weights, summed over the sample axes that nothing else has.

The product of the weights of a chain of choices has a sample axis for each of them. Where a term does not have such an
axis itself, it is summed out as soon as the weights that have it are multiplied, cheapest first: variable elimination.
Terms that begin alike share what they have in common, so that a chain's equations grow linearly with its length.

Source: Zhang and Poole 1994, A simple approach to Bayesian network computations, §3.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp

from vipl.transform.evaluation.terms import union, with_samples


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """A factor of a product, or the logarithm of one.

    Attributes:
        array: `(*samples, *rest)`; all parts of a product have the same rest, or sizes of 1, or no axes at all.
        samples: the choices whose sample axes lead.
    """

    array: jax.Array
    samples: tuple

    @property
    def sizes(self) -> dict:
        """The lengths of the sample axes."""
        return dict(zip(self.samples, jnp.shape(self.array), strict=False))


class Products:
    """Computes products of weights, each step of them once."""

    def __init__(self):
        self._known: dict[tuple, Part] = {}

    def once(self, key: tuple, compute) -> Part:
        """Return the part known by a key, or else `compute() -> array, samples`."""
        if key not in self._known:
            self._known[key] = Part(*compute())
        return self._known[key]

    def product(self, factors: list[Part], logs: list[Part], keep) -> Part:
        """Multiply factors, and the exponentials of `logs`, and sum over the sample axes that are not kept.

        Args:
            factors: the factors; those that many terms begin with come first.
            logs: logarithms of further factors, likewise.
            keep: choices whose sample axes stay.
        """
        together = [log for log in logs if all(choice in keep for choice in log.samples)]
        alone = [log for log in logs if log not in together]
        parts = [*map(self._exp, alone), *factors]
        parts = [self._exp(self._fold(jnp.add, together)), *parts] if together else parts
        return self._fold(jnp.multiply, self._summed_out(parts, keep))

    def _summed_out(self, parts: list[Part], keep) -> list[Part]:
        """Return parts whose product is that of `parts`, summed over the sample axes that are not kept."""
        holders: dict = {}
        for part in parts:
            for choice in part.samples:
                if choice not in keep:
                    holders.setdefault(choice, []).append(part)
        left = [part for part in parts if all(choice in keep for choice in part.samples)]
        while holders:
            choice = _cheapest(holders)
            multiplied = holders.pop(choice)
            for part in multiplied:
                for other in part.samples:
                    if other in holders:
                        holders[other].remove(part)
            merged = self._sum(self._fold(jnp.multiply, multiplied), choice)
            remaining = [other for other in merged.samples if other in holders]
            for other in remaining:
                holders[other].insert(0, merged)
            left = left if remaining else [merged, *left]
        return left

    def _fold(self, operation, parts: list[Part]) -> Part:
        return functools.reduce(functools.partial(self._combine, operation), parts)

    def _combine(self, operation, one: Part, other: Part) -> Part:
        samples = union(one.samples, other.samples)

        def compute():
            return operation(*(with_samples(part.array, part.samples, samples) for part in (one, other))), samples

        return self.once((operation, one, other), compute)

    def _exp(self, log: Part) -> Part:
        return self.once((jnp.exp, log), lambda: (jnp.exp(log.array), log.samples))

    def _sum(self, part: Part, choice) -> Part:
        axis = part.samples.index(choice)
        samples = (*part.samples[:axis], *part.samples[axis + 1 :])
        return self.once((jnp.sum, part, choice), lambda: (jnp.sum(part.array, axis=axis), samples))


def _cheapest(holders: dict):
    """Return the oldest choice that can be summed out without a larger array, else the one with the smallest."""
    costs = {}
    for choice, parts in holders.items():
        sizes = {other: size for part in parts for other, size in part.sizes.items()}
        costs[choice] = math.prod(sizes.values())
        if costs[choice] <= max(math.prod(part.sizes.values()) for part in parts):
            return choice
    return min(costs, key=costs.__getitem__)
