"""Truncated laws: draws at every level of the uniform noise, and their derivatives, against quantiles of SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats as st

import vipl.distributions as dist
from vipl.distributions.base_noise import draw_noise, noise_of, transport

LAWS = {
    "normal": (dist.Normal, st.norm),
    "cauchy": (dist.Cauchy, st.cauchy),
    "laplace": (dist.Laplace, st.laplace),
    "logistic": (dist.Logistic, st.logistic),
}
BOUNDS = {"low": (0.0, None), "high": (None, 0.0), "both": (-0.5, 1.0), "wide": (-3.0, 4.0), "in a tail": (2.0, 2.5)}
LOCS = jnp.array([-3.0, -1.0, 0.0, 0.3, 2.0, 5.0])
STEP = 2.0**-23  # of the uniform noise
ENDS = jnp.array([0.0, STEP, 2 * STEP, 1e-4, 0.25, 0.5, 0.75, 0.999, 1 - 2 * STEP, 1 - STEP])


def truncated(law, loc, scale, low, high):
    base = law(loc, scale)
    if low is None:
        return dist.RightTruncatedDistribution(base, high)
    return (
        dist.LeftTruncatedDistribution(base, low)
        if high is None
        else dist.TwoSidedTruncatedDistribution(base, low, high)
    )


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("law", LAWS)
def test_draws_are_quantiles(law, bounds):
    ours, theirs = LAWS[law]
    low, high = BOUNDS[bounds]
    d = truncated(ours, LOCS, 1.2, low, high)
    noise = jnp.broadcast_to(ENDS[:, None], (len(ENDS), len(LOCS)))
    drawn = jax.vmap(lambda u: transport(d, u)[0])(noise)
    base = theirs(np.asarray(LOCS), 1.2)
    bottom, top = -np.inf if low is None else low, np.inf if high is None else high
    level = np.asarray(noise, np.float64) + STEP / 2
    below = (1 - level) * base.cdf(bottom) + level * base.cdf(top)
    above = (1 - level) * base.sf(bottom) + level * base.sf(top)
    expected = np.where(below < above, base.ppf(below), base.isf(above))
    np.testing.assert_allclose(drawn, expected, rtol=1e-3, atol=1e-4)
    assert bool(jnp.all(d.support(drawn)))


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("law", LAWS)
def test_derivatives_are_finite_at_both_ends(law, bounds):
    def of(params, u):
        return transport(truncated(LAWS[law][0], *params, *BOUNDS[bounds]), u)

    params = (LOCS, jnp.full_like(LOCS, 1.2))
    for derivative in (jax.jacfwd(of), jax.jacfwd(jax.jacfwd(of)))[: 2 if law == "normal" else 1]:
        found = jax.vmap(derivative, (None, 0))(params, jnp.broadcast_to(ENDS[:, None], (len(ENDS), len(LOCS))))
        assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(found))


def test_numpyro_s_sampler_is_infinite_at_one_end():
    """What this is for."""
    assert not np.isfinite(dist.TruncatedNormal(0.0, 1.0, low=0.0).icdf(jnp.float32(1 - STEP / 2)))
    assert np.isfinite(transport(dist.TruncatedNormal(0.0, 1.0, low=0.0), jnp.float32(1 - STEP))[0])


def test_shapes(key):
    d = dist.TruncatedNormal(jnp.zeros((3, 1)), 1.0, low=jnp.array([-1.0, 0.5])).expand((4, 3, 2)).to_event(1)
    noise = noise_of(d)
    assert (noise.kind, noise.shape) == ("uniform", (4, 3, 2))
    value, density = transport(d, draw_noise(noise, key))
    assert value.shape == (4, 3, 2)
    assert density.shape == (4, 3)
    np.testing.assert_allclose(density, d.log_prob(value), rtol=1e-5)
