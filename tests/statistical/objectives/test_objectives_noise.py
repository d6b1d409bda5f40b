"""How noisy the gradients of objectives of particles are, as particles are added, and with the baselines of VIMCO."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conjugate import of_parameters, sample

import vipl
import vipl.distributions as dist
from vipl import objectives
from vipl.estimators import ScoreFunction

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("x64")]


def test_signal_to_noise():
    """Of the guide's parameters: as √K for DReG, as 1/√K for the plain gradient; factors of 2.83 from 8 to 64."""
    theta = jnp.array([0.3, -0.1, 0.0])
    ratios = []
    for count in (1, 8, 64):
        found = [
            np.asarray(sample(jax.grad(of_parameters(objectives.iwelbo(count, gradient)), 1), 10_000, theta))[:, :2]
            for gradient in ("plain", "dreg")
        ]
        signal = np.abs(found[1].mean(axis=0))  # the mean of both, better known
        ratios.append([signal / samples.std(axis=0) for samples in found])
    (plain, dreg) = np.moveaxis(np.array(ratios), 1, 0)
    assert (np.diff(plain, axis=0) < 0).all()
    assert (np.diff(dreg, axis=0) > 0).all()
    assert (plain[2] / plain[1] < 1 / 1.8).all()
    assert (dreg[2] / dreg[1] > 2.2).all()
    assert (dreg[2] > 50 * plain[2]).all()


@vipl.program
def mixed_model():
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    b = vipl.sample("b", dist.Bernoulli(0.5))
    vipl.sample("y", dist.Normal(x + b, 1.0), obs=30.0)


@vipl.program
def mixed_guide(t, estimator=None):
    x = vipl.sample("x", dist.Normal(t, 1.0), estimator=estimator)
    vipl.sample("b", dist.Bernoulli(logits=t + x))


def spread(objective, estimator=None):
    gradient = jax.grad(lambda key, t: objective(key, mixed_model(), mixed_guide(t, estimator)), 1)
    return sample(gradient, 2000, 0.5).std()


@pytest.mark.parametrize("estimator", [None, ScoreFunction()], ids=repr)
def test_vimco_scores_the_sites_that_need_it(estimator):
    """A score of the reparameterised site would be noise times the value, which is below −100."""
    assert spread(objectives.iwelbo(8, "vimco"), estimator) < 0.2 * spread(objectives.iwelbo(8), estimator)


def test_several_samples_do_not_subtract_a_second_baseline():
    """By default choices compare samples, which removes what VIMCO has removed already."""
    one, four = (spread(objectives.iwelbo(8, "vimco").with_num_samples(n)) for n in (1, 4))
    assert 0.8 < one / (2 * four) < 1.25


@vipl.program
def minibatch(logit):
    with vipl.plate("n", 1000, subsample_size=2):
        vipl.sample("x", dist.Bernoulli(logits=logit))


@vipl.program
def data(y):
    with vipl.plate("n", 1000, subsample_size=2) as index:
        x = vipl.sample("x", dist.Bernoulli(0.4))
        vipl.sample("y", dist.Normal(x, 1.0), obs=y[index])


def test_a_minibatch_is_drawn_once_and_not_scaled():
    """With a score that is scaled up like the density, 500 times, there would be more noise than without."""
    y = jnp.linspace(0, 1, 1000)

    def noise(objective):
        return sample(jax.grad(lambda key, logit: objective(key, data(y), minibatch(logit)), 1), 2000, 0.3).std()

    assert noise(objectives.iwelbo(8, "vimco")) < 0.5 * noise(objectives.iwelbo(8))
