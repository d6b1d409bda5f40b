"""With the posterior as guide, the evidence lower bound of a single draw is the log evidence, to 1e-9."""

import jax
import numpy as np
import pytest
from exact_posteriors import families, hierarchical, linear, mixtures  # noqa: F401
from exact_posteriors.registry import CASES

from vipl.objectives import elbo

pytestmark = pytest.mark.usefixtures("x64", "quick_compilation")


@jax.jit
def single_draws(model, posterior, keys):
    return jax.vmap(lambda key: elbo(key, model, posterior))(keys)


def worst(known, seed=0):
    """How far single draws are from the log evidence."""
    found = single_draws(known.model, known.posterior, jax.random.split(jax.random.key(seed), 5))
    return np.max(np.abs(found - known.log_evidence))


@pytest.mark.parametrize("name", CASES)
def test_a_single_draw_is_the_log_evidence(name):
    assert worst(CASES[name](0.0)) < 1e-9
    assert worst(CASES[name](0.02)) > 1e-5, "a posterior that is a little wrong passes too"
