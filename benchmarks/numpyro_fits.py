"""The benchmarks' programs in NumPyro, fitted by its SVI: mean field, same optimiser, same steps."""

from __future__ import annotations

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
import optax
import problems
from numpyro.infer import SVI, Trace_ELBO, autoguide


def eight_schools(sigma, y=None):
    """Effects of coaching in eight schools."""
    mu = numpyro.sample("mu", dist.Normal(0.0, 5.0))
    tau = numpyro.sample("tau", dist.HalfCauchy(5.0))
    with numpyro.plate("school", sigma.shape[0]):
        eta = numpyro.sample("eta", dist.Normal(0.0, 1.0))
        numpyro.sample("y", dist.Normal(mu + tau * eta, sigma), obs=y)


def logistic_regression(x, y=None):
    """Logistic regression."""
    intercept = numpyro.sample("intercept", dist.Normal(0.0, 5.0))
    with numpyro.plate("covariate", x.shape[1]):
        weights = numpyro.sample("weights", dist.Normal(0.0, 1.0))
    with numpyro.plate("data", x.shape[0]):
        numpyro.sample("y", dist.Bernoulli(logits=x @ weights + intercept), obs=y)


def radon(county, floor, uranium, y=None):
    """Radon in Minnesota."""
    level = numpyro.sample("level", dist.Normal(0.0, 10.0))
    basement = numpyro.sample("basement", dist.Normal(0.0, 10.0))
    soil = numpyro.sample("soil", dist.Normal(0.0, 10.0))
    spread = numpyro.sample("spread", dist.HalfNormal(1.0))
    noise = numpyro.sample("noise", dist.HalfNormal(1.0))
    with numpyro.plate("county", problems.COUNTIES):
        eta = numpyro.sample("eta", dist.Normal(0.0, 1.0))
    with numpyro.plate("house", county.shape[0]):
        mean = level + spread * eta[county] + soil * uranium + basement * floor
        numpyro.sample("y", dist.Normal(mean, noise), obs=y)


def hierarchy(group, y=None):
    """Four hundred groups."""
    mean = numpyro.sample("mean", dist.Normal(0.0, 10.0))
    spread = numpyro.sample("spread", dist.HalfNormal(5.0))
    noise = numpyro.sample("noise", dist.HalfNormal(5.0))
    with numpyro.plate("group", problems.GROUPS):
        theta = numpyro.sample("theta", dist.Normal(mean, spread))
    with numpyro.plate("datum", group.shape[0]):
        numpyro.sample("y", dist.Normal(theta[group], noise), obs=y)


MODELS = {
    "eight_schools": eight_schools,
    "logistic_regression": logistic_regression,
    "radon": radon,
    "hierarchy": hierarchy,
}


def fit(name: str, key, data, num_steps: int):
    """Run SVI; returns params and history."""
    model = MODELS[name]
    guide = autoguide.AutoNormal(model, init_loc_fn=numpyro.infer.init_to_uniform(radius=0.0))
    adam = numpyro.optim.optax_to_numpyro(optax.adam(optax.cosine_decay_schedule(0.03, num_steps)))
    svi = SVI(model, guide, adam, Trace_ELBO())
    result = svi.run(key, num_steps, *map(jnp.asarray, data), progress_bar=False)
    return result.params, -result.losses
