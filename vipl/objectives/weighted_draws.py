"""Objectives that weigh draws of the guide, whose draws and weights are constants to the derivative."""

from __future__ import annotations

import jax
from jax import lax

from vipl.objectives.elements import elements_of
from vipl.objectives.made_by import made_by
from vipl.objectives.options import refused
from vipl.objectives.particles import draw, over_particles, with_shared_subsamples
from vipl.objectives.power_mean import normalised_weights, weighted_mean
from vipl.tracing.log_density import log_density
from vipl.tracing.propose import propose
from vipl.tracing.site_terms import site_terms
from vipl.transform.expectation import Expectation


def weighted_draws(maker, num_particles: int, plate: str | None, learned) -> Expectation:
    """Return the expectation of Σ_k w̃_k learned(log p(z_k, y), log q(z_k)), summed over the elements of a plate.

    Args:
        maker: the public function that it is made by.
        num_particles: how many particles there are.
        plate: the name of the plate whose elements have weights of their own, or None.
        learned: a function of log p and log q, each `(num_particles,)`.
    """
    _check_plate(plate, maker.__name__)

    def objective(model, guide):
        elements = None if plate is None else elements_of(model, guide, plate, maker.__name__)
        model, guide = with_shared_subsamples(model, guide)

        def particle():
            trace = draw(guide, propose)
            if elements is None:
                return log_density(model, trace), trace.log_density
            terms = [term for _, term in site_terms(model, trace).values()]
            own = [site.log_prob for site in trace.sites.values()]
            return elements.log_density(terms), elements.log_density(own)

        def weighed(log_p, log_q):
            weights = lax.stop_gradient(normalised_weights(log_p - log_q, 1.0))
            return weighted_mean(weights, learned(log_p, log_q))

        log_p, log_q = over_particles(particle, num_particles)
        if elements is None:
            return weighed(log_p, log_q)
        return elements.scale * jax.vmap(weighed, in_axes=1)(log_p, log_q).sum()

    return made_by(maker, objective)


def _check_plate(plate, name: str) -> None:
    if plate is not None and not (isinstance(plate, str) and plate):
        what = f"plate is {plate!r}; it must be the name of the plate of the data."
        raise refused(name, what, 'plate="data", for vipl.plate("data", …)')
