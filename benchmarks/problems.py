"""What the benchmarks fit: eight schools, logistic regression, the radon hierarchy, and one of four hundred groups."""

from __future__ import annotations

import json
import pathlib

import numpy as np

import vipl
import vipl.distributions as dist

COUNTIES = 85
GROUPS, IN_EACH = 400, 8


@vipl.program
def eight_schools(sigma, y=None):
    """Effects of coaching in eight schools (Rubin 1981), non-centred."""
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    tau = vipl.sample("tau", dist.HalfCauchy(5.0))
    with vipl.plate("school", sigma.shape[0]):
        eta = vipl.sample("eta", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(mu + tau * eta, sigma), obs=y)


@vipl.program
def logistic_regression(x, y=None):
    """Logistic regression with independent normal priors."""
    intercept = vipl.sample("intercept", dist.Normal(0.0, 5.0))
    with vipl.plate("covariate", x.shape[1]):
        weights = vipl.sample("weights", dist.Normal(0.0, 1.0))
    with vipl.plate("data", x.shape[0]):
        vipl.sample("y", dist.Bernoulli(logits=x @ weights + intercept), obs=y)


@vipl.program
def radon(county, floor, uranium, y=None):
    """Log radon in the houses of Minnesota, with an intercept for each county, non-centred."""
    level = vipl.sample("level", dist.Normal(0.0, 10.0))
    basement = vipl.sample("basement", dist.Normal(0.0, 10.0))
    soil = vipl.sample("soil", dist.Normal(0.0, 10.0))
    spread = vipl.sample("spread", dist.HalfNormal(1.0))
    noise = vipl.sample("noise", dist.HalfNormal(1.0))
    with vipl.plate("county", COUNTIES):
        eta = vipl.sample("eta", dist.Normal(0.0, 1.0))
    with vipl.plate("house", county.shape[0]):
        mean = level + spread * eta[county] + soil * uranium + basement * floor
        vipl.sample("y", dist.Normal(mean, noise), obs=y)


@vipl.program
def hierarchy(group, y=None):
    """Means of four hundred groups around a mean of their own, a few data in each."""
    mean = vipl.sample("mean", dist.Normal(0.0, 10.0))
    spread = vipl.sample("spread", dist.HalfNormal(5.0))
    noise = vipl.sample("noise", dist.HalfNormal(5.0))
    with vipl.plate("group", GROUPS):
        theta = vipl.sample("theta", dist.Normal(mean, spread))
    with vipl.plate("datum", group.shape[0]):
        vipl.sample("y", dist.Normal(theta[group], noise), obs=y)


def data(name: str) -> tuple:
    """Return the arguments of a program, as NumPy arrays."""
    return _DATA_OF[name]()


def _schools():
    sigma = np.array([15, 10, 16, 11, 9, 11, 10, 18], np.float32)
    return sigma, np.array([28, 8, -3, 7, -1, 1, 18, 12], np.float32)


def _cancer():
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return ((x - x.mean(0)) / x.std(0)).astype(np.float32), y.astype(np.int32)


def _radon():
    path = pathlib.Path(vipl.__file__).parent / "demo" / "data" / "radon.json"
    table = json.loads(path.read_text())["data"]
    columns = [np.array(table[name], np.float32) for name in ("floor", "log_uranium", "log_radon")]
    return np.array(table["county"], np.int32), *columns


def _groups():
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(GROUPS, dtype=np.int32), IN_EACH)
    theta = random.normal(3.0, 2.0, GROUPS)
    return group, (theta[group] + random.normal(0.0, 4.0, len(group))).astype(np.float32)


_DATA_OF = {"eight_schools": _schools, "logistic_regression": _cancer, "radon": _radon, "hierarchy": _groups}
PROGRAMS = {
    "eight_schools": eight_schools,
    "logistic_regression": logistic_regression,
    "radon": radon,
    "hierarchy": hierarchy,
}
