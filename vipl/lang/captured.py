"""Functions inside of a distribution: they cannot hold values that are being traced.

The arrays of a distribution are operands of its site; what a function in it closes over is none of them, and so would
leave the program without its derivative.
"""

from __future__ import annotations

import inspect

import jax
from numpyro.distributions import Distribution

from vipl._core.compat import is_tracer
from vipl._core.errors import ProgramError


def check_functions(distribution: Distribution, address: str, where: str) -> None:
    """Refuse a distribution one of whose functions closes over a traced value, as `EulerMaruyama`'s may."""
    for held in vars(distribution).values():
        if isinstance(held, Distribution):
            check_functions(held, address, where)
        elif inspect.isfunction(held):
            traced = [name for name, value in inspect.getclosurevars(held).nonlocals.items() if _is_traced(value)]
            if traced:
                raise ProgramError(
                    f"the distribution of site {address!r}, {type(distribution).__name__}, holds a function that uses "
                    f"{', '.join(map(repr, traced))} from outside of it, whose derivative would be lost.",
                    where=where,
                    fix="write the process as a loop of sites, `jax.lax.scan` over a step with vipl.sample; "
                    "or give the function numbers that are known",
                )


def _is_traced(value) -> bool:
    return any(is_tracer(leaf) for leaf in jax.tree.leaves(value))
