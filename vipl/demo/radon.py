"""Radon in 919 houses of Minnesota (Gelman and Hill 2007): a hierarchical regression over 85 counties.

Each county has an intercept of its own, and all are drawn from one distribution, so that counties with few
houses borrow from the rest.
"""

import numpy as np

import vipl
import vipl.distributions as dist
from vipl.demo.reference import read

TITLE = "radon"
DRAWN = ("mu_alpha", "sigma_alpha", "beta_uranium", "beta_floor", "alpha[25]")
SHOWN = (*DRAWN, "alpha[69]", "sigma_y")


@vipl.program
def radon(county, floor, log_uranium, num_counties, log_radon=None):
    """Log radon of houses, given county, floor (0: basement) and the county's log uranium, all `(n,)`."""
    mu_alpha = vipl.sample("mu_alpha", dist.Normal(0.0, 10.0))
    sigma_alpha = vipl.sample("sigma_alpha", dist.HalfNormal(1.0))
    with vipl.plate("county", num_counties):
        eta = vipl.sample("eta", dist.Normal(0.0, 1.0))
        alpha = vipl.deterministic("alpha", mu_alpha + sigma_alpha * eta)
    beta_uranium = vipl.sample("beta_uranium", dist.Normal(0.0, 10.0))
    beta_floor = vipl.sample("beta_floor", dist.Normal(0.0, 10.0))
    sigma_y = vipl.sample("sigma_y", dist.HalfNormal(1.0))
    with vipl.plate("house", county.shape[0]):
        mean = alpha[county] + beta_uranium * log_uranium + beta_floor * floor
        vipl.sample("log_radon", dist.Normal(mean, sigma_y), obs=log_radon)


def load() -> dict:
    """Return the data by the names of the model's arguments."""
    data = read("radon")["data"]
    county = np.array(data["county"])
    floats = {name: np.array(data[name], np.float32) for name in ("floor", "log_uranium", "log_radon")}
    return {"county": county, "num_counties": int(county.max()) + 1, **floats}


def fit(key, **options) -> vipl.Posterior:
    """Fit a mean-field guide."""
    return vipl.infer(radon(**load()), key=key, **options)


def draws(posterior, key, num_samples: int) -> dict:
    """Return draws of the parameters that the reference has."""
    latent = posterior.sample(key, num_samples)
    computed = posterior.predict(key, num_samples=num_samples)
    return {name: values for name, values in latent.items() if name != "eta"} | {"alpha": computed["alpha"]}


def reference() -> dict:
    """Return moments and quantiles of the posterior, from a long run of NUTS."""
    return read("radon")["reference"]
