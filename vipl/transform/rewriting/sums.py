"""Sums accumulated in the carry of a loop become sums of the loop's outputs.

    def step(carry, x):                                   def step(z, x):
        z, total = carry                                      z = next_state(z, x)
        z = next_state(z, x)                   →              return z, cost(z)
        return (z, total + cost(z)), None
    (z, total), _ = scan(step, (z, total), xs)            z, costs = scan(step, z, xs); total = total + costs.sum(0)

The result is the same, and it is a sum of terms that the evaluation can tell apart: the choice of a step is credited
with the costs from that step on, where a total in the carry credits every choice with every cost. A `fori_loop` has
nothing but a carry, so that what it sums up is always found there.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from vipl._core.compat import scan_split
from vipl._core.constructs import with_types
from vipl._core.staging import Staged
from vipl.transform.rewriting.accumulators import find_changes
from vipl.transform.rewriting.restaging import Restaging


def sums_pulled_out(staged: Staged) -> Staged:
    """Return the staged objective with the accumulators of its loops as sums of their outputs.

    A loop with statements inside gives up all its accumulators, one without only the scalars, and only if a sampled
    value may enter it. What every statement draws stays the same.

    Args:
        staged: a staged objective.

    Returns:
        The same function, staged again with the same statements; `staged` itself if no loop has an accumulator.
    """
    found: dict[int, frozenset[int]] = {}
    if not find_changes(staged.jaxpr, [], found):
        return staged
    return _SumsOut(found).restage(staged)


class _SumsOut(Restaging):
    """Stages loops anew, without their accumulators."""

    def equation(self, eqn, values) -> list:
        """Run an equation that changes, or holds one that does."""
        if eqn.primitive.name != "scan":
            return super().equation(eqn, values)
        return self._scan(eqn, values, self.changed[id(eqn)])

    def _scan(self, eqn, values, given_up) -> list:
        params = eqn.params
        num_consts, num_carry = scan_split(params)
        first_xs = num_consts + num_carry
        consts = values[:num_consts]
        init = with_types(values[num_consts:first_xs], params["jaxpr"].in_avals[num_consts:])
        kept = [place for place in range(num_carry) if place not in given_up]

        def step(carry, slices):
            rest = dict(zip(kept, carry, strict=True))
            entering = [rest[i] if i in rest else lax.full_like(x, 0) for i, x in enumerate(init)]
            results, _ = self(params["jaxpr"], [*consts, *entering, *slices], {}, ())
            added = {i: results[i] for i in given_up}
            return [results[i] for i in kept], (results[num_carry:], added)

        carry, (ys, added) = lax.scan(
            step,
            [init[i] for i in kept],
            values[first_xs:],
            length=params["length"],
            reverse=params["reverse"],
            unroll=params["unroll"],
        )
        finals = dict(zip(kept, carry, strict=True))
        finals.update((i, lax.add(init[i], _sum(each))) for i, each in added.items())
        return [*(finals[i] for i in range(num_carry)), *ys]


def _sum(steps):
    """Return the sum of the steps: `jnp.sum`, which takes care of half precision, but forgets a weak type."""
    return lax.reduce_sum(steps, axes=(0,)) if steps.weak_type else jnp.sum(steps, axis=0)
