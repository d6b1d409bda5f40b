"""A posterior as ArviZ takes it: an xarray DataTree."""

from __future__ import annotations

import functools

import jax
import numpy as np

from vipl._core.errors import DensityError
from vipl._core.optional import optional
from vipl.infer.draws.predict import completed, predict
from vipl.infer.draws.subsampling import absent_data
from vipl.infer.results.dimensions import dimensions, in_arviz
from vipl.tracing.scored_trace import scored_trace
from vipl.tracing.simulate import simulate
from vipl.tracing.survey import survey


def to_datatree(posterior, key, num_samples: int, *, coords, dims, prior: bool, log_likelihood: bool):
    """Do what `Posterior.to_datatree` says."""
    arviz = optional("arviz_base", "arviz", "to_datatree")
    model, guide = posterior.model, posterior.guide
    surveyed = survey(model)
    key_draws, key_prior = jax.random.split(key)
    groups = {"posterior": posterior.sample(key_draws, num_samples)}
    try:
        predicted = predict(guide, model, key_draws, num_samples)
    except DensityError:  # data inside of a marginal cannot be drawn anew
        predicted = predict(guide, model, key_draws, num_samples, only_deterministic=True)
    absent = absent_data(model, guide)
    data = {*surveyed.observed, *absent}
    groups["posterior"] |= {a: x for a, x in predicted.items() if a not in data}
    groups["posterior_predictive"] = {a: x for a, x in predicted.items() if a in data}
    if not absent and not surveyed.indices and not surveyed.estimating:
        keys = jax.random.split(key_draws, num_samples)
        lp, log_weight, terms = _densities(model, guide, keys, log_likelihood=log_likelihood)
        groups["sample_stats"] = {"lp": lp, "log_weight": log_weight}
        groups["log_likelihood"] = terms
    if prior:
        drawn = _prior(model, jax.random.split(key_prior, num_samples))
        groups["prior"] = {a: x for a, x in drawn.items() if a not in data}
        groups["prior_predictive"] = {a: x for a, x in drawn.items() if a in data}
    groups = {group: {a: np.asarray(x)[None] for a, x in values.items()} for group, values in groups.items()}
    groups["observed_data"] = dict(simulate(model, key).observed) if surveyed.observed else {}
    dims = dimensions(surveyed, {a: np.shape(x)[2:] for a, x in groups["posterior"].items()}, coords, dims)
    named = {group: {in_arviz(a): np.asarray(x) for a, x in values.items()} for group, values in groups.items()}
    attributes = {"inference_library": "vipl", "guide": guide.name}
    return arviz.from_dict(
        {group: values for group, values in named.items() if values},
        coords=coords,
        dims=dims,
        attrs={"posterior": attributes},
    )


@functools.partial(jax.jit, static_argnames="log_likelihood")
def _densities(model, guide, keys, *, log_likelihood: bool):
    """Return the log density of the model, the log weight, and the log densities of the data, element by element."""

    def one(key):
        trace = simulate(guide, key)  # the draw that `Posterior.sample` makes with this key
        scored = scored_trace(model, trace.choices)
        terms = {address: scored.sites[address].log_prob for address in _own_data(model)} if log_likelihood else {}
        return scored.log_density, scored.log_density - trace.log_density, terms

    return jax.vmap(one)(keys)


def _own_data(model) -> list[str]:
    """List the observed sites that have a term of their own, which those inside of a marginal do not."""
    observed = survey(model).observed.items()
    return [address for address, group in observed if not any(located.statement.parts for located in group)]


@jax.jit
def _prior(model, keys):
    def one(key):
        trace = completed(model, {}, key)
        return dict(trace.choices) | dict(trace.deterministics) | dict(trace.observed)

    return jax.vmap(one)(keys)
