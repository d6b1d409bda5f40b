"""The page on wake-sleep prints what it shows; its fits are at the maximum of the likelihood, found without vipl."""

import re

import jax
import numpy as np
import optax
import pytest
from pages import DOCS, run
from scipy.optimize import minimize
from scipy.stats import norm

import vipl
from vipl import objectives

PAGE = "wake-sleep.md"


@pytest.fixture(scope="module")
def page():
    return run(PAGE)


@pytest.fixture(scope="module")
def maximum(page):
    """The best logit and centres, and their standard errors, by the sum over both groups."""
    y = np.asarray(page["y"], float)

    def evidence(values):
        logit, low, high = values
        of_low, of_high = -np.logaddexp(0.0, [logit, -logit])
        return np.logaddexp(of_low + norm.logpdf(y, low), of_high + norm.logpdf(y, high))

    best = minimize(lambda values: -evidence(values).mean(), [0.0, -1.0, 1.0]).x
    scores = [(evidence(best + step) - evidence(best - step)) / 2e-4 for step in 1e-4 * np.eye(3)]
    return best, np.sqrt(np.diag(np.linalg.inv(np.inner(scores, scores))))


def off(maximum, params):
    """Return how far a fit is from the maximum, in standard errors."""
    best, errors = maximum
    return np.abs(np.append(params["logit"], params["centres"]) - best) / errors


@pytest.mark.parametrize("way", ["infer", "by hand"])
def test_the_fit_is_at_the_maximum_and_the_guide_is_the_posterior(page, maximum, way):
    params = page["fit"].params if way == "infer" else page["of_model"] | page["of_guide"]
    assert off(maximum, params).max() < 0.5
    logit, (low, high) = float(params["logit"]), np.asarray(params["centres"], float)
    assert abs(params["slope"] - (high - low)) < 0.06
    assert abs(params["offset"] - (logit + (low**2 - high**2) / 2)) < 0.06


def test_one_weight_for_a_minibatch_misses_it(page, maximum):
    programs = page["model"](2000, 200, page["y"]), page["guide"](page["y"], 200)
    # Without the average of vipl's own optimiser, which takes most of the noise of such weights away.
    optimizer = optax.adam(optax.cosine_decay_schedule(0.03, 5000))
    options = {"objective": objectives.wake(10), "num_steps": 5000, "progress": False, "optimizer": optimizer}
    fits = [vipl.infer(*programs, key=jax.random.key(seed), **options) for seed in range(1, 6)]
    assert np.median([off(maximum, fit.params).max() for fit in fits]) > 1


def test_the_page_knows_the_maximum(maximum):
    text = " ".join((DOCS / PAGE).read_text().replace("−", "-").split())
    three = r"(\S+), {}(\S+) and (\S+)"
    shown = re.search(f"logit {three.format('centres ')}, with standard errors of {three.format('')} that", text)
    np.testing.assert_allclose(np.array(shown.groups(), float), np.concatenate(maximum), atol=0.005)
