"""Systematic resampling: one position for all slots."""

from __future__ import annotations

import jax.numpy as jnp

from vipl.programs.resampling.cells import Cells, pick
from vipl.programs.resampling.slots import ConditionalSlotLaw, SlotLaw


def log_pmf(cells: Cells, ancestors):
    """Return the log probability of ancestors, `(*sample, *batch, N)`: of the slots, the part common to their cells."""
    begin, end = cells.within(jnp.arange(cells.size), ancestors)
    latest, earliest = jnp.argmax(begin, -1, keepdims=True), jnp.argmin(end, -1, keepdims=True)
    begin, end = pick(begin, latest), pick(end, earliest)
    # how often each cell counts in the distance of two edges: exact, also for a cell shorter than the edges' rounding
    cell = jnp.arange(cells.size)
    counted = ((end < cells.unit) & (cell <= pick(ancestors, earliest))).astype(cells.moved.dtype)
    counted -= (begin > 0) & (cell < pick(ancestors, latest))
    scored = cells.log_length((end - begin)[..., 0], jnp.sum(counted * cells.moved, -1))
    return jnp.where(jnp.all(pick(cells.weighted, ancestors), -1), scored, -jnp.inf)


class SystematicAncestors(SlotLaw):
    """Ancestors by one position for all of N equal slots: A_n is the cell of the weights' cumulative sum with U + n/N.

    U is uniform on (0, 1/N). A particle has its expected number N·W_i of offspring, rounded down or up, and one random
    number decides all. So offspring vary the least, and the score the most: it is the logarithmic derivative of an
    interval's length, of up to N intervals, and its second moment grows like N³, that of `MultinomialAncestors` like N.
    Prefer it with few particles, or where no score is needed.

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
        >>> law = SystematicAncestors(jnp.log(jnp.array([0.5, 0.25, 0.25])))
        >>> jnp.exp(law.log_prob(jnp.array([[0, 0, 2], [0, 1, 2], [0, 0, 1]]))).tolist()
        [0.25, 0.5, 0.25]

    Source: Carpenter, Clifford and Fearnhead 1999; Douc and Cappé 2005, arXiv cs/0507025.
    """

    shared = True
    log_pmf = staticmethod(log_pmf)


class ConditionalSystematicAncestors(ConditionalSlotLaw):
    """The ancestors, and the slot of the retained particle, given that a position lies in its cell.

    With R the probability of `SystematicAncestors`, that of ancestors A and slot k is R(A)·[A_k = a] / (N·W_a): a draw
    of A, then of k evenly, then of a = A_k, is as likely as one of a from the weights, then of A and k from this law.

    Args:
        log_weights: `(*batch, N)`, up to a constant for each batch; −inf for some is a weight of zero.
        retained: integers that broadcast to `(*batch,)`: the retained particles, of nonzero weight.
        resample: booleans that broadcast to `(*batch,)`.
        validate_args: whether NumPyro checks the arguments; None for its default.

    Returns:
        A distribution of batch shape `(*batch,)` and event shape `(N + 1,)`, ancestors and slot, drawn as integers.

    Example:
        >>> law = ConditionalSystematicAncestors(jnp.log(jnp.array([0.5, 0.25, 0.25])), 0)
        >>> round(jnp.exp(law.log_prob(jnp.array([0, 0, 2, 1]))).item(), 4)
        0.1667

    Source: Chopin and Singh 2015, On particle Gibbs sampling; Andrieu, Doucet and Holenstein 2010.
    """

    shared = True
    log_pmf = staticmethod(log_pmf)
