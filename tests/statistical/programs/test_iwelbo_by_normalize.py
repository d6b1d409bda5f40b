"""The importance-weighted bound is the evidence lower bound with a posterior by importance sampling as guide."""

import jax
import numpy as np
import pytest
from scipy import stats

import vipl
import vipl.distributions as dist
from vipl import Importance, normalize, objectives

pytestmark = pytest.mark.usefixtures("quick_compilation")

K, Y = 5, 1.3


@vipl.program
def model(theta):
    x = vipl.sample("x", dist.Normal(theta, 1.0))
    vipl.sample("y", dist.Normal(x, 0.5), obs=Y)


@vipl.program
def guide(loc):
    vipl.sample("x", dist.Normal(loc, 0.8))


def by_normalize(key, theta, loc):
    return objectives.elbo(key, model(theta), normalize(model(theta), Importance(guide(loc), num_particles=K)))


def by_iwelbo(key, theta, loc):
    return objectives.iwelbo(K)(key, model(theta), guide(loc))


def estimates(bound):
    keys = jax.random.split(jax.random.key(0), 2000)
    return jax.jit(jax.vmap(jax.value_and_grad(bound, (1, 2)), (0, None, None)))(keys, 0.4, 0.9)


def test_value_and_gradient():
    """They are one at each key, in value and in both gradients, and so in the mean; the plain bound is not."""
    ours, theirs = estimates(by_normalize), estimates(by_iwelbo)
    for one, other in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    plain = estimates(lambda key, theta, loc: objectives.elbo(key, model(theta), guide(loc)))
    assert plain[0].mean() + 0.1 < ours[0].mean() < stats.norm.logpdf(Y, 0.4, np.sqrt(1.25))
    assert abs(plain[1][1].mean() - ours[1][1].mean()) > 0.1
