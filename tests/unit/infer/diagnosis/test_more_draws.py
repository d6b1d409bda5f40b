"""Weights that are nearly equal, with a high k̂, are judged by ten times the draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl.infer.draws import weighed

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def mixed(share, wide):
    """A standard normal, of which a share is wider."""
    parts = [dist.Normal(), dist.Normal(0.0, wide)]
    vipl.sample("x", dist.MixtureGeneral(dist.Categorical(jnp.array([1 - share, share])), parts))
    vipl.sample("y", dist.Normal(), obs=0.0)


@vipl.program
def guide():
    vipl.sample("x", dist.Normal())


def fitted(share, wide):
    return vipl.infer(mixed(share, wide), guide(), key=jax.random.key(0), num_steps=0, progress=False)


def test_a_tail_that_is_left_out_stays_poor():
    posterior = fitted(0.01, 5.0)
    found = posterior.diagnose()
    assert found.num_draws == 100_000
    assert found.effective_share > 0.9
    assert (found.verdict, posterior.verdict) == ("poor", "poor")
    assert found.khat == posterior.khat
    assert posterior.diagnose(num_samples=10_000).num_draws == 10_000


def test_the_draws_begin_with_those_that_left_it_open():
    posterior = fitted(0.01, 5.0)
    few, many = posterior._weighed_with(jax.random.key(1), 10_000), posterior._weighed_with(jax.random.key(1))
    np.testing.assert_allclose(many.log_weights[:10_000], few.log_weights, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("share", "wide"), [(0.0, 5.0), (0.1, 1.2), (1.0, 2.5)])
def test_where_nothing_is_open_no_more_are_drawn(share, wide):
    """Exact, well covered, and poor beyond doubt: few effective draws."""
    assert fitted(share, wide).diagnose().num_draws == 10_000


def test_what_would_take_long_is_not_drawn(monkeypatch):
    monkeypatch.setattr(weighed, "_TERMS", 99_999)
    found = fitted(0.01, 5.0).diagnose()
    assert (found.num_draws, found.verdict) == (10_000, "poor")
