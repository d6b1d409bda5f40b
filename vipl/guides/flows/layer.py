"""One layer of a flow: each coordinate is moved by an increasing curve that depends on the coordinates before it."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
from jax import lax

from vipl.guides.flows.conditioner import Conditioner
from vipl.guides.flows.spline import bend, bounded, num_parameters, unbend


@dataclasses.dataclass(frozen=True)
class Layer:
    """A bijection of vectors `(d,)`, whose Jacobian is triangular in some order of the coordinates.

    With two groups of coordinates it is a coupling layer, with as many as coordinates an inverse autoregressive one.

    Attributes:
        groups: number of the group of each coordinate, from 0: what it depends on are the groups before its own.
        width: number of hidden units of the network.
        num_bins: of the splines; 0 for affine maps alone.
    """

    groups: tuple[int, ...]
    width: int
    num_bins: int

    @property
    def conditioner(self) -> Conditioner:
        """The network that gives a shift, a log scale and a spline of each coordinate."""
        return Conditioner(self.groups, self.width, 2 + num_parameters(self.num_bins))

    def push(self, params, x):
        """Return the moved vector and the log Jacobian determinant; all at once."""
        shift, log_scale, curve = self._curves(params, x)
        bent, log_slope = bend(curve, x)
        return shift + jnp.exp(log_scale) * bent, jnp.sum(log_scale + log_slope)

    def pull(self, params, y):
        """Return the vector that is moved to y, and the log Jacobian determinant there; one group after the other."""

        def settle_next(_, x):
            shift, log_scale, curve = self._curves(params, x)
            return unbend(curve, (y - shift) * jnp.exp(-log_scale))[0]

        x = lax.fori_loop(0, max(self.groups, default=0) + 1, settle_next, y)
        return x, self.push(params, x)[1]

    def _curves(self, params, x):
        raw = self.conditioner(params, x)
        return raw[:, 0], bounded(raw[:, 1]), raw[:, 2:]
