"""A network of coordinates in groups, of which each output sees only the groups before its own."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
import numpy as np

from vipl.guides.generic import generic

_PACE = 0.1  # of the weights, beside that of other parameters
LINEAR = 2  # of the outputs of each coordinate, so many have a linear part besides


@dataclasses.dataclass(frozen=True)
class Conditioner:
    """A network with one hidden layer and masked weights.

    Its weights are in units in which a step of Adam moves the outputs by about as much, however large the network is.

    Attributes:
        groups: number of the group of each coordinate, from 0.
        width: number of hidden units.
        num_outputs: how many outputs each coordinate has.

    Source: Germain et al. 2015 (MADE), ICML, eq. 13 to 15.
    """

    groups: tuple[int, ...]
    width: int
    num_outputs: int

    def initial(self, dtype) -> dict:
        """Return where the weights start: all outputs are zero."""
        size = len(self.groups)
        return {
            "inner": generic((size, self.width), dtype) / _PACE,
            "inner_bias": np.zeros(self.width, dtype),
            "outer": np.zeros((self.width, size, self.num_outputs), dtype),
            "outer_bias": np.zeros((size, self.num_outputs), dtype),
            "linear": np.zeros((size, size, LINEAR), dtype),
        }

    def __call__(self, params: dict, x):
        """Return the outputs, `(d, num_outputs)`, at a vector `(d,)`."""
        groups = np.array(self.groups)
        last = groups.max(initial=0)
        sees = np.arange(self.width) * last // self.width  # the last group that a hidden unit sees
        inner = params["inner"] * (groups[:, None] <= sees) / max(len(groups), 1) ** 0.5
        outer = params["outer"] * (sees[:, None, None] < groups[:, None]) / self.width
        linear = params["linear"] * (groups[:, None, None] < groups[:, None]) / max(len(groups), 1) ** 0.5
        hidden = jnp.tanh(_PACE * (x @ inner + params["inner_bias"]))
        outputs = params["outer_bias"] + jnp.tensordot(hidden, outer, 1)
        return _PACE * outputs.at[:, :LINEAR].add(jnp.tensordot(x, linear, 1))
