"""Models of every day: regression, hierarchies, latent classes, flat priors, a network."""

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro import handlers
from numpyro.distributions import constraints
from numpyro.infer.autoguide import AutoNormal

from numpyro_programs.case import normal, positive


def eight_schools(sigma, y=None):
    mu = numpyro.sample("mu", dist.Normal(0, 5))
    tau = numpyro.sample("tau", dist.HalfCauchy(5))
    with numpyro.plate("school", len(sigma)):
        theta = numpyro.sample("theta", dist.Normal(mu, tau))
        numpyro.sample("obs", dist.Normal(theta, sigma), obs=y)


def eight_schools_guide(sigma, y=None, theta="theta"):
    normal("mu")
    positive("tau")
    with numpyro.plate("school", len(sigma)):
        normal(theta, shape=(len(sigma),))


def regression(x, y=None):
    slope = numpyro.sample("slope", dist.Normal(0.0, 1.0).expand([2]).to_event(1))
    sigma = numpyro.sample("sigma", dist.Exponential(1.0))
    mean = numpyro.deterministic("mean", slope[0] + slope[1] * x)
    with numpyro.plate("data", x.shape[0]):
        numpyro.sample("y", dist.Normal(mean, sigma), obs=y)


def regression_guide(x, y=None):
    loc = numpyro.param("loc", lambda key: 0.3 * jax.random.normal(key, (2,)))
    factor = numpyro.param("factor", jnp.array([[0.4, 0.0], [0.1, 0.3]]), constraint=constraints.lower_cholesky)
    numpyro.sample("slope", dist.MultivariateNormal(loc, scale_tril=factor))
    positive("sigma")


def automatic(model, *args):
    """Return NumPyro's own mean field for a model that it has seen."""
    guide = AutoNormal(model, init_scale=0.3)
    handlers.seed(guide, 0)(*args)
    return guide


def discrete(y):
    weights = numpyro.sample("weights", dist.Dirichlet(jnp.ones(3)))
    means = jnp.array([-1.0, 0.0, 1.0])
    with numpyro.plate("data", len(y)):
        z = numpyro.sample("z", dist.Categorical(weights), infer={"enumerate": "parallel"})
        numpyro.sample("y", dist.Normal(means[z], 0.5), obs=y)


def discrete_guide(y):
    numpyro.sample(
        "weights", dist.Dirichlet(numpyro.param("alpha", 4.0 * jnp.ones(3), constraint=constraints.positive))
    )
    with numpyro.plate("data", len(y)):
        probs = numpyro.param("probs", jnp.full((len(y), 3), 1 / 3), constraint=constraints.simplex)
        numpyro.sample("z", dist.Categorical(probs))


def correlated(y):
    factor = numpyro.sample("factor", dist.LKJCholesky(2, 2.0))
    with numpyro.plate("data", len(y)):
        numpyro.sample("y", dist.MultivariateNormal(jnp.zeros(2), scale_tril=factor), obs=y)


def correlated_guide(y):
    numpyro.sample("factor", dist.LKJCholesky(2, numpyro.param("eta", 3.0, constraint=constraints.positive)))


def improper(y):
    mu = numpyro.sample("mu", dist.ImproperUniform(constraints.real, (), ()))
    scale = numpyro.sample("scale", dist.ImproperUniform(constraints.positive, (), event_shape=()))
    with numpyro.plate("data", len(y)):
        numpyro.sample("y", dist.Normal(mu, scale), obs=y)
    numpyro.factor("jeffreys", -jnp.log(scale))


def improper_guide(y):
    normal("mu")
    positive("scale")


def amortised(pixels):
    weights = numpyro.param("decoder", {"w": 0.5 * jnp.ones((2, 4)), "b": jnp.zeros(4)})
    with numpyro.plate("images", len(pixels)):
        z = numpyro.sample("z", dist.Normal(jnp.zeros(2), 1.0).to_event(1))
        logits = z @ weights["w"] + weights["b"]
        numpyro.sample("pixels", dist.Bernoulli(logits=logits).to_event(1), obs=pixels)


def amortised_guide(pixels):
    weights = numpyro.param("encoder", lambda key: {"w": 0.5 * jax.random.normal(key, (4, 2)), "b": jnp.zeros(2)})
    with numpyro.plate("images", len(pixels)):
        loc = jnp.tanh(pixels @ weights["w"] + weights["b"])
        numpyro.sample("z", dist.Normal(loc, 0.8).to_event(1))
