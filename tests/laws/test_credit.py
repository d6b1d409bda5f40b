"""Each choice is credited with exactly the costs that depend on it: the score function's variance is that by hand.

Where the draws are the same, so is every single gradient, which says more than equal variances. What credits too much
is far beyond the bounds.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import objectives
from vipl.estimators import ScoreFunction

COUNT, CHANCE = 64, 0.3


@vipl.expectation
def heads_in_a_loop(chance):
    flips = [vipl.sample(f"x{i}", dist.Bernoulli(chance), estimator=ScoreFunction()) for i in range(COUNT)]
    return sum(flips).astype(float)


@vipl.expectation
def heads_in_a_plate(chance):
    flips = vipl.sample("x", dist.Bernoulli(chance).expand([COUNT]), estimator=ScoreFunction())
    return jnp.sum(flips).astype(float)


def heads_without_credit(key, chance):
    flips = jax.random.bernoulli(key, chance, (COUNT,))
    return jnp.sum(flips) * jnp.sum(jnp.where(flips, jnp.log(chance), jnp.log1p(-chance)))


def gradients(objective, count, *args):
    """Gradients in the last argument, one for each of so many keys."""
    gradient = jax.grad(objective, argnums=len(args))
    return jax.jit(jax.vmap(lambda key: gradient(key, *args)))(jax.random.split(jax.random.key(0), count))


@pytest.mark.statistical
@pytest.mark.parametrize("objective", [heads_in_a_loop, heads_in_a_plate], ids=["loop", "plate"])
def test_a_sum_of_flips(objective):
    """Without credit the standard deviation is 358."""
    assert np.std(gradients(objective, 20_000, CHANCE)) <= 13
    assert np.std(gradients(heads_without_credit, 20_000, CHANCE)) > 300


SIZE, PRIOR = 1024, 0.3
DATA = 2 * jax.random.normal(jax.random.key(5), (SIZE,))
LOGITS = jax.random.normal(jax.random.key(6), (SIZE,))


@vipl.program
def mixture(data):
    with vipl.plate("element", SIZE):
        x = vipl.sample("x", dist.Bernoulli(PRIOR))
        vipl.sample("y", dist.Normal(1.5 * x, 1.0), obs=data)


@vipl.program
def flips(logits):
    with vipl.plate("element", SIZE):
        vipl.sample("x", dist.Bernoulli(logits=logits), estimator=ScoreFunction())


@vipl.expectation(has_aux=True)
def elbo_and_draws(logits):
    trace = vipl.simulate(flips(logits))
    return vipl.log_density(mixture(DATA), trace) - trace.log_density, trace["x"]


def elbo_by_hand(draws, logits, *, with_own_score=False):
    """Credit element by element; the derivative of log q itself, of mean zero, is dropped."""
    log_q = draws * logits - jax.nn.softplus(logits)
    prior = jnp.where(draws == 1, jnp.log(PRIOR), jnp.log1p(-PRIOR))
    costs = prior - 0.5 * (DATA - 1.5 * draws) ** 2 - 0.5 * jnp.log(2 * jnp.pi) - log_q
    return jnp.sum(lax.stop_gradient(costs) * log_q) - with_own_score * jnp.sum(log_q)


@pytest.mark.statistical
def test_a_plate_in_an_elbo():
    def variance(objective):
        return gradients(objective, 2000, LOGITS).var(axis=0).sum()

    def by_hand(key, logits, **options):
        draws = jax.random.bernoulli(jax.random.fold_in(key, 7), jax.nn.sigmoid(LOGITS)).astype(float)
        return elbo_by_hand(draws, logits, **options)

    least = variance(by_hand)
    assert variance(lambda key, logits: objectives.elbo(key, mixture(DATA), flips(logits))) <= 1.05 * least
    assert variance(lambda key, logits: by_hand(key, logits, with_own_score=True)) > 1.3 * least


def test_a_plate_in_an_elbo_draw_by_draw(key):
    draw = jax.jit(jax.vmap(lambda key: jax.grad(elbo_and_draws, argnums=1, has_aux=True)(key, LOGITS)))
    ours, draws = draw(jax.random.split(key, 10))
    by_hand = jax.vmap(lambda x: jax.grad(elbo_by_hand, argnums=1)(x.astype(float), LOGITS))(draws)
    np.testing.assert_allclose(ours, by_hand, atol=1e-5)


def chain(length):
    """A Markov chain of flips, a cost at each step; returns the costs' expectation and the flips."""

    @vipl.expectation(has_aux=True)
    def objective(theta):
        def step(x, t):
            x = vipl.sample("x", dist.Bernoulli(logits=theta[0] + theta[1] * x), estimator=ScoreFunction())
            x = x.astype(float)
            return x, (cost(x, t), x)

        costs, xs = lax.scan(step, 0.0, jnp.arange(length))[1]
        return jnp.sum(costs), xs

    return objective


def cost(x, t):
    return (x - 0.3) ** 2 * (1 + 0.1 * t)


def chain_by_hand(xs, theta, *, credit):
    logits = theta[0] + theta[1] * jnp.concatenate([jnp.zeros(1), xs[:-1]])
    return jnp.sum(credit(cost(xs, jnp.arange(len(xs)))) * (xs * logits - jax.nn.softplus(logits)))


def from_then_on(costs):
    return jnp.cumsum(costs[::-1])[::-1]


def all_of_them(costs):
    return jnp.sum(costs)


@pytest.mark.statistical
@pytest.mark.parametrize("length", [10, 100])
def test_a_chain_in_scan(length):
    theta = jnp.array([0.3, -0.7])

    @jax.jit
    @jax.vmap
    def draw(key):
        ours, xs = jax.grad(chain(length), argnums=1, has_aux=True)(key, theta)
        return ours, *(jax.grad(chain_by_hand, 1)(xs, theta, credit=credit) for credit in (from_then_on, all_of_them))

    ours, causal, uncausal = map(np.asarray, draw(jax.random.split(jax.random.key(0), 4000)))
    np.testing.assert_allclose(ours, causal, rtol=1e-4, atol=1e-3)
    assert abs(ours.var(axis=0).sum() / causal.var(axis=0).sum() - 1) < 0.05
    assert uncausal.var(axis=0).sum() > 1.5 * causal.var(axis=0).sum()
