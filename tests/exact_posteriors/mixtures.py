"""Posteriors that are mixtures of normals, or discrete: summed out, so that one draw is exact."""

import jax
import jax.numpy as jnp
import numpy as np
from finite_case import MOVES, SERIES

import vipl
import vipl.distributions as dist
from exact_posteriors.registry import (
    Known,
    case,
    condition_normal,
    log_normal,
    logsumexp,
    raw,
    raw_triangle,
    with_values,
)
from vipl import guides


@vipl.program
def modes_model(y):
    components = dist.MultivariateNormal(
        jnp.array([[-1.0, 0.0], [2.0, 1.0]]), jnp.array([jnp.eye(2), 0.5 * jnp.eye(2)])
    )
    x = vipl.sample("x", dist.MixtureSameFamily(dist.Categorical(probs=jnp.array([0.3, 0.7])), components))
    vipl.sample("y", dist.Normal(x[0] + x[1], 0.5), obs=y)


@case
def two_modes_by_mixture(nudge):
    model = modes_model(0.6)
    parts = [
        condition_normal(np.array(mean), wide * np.eye(2), np.ones((1, 2)), [0.25], [0.6])
        for mean, wide in (([-1.0, 0.0], 1.0), ([2.0, 1.0], 0.5))
    ]
    evidence = np.log([0.3, 0.7]) + np.array([part[2] for part in parts])
    params = {
        "logits": evidence,
        "loc": np.stack([part[0] for part in parts]) + nudge,
        "scale_tril": np.stack([raw_triangle(part[1]) for part in parts]),
    }
    return Known(model, with_values(guides.Mixture(2), model, **params), logsumexp(evidence))


@vipl.program
def shifted_model(y):
    b = vipl.sample("b", dist.Bernoulli(0.3))
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(x + 3 * b, 1.0), obs=y)


@case
def site_summed_out_by_diagonal_mixture(nudge):
    model = vipl.marginal(shifted_model(2.0), ["x"], vipl.Exact())
    evidence = np.log([0.7, 0.3]) + log_normal(2.0, np.array([0.0, 3.0]), 2.0)
    params = {
        "logits": evidence,
        "loc": np.array([[1.0], [-0.5]]) + nudge,
        "scale": np.full((2, 1), raw(0.5**0.5)),
    }
    family = guides.Mixture(2, full_rank=False)
    return Known(model, with_values(family, model, **params), logsumexp(evidence))


@vipl.program
def kinds_model(y):
    hot = vipl.sample("hot", dist.OneHotCategorical(probs=jnp.array([0.4, 0.6])))
    vipl.sample("of hot", dist.Normal(hot[0], 1.0), obs=0.7)
    with vipl.plate("n", len(y)):
        kind = vipl.sample("kind", dist.Categorical(probs=jnp.array([0.2, 0.3, 0.5])))
        flip = vipl.sample("flip", dist.Bernoulli(0.4))
        vipl.sample("y", dist.Normal(kind, 0.8), obs=y)
        vipl.sample("w", dist.Normal(2.0 * flip, 1.0), obs=y + 0.3)


@case
def kinds_by_mean_field(nudge):
    y = np.array([0.3, 1.4, -0.2, 2.2])
    model = kinds_model(y)
    kinds = np.log([0.2, 0.3, 0.5]) + log_normal(y[:, None], np.arange(3), 0.64)
    flips = np.log([0.6, 0.4]) + log_normal(y[:, None] + 0.3, np.array([0, 2]), 1.0)
    hots = np.log([0.4, 0.6]) + log_normal(0.7, np.array([1, 0]), 1.0)
    posterior = with_values(
        guides.MeanField(),
        model,
        kind_logits=kinds + nudge * np.arange(3),
        flip_logits=flips[:, 1] - flips[:, 0],
        hot_logits=hots,
    )
    return Known(model, posterior, sum(logsumexp(row) for row in (*kinds, *flips, hots)))


@vipl.program
def branch_model(y):
    b = vipl.sample("b", dist.Bernoulli(0.3))
    low, high = (lambda d=d: vipl.sample("x", d) for d in (dist.Normal(-2.0, 1.0), dist.Normal(3.0, 0.5)))
    x = jax.lax.cond(b == 1, high, low)
    vipl.sample("y", dist.Normal(x, 1.0), obs=y)


@vipl.program
def branch_posterior(share, means, scales):
    b = vipl.sample("b", dist.Bernoulli(share))
    low, high = (lambda d=d: vipl.sample("x", d) for d in map(dist.Normal, means, scales))
    jax.lax.cond(b == 1, high, low)


@case
def site_in_branches(nudge):
    y, prior, wide = 0.9, np.array([-2.0, 3.0]), np.array([1.0, 0.25])
    evidence = np.log([0.7, 0.3]) + log_normal(y, prior, wide + 1)
    means, scales = (prior / wide + y) / (1 / wide + 1) + nudge, (1 / wide + 1) ** -0.5
    share = np.exp(evidence[1] - logsumexp(evidence))
    return Known(branch_model(y), branch_posterior(share, means, scales), logsumexp(evidence))


@vipl.program
def hidden_model(y, shift):
    def step(before, y):
        z = vipl.sample("z", dist.Categorical(jnp.array(MOVES)[before]))
        vipl.sample("y", dist.Normal(z - shift, 1.0), obs=y)
        return z, None

    jax.lax.scan(step, 0, y)


@case
def hidden_markov(nudge):
    model = hidden_model(SERIES, 0.0)
    log_weights = np.log([1.0, 1e-300, 1e-300])
    for y in SERIES:
        moved = np.logaddexp.reduce(log_weights[:, None] + np.log(MOVES), axis=0)
        log_weights = moved + log_normal(y, np.arange(3), 1.0)
    return Known(model, vipl.normalize(hidden_model(SERIES, nudge), vipl.Exact()), logsumexp(log_weights))
