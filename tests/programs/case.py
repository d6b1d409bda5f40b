"""A program with its density written by hand: what every file of this folder registers.

    @case
    class normal_pair:
        def body():                       # staged by vipl.program
            x = vipl.sample("x", dist.Normal(0.0, 1.0))
            vipl.sample("y", dist.Normal(x, 0.5), obs=0.3)

        def terms(c):                     # nats of every address, from the choices in float64
            return {"x": normal(c["x"]), "y": normal(0.3, c["x"], 0.5)}

        def uniforms(c, rng):             # what makes independent uniforms of many draws
            return {"x": norm.cdf(c["x"])}

`build(program)` conditions the program where that is the point. In `terms`, `c` holds the choices and the
indices of one trace; in `uniforms` it holds `(draws, *shape)` arrays and the same shapes come out, where an
event may lose axes. Nothing here calls a density of vipl or NumPyro.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

import vipl

CASES: dict[str, Case] = {}


@dataclasses.dataclass(frozen=True)
class Case:
    """A program, by name; `smooth` is False where the choices have no gradient in their own coordinates."""

    name: str
    body: Callable
    build: Callable
    terms: Callable
    uniforms: Callable | None
    smooth: bool

    def program(self):
        """Make the program anew, under the precision that is set."""
        return self.build(vipl.program(self.body)())


def case(declared):
    """Register the class as a case."""
    parts = vars(declared)
    if declared.__name__ in CASES:
        raise ValueError(f"{declared.__name__} is registered twice")
    declared.body.__name__ = declared.__name__
    CASES[declared.__name__] = Case(
        declared.__name__,
        parts["body"],
        parts.get("build", lambda program: program),
        parts["terms"],
        parts.get("uniforms"),
        parts.get("smooth", True),
    )
    return declared


def constant(array) -> jax.Array:
    """Return a NumPy array of the module as JAX's, in the precision that is set.

    A copy, since JAX answers for the same NumPy array from a cache that does not know of `enable_x64`.
    """
    return jnp.asarray(np.array(array))
