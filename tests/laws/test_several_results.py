"""An equation with several results gives each the values of the choices that it depends on, and of no others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import estimators
from vipl.transform.evaluation import evaluate, forward, inside
from vipl.transform.evaluation.terms import Term

P, Q = 0.3, 0.4
KEY = jax.random.key(0)


def flip(address, p, estimator):
    return vipl.sample(address, dist.Bernoulli(p), estimator=estimator) * 1.0


def while_loop(a, b):
    return lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * 2.0, s[2] + s[1]), (0, a, b))[1]


def carried(a, b):
    """Each of two carries by itself, and what comes out of the steps depends on earlier ones."""
    xs = (a * jnp.ones(2), b * jnp.ones(2))
    (x, _), ys = lax.scan(lambda c, x: ((x[0], c[1] + x[1]), (c[0] + x[0], x[1])), (0.0, 0.0), xs)
    return jnp.sum(ys[0]) + x**2


def drawn_inside(a, b):
    """A step draws, given one of them."""

    def step(carry, _):
        c = vipl.sample("c", dist.Bernoulli(0.2 + 0.5 * b), estimator=estimators.Enumerate())
        return (carry[0] * 2.0, carry[1] + c), c * 1.0

    return lax.scan(step, (a, 0.0), None, length=2)[0][0]


def drawn_in_a_branch(a, b):
    def branch(a, b):
        c = vipl.sample("c", dist.Bernoulli(0.2 + 0.5 * b), estimator=estimators.Enumerate())
        return a * a, c * 1.0

    return lax.cond(True, branch, lambda a, b: (a * a, b), a, b)[0]


@jax.custom_vjp
def _pair(a, b):
    return a * a, b * b


_pair.defvjp(lambda a, b: (_pair(a, b), (a, b)), lambda kept, g: (2 * kept[0] * g[0], 2 * kept[1] * g[1]))


# name: (function of two flips, exact mean as a function of P and Q)
FUNCTIONS = {
    "cond": (lambda a, b: lax.cond(True, lambda a, b: (a * a, b), lambda a, b: (a, b), a, b)[0], lambda p, q: p),
    "switch, both": (
        lambda a, b: sum(lax.switch(1, [lambda a, b: (a, b), lambda a, b: (2 * a, b * b)], a, b)),
        lambda p, q: 2 * p + q,
    ),
    "while": (while_loop, lambda p, q: 8 * p),
    "scan": (carried, lambda p, q: 4 * p),
    "custom derivative": (
        lambda a, b: _pair(a, b)[0],
        lambda p, q: p,
    ),
    "scan that draws": (drawn_inside, lambda p, q: 4 * p),
    "cond that draws": (drawn_in_a_branch, lambda p, q: p),
}


def objective(function, estimator):
    def run(p, q):
        return function(flip("a", p, estimator), flip("b", q, estimator))

    return vipl.expectation(run)


@pytest.mark.parametrize("estimator", [estimators.Enumerate(), estimators.SumAndSample(1)], ids=repr)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_exact(name, estimator):
    """Two values, all of them: the value and the derivatives have no variance."""
    function, exact = FUNCTIONS[name]
    ours = jax.jit(jax.value_and_grad(objective(function, estimator), (1, 2)))(KEY, P, Q)
    np.testing.assert_allclose(jnp.array(jax.tree.leaves(ours)), _both(exact), rtol=1e-5, atol=1e-6)


def _both(exact):
    value, slopes = jax.value_and_grad(lambda p, q: exact(p, q) + 0.0 * q, (0, 1))(P, Q)
    return jnp.array([value, *slopes])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_that_nothing_weighs_are_seen(name, monkeypatch):
    """The wrong twin: every result has the values of all operands, and those without weights are counted one by one."""
    function, exact = FUNCTIONS[name]
    for module in (evaluate, inside, forward):
        monkeypatch.setattr(module, "depending", lambda array, samples, dependence: Term(array, samples, 0, dependence))
    value = objective(function, estimators.Enumerate())(KEY, P, Q)
    assert value > 1.3 * exact(P, Q)
