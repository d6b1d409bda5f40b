"""The noisy cone (Becker et al. 2024, figure 2): a point seen through its squared distance from the origin.

The posterior is a ring. The guide here, written by hand, has independent normal x and y, so it covers one arc
of the ring: its evidence lower bound stays far below the log evidence. k̂ judges a guide only where it draws
and need not notice.
"""

import functools

import numpy as np

import vipl
import vipl.distributions as dist

TITLE = "noisy cone"
SHOWN = DRAWN = ("x", "y")
REMARK = "The posterior is a ring.\nThis guide covers one arc of it."


@vipl.program
def noisy_cone(z=None):
    """A noisy measurement `z` of the squared distance of (x, y) from the origin."""
    x = vipl.sample("x", dist.Normal(0.0, 10.0))
    y = vipl.sample("y", dist.Normal(0.0, 10.0))
    r = x**2 + y**2
    vipl.sample("z", dist.Normal(r, 0.1 + r / 100), obs=z)


@vipl.program
def naive_guide():
    """Independent normal distributions of x and y, with parameters to learn."""
    for address in ("x", "y"):
        loc = vipl.param(f"{address}_loc", 0.0)
        scale = vipl.param(f"{address}_scale", 2.7, constraint=dist.constraints.positive)
        vipl.sample(address, dist.Normal(loc, scale))


def load() -> dict:
    """Return the data by the names of the model's arguments."""
    return {"z": 5.0}


def fit(key, **options) -> vipl.Posterior:
    """Fit the guide, with 64 draws in each step, as in the paper."""
    return vipl.infer(noisy_cone(**load()), naive_guide(), key=key, num_samples=64, **options)


def draws(posterior, key, num_samples: int) -> dict:
    """Return draws of the parameters that the reference has."""
    return posterior.sample(key, num_samples)


@functools.cache
def quadrature():
    """Return the exact posterior on a grid, and the log evidence in nats.

    Returns:
        The grid's axis, `(601,)`, for x and y; the posterior density there, `(601, 601)`; the log evidence.
    """
    axis = np.linspace(-3.0, 3.0, 601)
    r = axis[:, None] ** 2 + axis**2
    log_joint = -np.log(2 * np.pi * 100) - r / 200 + _log_normal(load()["z"], r, 0.1 + r / 100)
    cell = (axis[1] - axis[0]) ** 2
    evidence = np.exp(log_joint).sum() * cell
    return axis, np.exp(log_joint) / evidence, float(np.log(evidence))


def reference() -> dict:
    """Return moments and quantiles of the posterior, by quadrature; x and y have the same."""
    axis, density, _ = quadrature()
    weights = density.sum(axis=0) / density.sum()
    mean = axis @ weights
    q05, q50, q95 = np.interp([0.05, 0.5, 0.95], np.cumsum(weights) - weights / 2, axis)
    row = {"mean": mean, "sd": np.sqrt((axis - mean) ** 2 @ weights), "q05": q05, "q50": q50, "q95": q95}
    row["density"] = {"from": axis[0], "to": axis[-1], "values": weights / (axis[1] - axis[0])}
    return {"x": row, "y": row}


def log_evidence() -> float:
    """Return the exact log p(z), in nats: above every evidence lower bound."""
    return quadrature()[2]


def _log_normal(value, mean, sd):
    return -0.5 * ((value - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)
