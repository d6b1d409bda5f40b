"""Fits of a posterior that is exactly normal, and correlated: families that hold it find it."""

import jax
import numpy as np
import pytest
from exact_posteriors.linear import REGRESSION, regression
from guide_families import FAMILIES

import vipl
from vipl import guides

pytestmark = [
    pytest.mark.usefixtures("quick_compilation"),
    pytest.mark.filterwarnings("ignore:data of type float64 are rounded"),
]

MEAN, COVARIANCE, LOG_EVIDENCE = REGRESSION
HOLDING_IT = {
    "flow": FAMILIES["flow_coupling"],
    "full_rank": guides.FullRank(),
    "laplace": guides.Laplace(),
    "low_rank": guides.LowRank(4),
    "mixture": guides.Mixture(2),
}


def fitted(family, seed=0):
    """Return the errors of a short fit: of the means, in standard deviations, of these as ratios, and of the bound."""
    options = {"progress": False} if isinstance(family, guides.Laplace) else {"progress": False, "num_samples": 8}
    posterior = vipl.infer(regression(), family, key=jax.random.key(seed), num_steps=4000, **options)
    assert posterior.status == "finished"
    draws = posterior.sample(jax.random.key(1), 40_000)
    values, spread = np.column_stack([draws["a"], draws["b"]]), np.sqrt(np.diag(COVARIANCE))
    means = np.max(np.abs(values.mean(0) - MEAN) / spread)
    return means, values.std(0) / spread, abs(posterior.elbo - LOG_EVIDENCE)


@pytest.mark.parametrize("name", HOLDING_IT)
def test_a_normal_posterior_is_found(name):
    means, ratios, bound = fitted(HOLDING_IT[name])
    assert means < 0.05
    assert 0.95 < ratios.min() < ratios.max() < 1.05
    assert bound < 0.01


def test_mean_field_finds_its_means_and_not_its_spreads():
    means, ratios, bound = fitted(guides.MeanField())
    assert means < 0.05
    assert ratios.min() < 0.8
    assert bound > 0.1
