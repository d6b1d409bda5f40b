"""Stratified resampling: one independent position in each slot."""

from __future__ import annotations

import jax.numpy as jnp

from vipl.programs.resampling.cells import Cells, pick
from vipl.programs.resampling.slots import ConditionalSlotLaw, SlotLaw


def log_pmf(cells: Cells, ancestors):
    """Return the log probability of ancestors, `(*sample, *batch, N)`: the part of each slot that its cell holds."""
    begin, end = cells.within(jnp.arange(cells.size), ancestors)
    begins, ends = begin > 0, end < cells.unit
    edges = jnp.cumsum(cells.moved, -1)
    edges = jnp.concatenate([jnp.zeros_like(edges[..., :1]), edges], -1)
    moved = jnp.where(ends, pick(edges, ancestors + 1), 0.0) - jnp.where(begins, pick(edges, ancestors), 0.0)
    # a cell may be short, and its length as the difference of two edges less than their rounding
    moved = jnp.where(begins & ends, pick(cells.moved, ancestors), moved)
    scored = cells.log_length(end - begin, moved)
    return jnp.sum(jnp.where(pick(cells.weighted, ancestors), scored, -jnp.inf), -1)


class StratifiedAncestors(SlotLaw):
    """Ancestors by a position in each of N slots: A_n is the cell of the weights' cumulative sum that holds U_n.

    U_n is uniform on (n/N, (n+1)/N), independently. So ancestors are independent and in order, a particle has its
    expected number N·W_i of offspring to within two, and averages over offspring vary no more than by multinomial
    resampling. The score varies more: its second moment grows faster than N², that of `MultinomialAncestors` like N.

    The law is not differentiable where an edge of the cumulative sum meets one of a slot, as with equal weights: there
    the derivative of the log probability in that edge is taken to be zero.

    Args:
        log_weights: `(*batch, N)`, up to a constant for each batch; −inf for some is a weight of zero.
        resample: booleans that broadcast to `(*batch,)`: where False, particle n's parent is n, for certain.
        validate_args: whether NumPyro checks the arguments; None for its default.

    Returns:
        A distribution of batch shape `(*batch,)` and event shape `(N,)`, drawn as integers; log probability in nats.
        Cost: O(N log N).

    Example:
        >>> law = StratifiedAncestors(jnp.log(jnp.array([0.5, 0.25, 0.25])))
        >>> jnp.exp(law.log_prob(jnp.array([[0, 0, 2], [0, 1, 2]]))).tolist()
        [0.375, 0.375]

    Source: Kitagawa 1996; Douc and Cappé 2005, arXiv cs/0507025.
    """

    shared = False
    log_pmf = staticmethod(log_pmf)


class ConditionalStratifiedAncestors(ConditionalSlotLaw):
    """The ancestors, and the slot of the retained particle, given that a position lies in its cell.

    With R the probability of `StratifiedAncestors`, that of ancestors A and slot k is R(A)·[A_k = a] / (N·W_a): a draw
    of A, then of k evenly, then of a = A_k, is as likely as one of a from the weights, then of A and k from this law.

    Args:
        log_weights: `(*batch, N)`, up to a constant for each batch; −inf for some is a weight of zero.
        retained: integers that broadcast to `(*batch,)`: the retained particles, of nonzero weight.
        resample: booleans that broadcast to `(*batch,)`.
        validate_args: whether NumPyro checks the arguments; None for its default.

    Returns:
        A distribution of batch shape `(*batch,)` and event shape `(N + 1,)`, ancestors and slot, drawn as integers.

    Example:
        >>> law = ConditionalStratifiedAncestors(jnp.log(jnp.array([0.5, 0.25, 0.25])), 2)
        >>> jnp.exp(law.log_prob(jnp.array([0, 0, 2, 2]))).item()
        0.5

    Source: Andrieu, Doucet and Holenstein 2010 (conditional SMC); Chopin and Singh 2015, On particle Gibbs sampling.
    """

    shared = False
    log_pmf = staticmethod(log_pmf)
