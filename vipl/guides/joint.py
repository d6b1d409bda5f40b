"""Sites that are drawn together: a bijective function of one vector of noise.

    simulate:     e ~ base;  values = constrain(push(e));    log q = log base(e) − log |d values / d e|
    log_density:  e = pull(unconstrain(values));             the same log q

To the program around they are latent sites like others, with one exact density together. Inside an expectation the
noise is an ordinary choice, at an address of its own, with an estimator.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from numpyro.distributions import Normal, TransformedDistribution

from vipl._core import ambient
from vipl._core.estimated_density import bind_estimated, body_of
from vipl.guides.coordinates import Coordinates
from vipl.lang.sample import sample
from vipl.programs.auxiliary import auxiliary
from vipl.programs.kept import fixed_values
from vipl.programs.particle import EstimatedOutput, Particle, run_particle, shown
from vipl.programs.staged import Relabel
from vipl.tracing.meaning import total


def joint(coordinates: Coordinates, name: str, base, push, pull, estimator=None) -> None:
    """Sample several sites together, in a guide.

    Args:
        coordinates: the sites.
        name: address of the noise.
        base: its distribution, of event shape `(d,)`; a NumPyro distribution.
        push: function of the noise that returns the vector of coordinates and the log Jacobian determinant.
        pull: function of the vector that returns the noise and the log Jacobian determinant of `push` there.
        estimator: of the gradient, unless told otherwise at `name`.
    """
    vector = jax.ShapeDtypeStruct((coordinates.size,), coordinates.dtype)
    names = tuple(block.address for block in coordinates.blocks)

    def place(noise):
        pushed, outer = push(noise)
        values, inner = coordinates.constrain(pushed)
        return [outer + inner, *values.values()]

    def density(*values):
        found, inner = coordinates.unconstrain(dict(zip(names, values, strict=True)))
        noise, outer = pull(found)
        return [base.log_prob(noise) - outer - inner]

    rule = _Jointly(names)
    noise = auxiliary(rule, name, lambda: base, [], estimator, estimates=False)
    placed = body_of(place, [vector])
    scored = body_of(density, placed.jaxpr.out_avals[1:])
    bind_estimated([_surface(rule, coordinates), placed, scored, noise], rule, [])


def at_point(coordinates: Coordinates, vector) -> None:
    """Set several sites together, in a guide: they are where the vector is, with probability one."""
    values, _ = coordinates.constrain(vector)
    rule = _Jointly(tuple(values))

    def place():
        return [jnp.zeros(()), *coordinates.constrain(vector)[0].values()]

    def density(*given):
        there = [jnp.all(one == other) for one, other in zip(given, values.values(), strict=True)]
        return [jnp.where(jnp.all(jnp.stack(there)), 0.0, -jnp.inf)]

    placed = body_of(place)
    bind_estimated([_surface(rule, coordinates), placed, body_of(density, placed.jaxpr.out_avals[1:])], rule, [])


class _Jointly:
    """How the bodies run: the sites, the noise, the way from it to their values, and their density."""

    def __init__(self, names):
        self.names = names

    def surroundings(self, index, around):
        """Return what surrounds the statements of a body."""
        del index
        return around

    def run(self, bodies, handler, given, path):
        """Give meaning to the sites: see the module."""
        surface, placed, scored, *noise = bodies
        values = fixed_values(surface, handler, self.names, given)
        if values is None:
            drawn, outputs = run_particle(noise[0], handler, {}, given) if noise else ([], {})
            (log_jacobian, *pushed), _ = placed.walk(handler, drawn)
            values, log_prob = dict(zip(self.names, pushed, strict=True)), total(outputs) - log_jacobian
        else:
            (log_prob,), _ = scored.walk(handler, [values[name] for name in self.names])
        sites = tuple(located.path for name in self.names for located in surface.sites[name])
        out = {path: EstimatedOutput(log_prob, sites)}
        if not handler.record:
            return [], out
        fixed = {s.path: values[a] for a, group in surface.sites.items() for s in group}
        _, outputs = surface.walk(_Placed(handler, frozenset(fixed), frozenset(fixed)), (), given | fixed)
        return [], {**shown(surface, outputs), **out}


class _Placed(Particle):
    """The sites have their values, and their density is known together."""

    def latent(self, path, statement, leaves, given):
        """Return the value; the density is none of this site alone."""
        del path, leaves
        batch = statement.full_shape[: len(statement.full_shape) - statement.event_dim]
        return given, jnp.zeros(batch, statement.dtype)


def _surface(rule, coordinates):
    here = ambient.current().scope
    show = Relabel(rule, here, lambda statement: False, here)
    surface = body_of(lambda: _sites(coordinates))
    return body_of(lambda: surface.walk(show)[0])


def _sites(coordinates) -> list:
    for block in coordinates.blocks:
        normal = Normal(jnp.zeros(block.shape, block.dtype), 1.0).to_event(len(block.shape))
        bijection = block.support.whole(len(block.shape))
        sample(block.address, normal if block.support.is_real else TransformedDistribution(normal, bijection))
    return []
