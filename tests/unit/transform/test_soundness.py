"""Jumps on the way of a pathwise choice are named, with the user's line; what is continuous passes in silence."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased, draws
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import estimators


def warned(f):
    """Return what is said of an objective f(x), x pathwise."""

    @vipl.expectation
    def objective(loc):
        return f(vipl.sample("x", dist.Normal(loc, 1.0), estimator=estimators.Reparam()))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        objective.explain(0.5)
    assert all(issubclass(w.category, vipl.BiasWarning) for w in caught)
    return [str(w.message) for w in caught]


def scan_carrying_a_jump(x):
    count, _ = lax.scan(lambda c, t: (c + jnp.where(x > t, 1.0, 0.0), None), 0.0, jnp.arange(3.0))
    return count


def jump_of_the_carry(x):
    last, _ = lax.scan(lambda c, _: (jnp.where(c > 0.3, 1.0, c), None), x, None, length=3)
    return last


def jump_two_rounds_later(x):
    def step(carry, _):
        first, second, third = carry
        return (first, first, second), jnp.floor(third)

    return lax.scan(step, (x, 0.0, 0.0), None, length=4)[1].sum()


def cond_inside_scan(x):
    def step(c, t):
        return lax.cond(c > t, lambda c: c + 1.0, lambda c: c, c), None

    return lax.scan(step, x, jnp.arange(3.0))[0]


def while_until_small(x):
    return lax.while_loop(lambda c: c > 0.1, lambda c: c - 1.0, x)


def fori_with_a_floor(x):
    return lax.fori_loop(0, 3, lambda i, c: c + jnp.floor(x * i), 0.0)


def jump_before_another_pathwise_choice(x):
    loc = jnp.where(x > 0, 1.0, -1.0)
    return vipl.sample("y", dist.Normal(loc, 1.0), estimator=estimators.Reparam()) ** 2


LOUD = {
    "where": lambda x: jnp.where(x > 0, 1.0, 0.0),
    "cond": lambda x: lax.cond(x > 0, lambda: 1.0, lambda: 2.0),
    "switch": lambda x: lax.switch(jnp.int32(x), [lambda: 1.0, lambda: 2.0, lambda: 3.0]),
    "floor": lambda x: jnp.floor(x) * 1.0,
    "ceil": lambda x: jnp.ceil(x) * 1.0,
    "round": jnp.round,
    "sign": jnp.sign,
    "modulo": lambda x: x % 1.0,
    "argmax": lambda x: jnp.argmax(jnp.array([x, 1.0])) * 1.0,
    "argsort": lambda x: jnp.argsort(jnp.array([x, 1.0]))[0] * 1.0,
    "integer cast": lambda x: x.astype(int) * 1.0,
    "index by a cast": lambda x: jnp.arange(5.0)[jnp.clip(x, 0, 4).astype(int)],
    "index array searched": lambda x: jnp.searchsorted(jnp.arange(5.0), x) * 1.0,
    "nested jit": lambda x: jax.jit(lambda x: jnp.where(x > 0, 1.0, 0.0))(x),
    "remat": lambda x: jax.checkpoint(lambda x: jnp.where(x > 0, 1.0, 0.0))(x),
    "vmap": lambda x: jax.vmap(lambda t: jnp.where(x > t, 1.0, 0.0))(jnp.arange(3.0)).sum(),
    "scan carrying a jump": scan_carrying_a_jump,
    "jump of the carry": jump_of_the_carry,
    "jump two rounds later": jump_two_rounds_later,
    "cond inside scan": cond_inside_scan,
    "while": while_until_small,
    "fori": fori_with_a_floor,
    "slope of a clip": lambda x: jax.grad(lambda x: jnp.clip(x, 0, 1) ** 2)(x),
    "slope of a leaky_relu": lambda x: jax.grad(jax.nn.leaky_relu)(x),
    "slope of a hard_tanh": lambda x: jax.grad(jax.nn.hard_tanh)(x),
    "slope of a maximum": lambda x: jax.grad(lambda x: jnp.maximum(x, 0.0))(x),
    "before another pathwise choice": jump_before_another_pathwise_choice,
}

QUIET = {
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "gelu": jax.nn.gelu,
    "softplus": jax.nn.softplus,
    "clip": lambda x: jnp.clip(x, 0, 1),
    "abs": jnp.abs,
    "max": lambda x: jnp.maximum(x, 0.0),
    "max of a vector": lambda x: jnp.max(jnp.array([x, 1.0])),
    "logsumexp": lambda x: jax.scipy.special.logsumexp(jnp.array([x, 1.0])),
    "support mask": lambda x: dist.Gamma(2.0, 1.0).log_prob(jnp.exp(x)),
    "vouched": vipl.continuous(lambda x: jnp.where(x > 0, x, 0.0)),
    "sorted values": lambda x: jnp.sort(jnp.array([x, 1.0]))[0],
    "sqrt": jnp.sqrt,
    "slope of a softplus": lambda x: jax.grad(jax.nn.softplus)(x),
    "slope of what is vouched for": lambda x: jax.grad(vipl.continuous(lambda x: jnp.where(x > 0, x**2, 0.0)))(x),
    "norm": lambda x: jnp.linalg.norm(jnp.array([x, 1.0])),
    "a jump that does not reach the output": lambda x: (jnp.where(x > 0, 1.0, 0.0), x**2)[1],
    "stop_gradient": lambda x: jnp.where(lax.stop_gradient(x) > 0, 1.0, 0.0) * x,
    "a comparison of data": lambda x: jnp.where(jnp.arange(3.0) > 1, x, 2 * x).sum(),
    "scan": lambda x: lax.scan(lambda c, t: (jnp.sin(c) + t, c), x, jnp.arange(3.0))[1].sum(),
    "fori": lambda x: lax.fori_loop(0, 3, lambda i, c: c * x, 1.0),
}


@pytest.mark.parametrize("name", LOUD)
def test_a_jump_is_named_with_site_line_and_remedy(name):
    (message,) = warned(LOUD[name])
    assert "'x'" in message
    assert message.count("test_soundness.py") >= 2  # the site's line, and the jump's
    assert "ScoreFunction()" in message


@pytest.mark.parametrize("name", QUIET)
def test_what_is_continuous_passes(name):
    assert warned(QUIET[name]) == []


def test_strict_is_an_error():
    @vipl.expectation(strict=True)
    def objective(loc):
        return jnp.where(vipl.sample("x", dist.Normal(loc, 1.0), estimator=estimators.Reparam()) > 0, 1.0, 0.0)

    with pytest.raises(vipl.BiasError, match="'x'"):
        objective(jax.random.key(0), 0.5)


def test_only_the_choice_that_jumps_is_named():
    @vipl.expectation
    def objective(loc):
        x = vipl.sample("x", dist.Normal(loc, 1.0), estimator=estimators.Reparam())
        y = vipl.sample("y", dist.Normal(loc, 1.0), estimator=estimators.Reparam())
        return jnp.where(y > 0, 1.0, 0.0) + x**2

    with pytest.warns(vipl.BiasWarning, match="'y'") as caught:
        objective.explain(0.5)
    assert len(caught) == 1


@pytest.mark.statistical
def test_auto_leaves_the_path_at_a_jump(key):
    @vipl.expectation
    def objective(loc):
        x = vipl.sample("x", dist.Normal(loc, 1.0))
        y = vipl.sample("y", dist.Normal(loc, 1.0))
        return jnp.where(x > 0, 1.0, 0.0) + y**2

    estimator_of = {row.address: row.estimator for row in objective.explain(0.5).choices}
    assert estimator_of["x"].startswith("ScoreFunction")
    assert estimator_of["y"] == "Reparam()"
    keys = jax.random.split(key, draws(50_000))
    gradients = jax.jit(jax.vmap(jax.grad(objective, argnums=1), in_axes=(0, None)))(keys, 0.5)
    density = np.exp(-0.125) / np.sqrt(2 * np.pi)
    assert_unbiased(gradients, density + 1.0, resolution=0.05)


def below(inner):
    """A jump of a choice `z` that depends on the pathwise `x`; `inner` draws it."""

    @vipl.expectation
    def objective(loc):
        x = vipl.sample("x", dist.Normal(loc, 1.0), estimator=estimators.Reparam())
        return jnp.where(inner(x) < 1, 2.0, 5.0) * jnp.sin(x)

    return objective


@pytest.mark.parametrize(
    ("inner", "upper"),
    [
        (
            lambda x: vipl.sample("z", dist.Bernoulli(logits=2 * x), estimator=estimators.Enumerate()),
            lambda x: jax.nn.sigmoid(2 * x),
        ),
        (
            lambda x: vipl.sample("z", dist.Bernoulli(logits=2 * x), estimator=estimators.ScoreFunction()),
            lambda x: jax.nn.sigmoid(2 * x),
        ),
        (
            lambda x: vipl.sample("z", dist.Normal(x, 1.0), estimator=estimators.ScoreFunction()),
            lambda x: jax.scipy.stats.norm.sf(1.0 - x),
        ),
    ],
    ids=["enumerated", "scored", "scored and continuous"],
)
def test_a_choice_by_weights_ends_a_pathwise_way(inner, upper):
    """What x does to z is in the weights of z, so a jump of z loses nothing: no warning, and no bias."""
    objective = below(inner)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        objective.explain(0.5)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)

    def exact(loc):
        x = loc + nodes
        return jnp.sum(weights * (2.0 + 3.0 * upper(x)) * jnp.sin(x)) / np.sqrt(2 * np.pi)

    keys = jax.random.split(jax.random.key(3), draws(40_000))
    found = jax.jit(jax.vmap(jax.value_and_grad(objective, argnums=1), (0, None)))(keys, 0.5)
    assert_unbiased(found, jax.value_and_grad(exact)(0.5), resolution=0.1)


def test_a_pathwise_choice_keeps_its_way():
    objective = below(lambda x: vipl.sample("z", dist.Normal(x, 1.0), estimator=estimators.Reparam()))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        objective.explain(0.5)
    assert ["'x'" in str(w.message) for w in caught] == [True, False]
    assert ["'z'" in str(w.message) for w in caught] == [False, True]
