"""Hierarchies, plates and scans whose posterior is normal, or log-normal, given what is above."""

import jax.numpy as jnp
import numpy as np
from jax import lax

import vipl
import vipl.distributions as dist
from exact_posteriors.registry import Known, case, condition_normal, log_normal, raw, raw_triangle, with_values
from vipl import guides


@vipl.program
def funnel_model(y):
    v = vipl.sample("v", dist.Normal(0.0, 1.0))
    with vipl.plate("n", 3):
        vipl.sample("x", dist.Normal(v, jnp.exp(v)))
    vipl.sample("y", dist.Normal(v, 1.0), obs=y)


def funnel(family, **params):
    model = funnel_model(0.8)
    return Known(model, with_values(family, model, **params), log_normal(0.8, 0.0, 2.0))


NORMAL_V = np.array([0.4, 0, 0, 0]), np.array([0.5**0.5, 1, 1, 1])  # x relative to its prior


@case
def funnel_by_asvi(nudge):
    params = {"x_share": np.full(3, 50.0), "asvi_loc": NORMAL_V[0] + nudge, "asvi_scale": raw(NORMAL_V[1])}
    return funnel(guides.ASVI(), **params)


@case
def funnel_by_full_rank(nudge):
    family = guides.FullRank(noncentered=True)
    return funnel(family, loc=NORMAL_V[0] + nudge, scale_tril=raw_triangle(np.diag(NORMAL_V[1] ** 2)))


@case
def funnel_by_structured(nudge):
    return funnel(guides.Structured(), loc=NORMAL_V[0] + nudge, scale=raw(NORMAL_V[1]))


@vipl.program
def positive_model(y):
    with vipl.plate("rows", 2, dim=-2), vipl.plate("columns", 3, dim=-1):
        x = vipl.sample("inner", inner())
        vipl.sample("y", dist.Normal(jnp.log(x), 0.5), obs=y)


@vipl.program
def inner():
    return vipl.sample("x", dist.LogNormal(0.3, 0.8))


@case
def log_normals_in_nested_plates(nudge):
    y = np.array([[0.4, -1.1, 0.2], [1.3, 0.0, -0.6]])
    model = positive_model(y)
    precision = 0.8**-2 + 0.5**-2
    loc = (0.3 / 0.8**2 + y / 0.5**2) / precision + nudge
    posterior = with_values(guides.MeanField(), model, loc=loc, scale=np.full((2, 3), raw(precision**-0.5)))
    return Known(model, posterior, np.sum(log_normal(y, 0.3, 0.8**2 + 0.5**2)))


@vipl.program
def local_model(y):
    with vipl.plate("n", 6, subsample_size=2):
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(x, 1.0), obs=jnp.full(2, y))


@case
def equal_data_in_a_subsampled_plate(nudge):
    """Whatever the subsample: all elements are the same."""
    model = local_model(0.9)
    posterior = with_values(guides.FullRank(), model, loc=np.full(6, 0.45 + nudge), scale=np.full(6, raw(0.5**0.5)))
    return Known(model, posterior, 6 * log_normal(0.9, 0.0, 2.0))


BEFORE = [
    0.2159264087677002,
    0.11877140402793884,
    -0.0794544667005539,
    0.037677474319934845,
    -0.2788584530353546,
    -0.14841559529304504,
    -0.32509058713912964,
    -0.22957903146743774,
    -0.44110894203186035,
    -0.09830781817436218,
]
AFTER = [
    -0.878601610660553,
    -0.8373607397079468,
    -0.7384849190711975,
    -0.8939254283905029,
    -0.7774565815925598,
    -0.7023871541023254,
    -0.8777156472206116,
    -0.5185357332229614,
    -0.6948214173316956,
    -0.6202788949012756,
]


@vipl.program
def motion_model(y, seen, q, r):
    def step(last, at):
        x = vipl.sample("x", dist.Normal(last, q))
        vipl.sample("y", dist.Normal(x, r).mask(at[1]), obs=at[0])
        return x, None

    lax.scan(step, 0.0, (y, seen))


@case
def brownian_motion(nudge):
    """A scan with missing data, of the TensorFlow Probability Inference Gym; its evidence was computed elsewhere."""
    y, seen, q, r = np.array([*BEFORE, *np.zeros(10), *AFTER]), np.arange(30) // 10 != 1, 0.1, 0.15
    model = motion_model(y, seen, q, r)
    time = np.arange(1, 31)
    prior = q**2 * np.minimum(time[:, None], time)
    noise = np.full(seen.sum(), r**2)
    mean, covariance, log_evidence = condition_normal(np.zeros(30), prior, np.eye(30)[seen], noise, y[seen])
    params = {"loc": mean + nudge, "scale_tril": raw_triangle(covariance)}
    assert abs(log_evidence - 5.613043490773798) < 1e-9
    return Known(model, with_values(guides.FullRank(), model, **params), 5.613043490773798)
