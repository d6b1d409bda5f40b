"""Paths towards the posterior from points where the density is next to nothing, or nothing at all."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl.guides.latents import latents_of
from vipl.guides.start import find, pathfinder
from vipl.tracing.survey import survey

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def counts(x, y):
    """A Poisson regression on a cubic: at most points its rates are astronomical."""
    level = vipl.sample("level", dist.Uniform(-20.0, 20.0))
    slopes = vipl.sample("slopes", dist.Uniform(-10.0, 10.0).expand([3]).to_event(1))
    with vipl.plate("data", x.shape[0]):
        vipl.sample("y", dist.Poisson(jnp.exp(level + jnp.stack([x, x**2, x**3], 1) @ slopes)), obs=y)


def regression(width):
    """Data of a rate that is known, on an interval of some width."""
    x = np.linspace(-width, width, 40)
    rate = np.exp(3.0 + 0.5 * (x / width) - 0.3 * (x / width) ** 2)
    return counts(jnp.asarray(x, jnp.float32), np.random.default_rng(0).poisson(rate))


def paths(model, key):
    latents = latents_of(survey(model), "test")
    target, random = find.Target(model, latents.together), find.random_of(key)
    return find.follow_all(target, latents.together.size, random, find.NUM_PATHS)


WIDTHS = {"finite, and steep": 1.0, "steeper": 1.8, "infinite": 4.0}


def arrived(width):
    """Count the paths that come within three nats of the best, of each of four keys."""
    model = regression(width)
    bounds = [[one.elbo for one in paths(model, jax.random.key(seed))] for seed in range(4)]
    best = max((bound for found in bounds for bound in found), default=-np.inf)
    return [sum(bound > best - 3.0 for bound in found) for found in bounds]


@pytest.mark.parametrize("width", WIDTHS)
def test_paths_arrive(width):
    assert min(arrived(WIDTHS[width])) >= find.NUM_PATHS - 1


def test_from_far_out_few_arrive(monkeypatch):
    monkeypatch.setattr(find, "_HALVINGS", 0)
    assert min(arrived(4.0)) == 0


def test_with_an_endless_fall_few_arrive(monkeypatch):
    """Where a point without a density is put as far down as can be, as is usual."""
    monkeypatch.setattr(pathfinder, "_FAR", 1e30)
    assert min(arrived(4.0)) == 0


def test_a_fit_from_there(key):
    posterior = vipl.infer(regression(1.8), vipl.guides.FullRank(), key=key, num_steps=2000, progress=False)
    assert posterior.verdict == "good"
    np.testing.assert_allclose(posterior.expectation(lambda draw: draw["level"]).mean, 3.0, atol=0.3)
