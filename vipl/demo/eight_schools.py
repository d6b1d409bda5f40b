"""Eight schools (Rubin 1981): does coaching for a test help, and how differently in each school?

Non-centred: a school's effect is `mu + tau * eta` with a standard normal `eta`, which a mean-field guide fits
better than an effect drawn around `mu`. The effects `theta` are computed: `posterior.predict` returns them.
"""

import jax.numpy as jnp

import vipl
import vipl.distributions as dist
from vipl.demo.reference import read

TITLE = "eight schools"
SHOWN = ("mu", "tau", *(f"theta[{j}]" for j in range(8)))
DRAWN = ("mu", "tau", "theta[0]", "theta[2]", "theta[6]")


@vipl.program
def eight_schools(sigma, y=None):
    """Estimated effects `y` of eight schools, with standard errors `sigma`, both `(8,)`."""
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    tau = vipl.sample("tau", dist.HalfCauchy(5.0))
    with vipl.plate("school", sigma.shape[0]):
        eta = vipl.sample("eta", dist.Normal(0.0, 1.0))
        theta = vipl.deterministic("theta", mu + tau * eta)
        vipl.sample("y", dist.Normal(theta, sigma), obs=y)


def load() -> dict:
    """Return the data by the names of the model's arguments."""
    return {
        "sigma": jnp.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]),
        "y": jnp.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]),
    }


def fit(key, **options) -> vipl.Posterior:
    """Fit a mean-field guide."""
    return vipl.infer(eight_schools(**load()), key=key, **options)


def draws(posterior, key, num_samples: int) -> dict:
    """Return draws of the parameters that the reference has."""
    latent = posterior.sample(key, num_samples)
    computed = posterior.predict(key, num_samples=num_samples)
    return {"mu": latent["mu"], "tau": latent["tau"], "theta": computed["theta"]}


def reference() -> dict:
    """Return moments and quantiles of the posterior: Stan's, from posteriordb."""
    return read("eight_schools")["reference"]
