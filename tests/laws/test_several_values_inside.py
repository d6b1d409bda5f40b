"""Choices of several values in branches, lanes and loops that hand on more than a state: exact, or refused by name."""

import itertools

import jax
import jax.numpy as jnp
import pytest
from exactness import ENUMERATE, assert_equal_with_derivatives, flip
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import estimators

pytestmark = pytest.mark.usefixtures("x64")
SCALES = (1.0, 0.7, 0.5)


def test_a_branch_with_choices_of_different_sizes():
    @vipl.expectation
    def objective(p):
        b = flip("b", p)
        kinds = jnp.array([p, 1 - p, 0.0])
        r = lax.cond(
            b == 1,
            lambda: 1.0 * flip("x", p**2),
            lambda: 0.5 * vipl.sample("y", dist.Categorical(kinds), estimator=ENUMERATE),
        )
        return jnp.exp(r + 0.1 * b)

    def exact(p):
        up = jnp.exp(0.1) * (1 - p**2 + p**2 * jnp.e)
        return p * up + (1 - p) * (p + (1 - p) * jnp.exp(0.5))

    assert_equal_with_derivatives(objective, exact)


def growing(length, estimator=ENUMERATE):
    @vipl.expectation
    def objective(p):
        def step(total, _):
            return total + flip("z", p / (1 + total), estimator), None

        return jnp.exp(0.7 * lax.scan(step, 0, None, length=length)[0])

    return objective


def test_a_state_that_grows_is_written_out_where_it_is_short():
    def exact(p):
        value = 0.0
        for path in itertools.product(range(2), repeat=5):
            weight, total = 1.0, 0
            for z in path:
                up = p / (1 + total)
                weight, total = weight * (up if z else 1 - up), total + z
            value += weight * jnp.exp(0.7 * total)
        return value

    assert_equal_with_derivatives(growing(5), exact)
    assert len(growing(5).explain(0.4).choices) == 5


def test_a_state_that_grows_is_refused_where_it_is_long():
    with pytest.raises(vipl.EstimatorError, match=r"'z'.*of earlier steps") as caught:
        growing(50)(jax.random.key(0), 0.4)
    assert "exactness.py" in str(caught.value)  # where `flip` samples
    assert "ScoreFunction" in str(caught.value)
    (row,) = growing(50, estimators.Auto()).explain(0.4).choices
    assert row.estimator.startswith("ScoreFunction")
    assert "earlier steps" in row.reason


def test_a_mix_of_the_steps_is_refused_where_it_is_long():
    @vipl.expectation
    def objective(p):
        _, zs = lax.scan(lambda c, _: (c, flip("z", p)), 0, None, length=50)
        return jnp.prod(1.0 + zs)

    with pytest.raises(vipl.EstimatorError, match="mixes the steps or lanes"):
        objective(jax.random.key(0), 0.4)


def test_a_short_product_of_lanes_is_written_out():
    @vipl.expectation
    def objective(p):
        return jnp.prod(vipl.vmap(lambda s: jnp.exp(s * flip("z", p * s)))(jnp.asarray(SCALES)))

    assert_equal_with_derivatives(
        objective, lambda p: jnp.prod(jnp.stack([1 - p * s + p * s * jnp.exp(s) for s in SCALES]))
    )


@pytest.mark.parametrize("estimator", [estimators.LeaveOneOut(2), estimators.MeasureValued()], ids=repr)
def test_other_estimators_of_several_values_inside_a_loop(estimator):
    """A step's own cost: nothing multiplies, so the loop may be long."""

    @vipl.expectation
    def objective(p):
        def step(c, t):
            z = flip("z", p * (1 + t) / 40, estimator)
            return c, jnp.exp(0.3 * z * (1 + p))

        return jnp.sum(lax.scan(step, 0, jnp.arange(30.0))[1])

    up = lambda p: p * (1 + jnp.arange(30.0)) / 40  # noqa: E731
    exact = lambda p: jnp.sum(1 - up(p) + up(p) * jnp.exp(0.3 * (1 + p)))  # noqa: E731
    keys = jax.random.split(jax.random.key(1), 20_000)
    draws = jax.jit(jax.vmap(lambda key: jnp.stack(jax.value_and_grad(objective, argnums=1)(key, 0.4))))(keys)
    error = jnp.std(draws, axis=0) / len(keys) ** 0.5
    truth = jnp.stack(jax.value_and_grad(exact)(0.4))
    assert jnp.all(jnp.abs(draws.mean(axis=0) - truth) < 4.5 * error)
    assert jnp.all(4.5 * error < 0.05 * jnp.abs(truth))
