"""`continuous`: the user's word that a function has no jumps."""

from __future__ import annotations

import jax

from vipl._core.static import partition


def continuous(fn):
    """Vouch that a function is continuous, so that a pathwise derivative through it is right.

    A piecewise function whose pieces meet (bilinear interpolation, a hand-written leaky_relu) looks like a jump to the
    static check; wrapped in `continuous` it passes.

    Args:
        fn: a function of any pytrees, continuous and almost everywhere differentiable in its arrays.

    Returns:
        The same function.

    Example:
        >>> import jax.numpy as jnp, vipl
        >>> hinge = vipl.continuous(lambda x: jnp.where(x > 0, x, 0.0))
        >>> float(hinge(2.0))
        2.0
    """

    def vouched(*args):
        arrays, skeleton = partition(args)
        out = []

        def vipl_continuous(*arrays):
            results, structure = partition(fn(*skeleton.fill(arrays)))
            out.append(structure)
            return results

        vipl_continuous.__name__ = VOUCHED
        results = jax.jit(vipl_continuous)(*arrays)
        return out[-1].fill(results)

    return vouched


VOUCHED = "vipl_continuous"
