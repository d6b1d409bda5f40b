"""A gradient's equations and its memory grow linearly with the number of choices; elsewhere exponentially.

What is enumerated stays exact. Whatever the mixture of estimators, hundreds of choices in a Python loop are traced.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gradient_problems import mixed
from jaxprs import equations, largest_array

import vipl
import vipl.distributions as dist
from vipl.estimators import Enumerate

SIZES = (1, 2, 4, 8, 16, 32)


def independent_flips(count):
    @vipl.expectation
    def objective(p):
        draws = [vipl.sample(f"x{i}", dist.Bernoulli(p), estimator=Enumerate()) for i in range(count)]
        return sum((i + 1.0) * jnp.exp(0.1 * x) for i, x in enumerate(draws))

    return objective, lambda p: count * (count + 1) / 2 * (1 + p * np.expm1(0.1))


def dependent_flips(count):
    @vipl.expectation
    def objective(p):
        x, total = 0, 0.0
        for i in range(count):
            x = vipl.sample(f"x{i}", dist.Bernoulli(p * (1 + x) / 2), estimator=Enumerate())
            total += (i + 1.0) * jnp.exp(0.1 * x)
        return total

    def exact(p):
        chance, total = 0.0, 0.0
        for i in range(count):
            chance = p * (1 + chance) / 2
            total += (i + 1.0) * (1 + chance * np.expm1(0.1))
        return total

    return objective, exact


def every_branch(count):
    """The same by enumeration of all combinations in a Python recursion, as elsewhere."""

    def branch(i, p, draws):
        if i == count:
            return sum((i + 1.0) * jnp.exp(0.1 * x) for i, x in enumerate(draws))
        return p * branch(i + 1, p, [*draws, 1.0]) + (1 - p) * branch(i + 1, p, [*draws, 0.0])

    return lambda key, p: branch(0, p, [])


def growth(make, sizes):
    """Return by what factor the equations of a gradient grow from one size to the next."""
    counts = [equations(jax.grad(make(n), argnums=1), jax.random.key(0), 0.3) for n in sizes]
    return [after / before for before, after in zip(counts, counts[1:], strict=False)]


@pytest.mark.usefixtures("quick_compilation")
@pytest.mark.parametrize("flips", [independent_flips, dependent_flips])
def test_enumerated_flips(flips):
    """Elsewhere: 13 006 equations for 8 flips."""
    assert growth(lambda n: flips(n)[0], SIZES)[-1] <= 2.2
    for count in SIZES:
        objective, exact = flips(count)
        found = jax.jit(jax.value_and_grad(objective, argnums=1))(jax.random.key(0), 0.3)
        np.testing.assert_allclose(found, jax.jit(jax.value_and_grad(exact))(0.3), rtol=1e-5)


def test_enumerating_every_combination_is_seen_to_grow():
    assert growth(every_branch, (4, 8))[0] > 8


def test_a_plate_of_4096_categories():
    """Memory for each element does not grow, and the gradient is exact."""
    costs = jax.random.normal(jax.random.key(2), (10,))

    @vipl.expectation
    def objective(logits):
        with vipl.plate("element", len(logits)):
            z = vipl.sample("z", dist.Categorical(logits=logits), estimator=Enumerate())
        return jnp.sum(jnp.sin(1.0 + jnp.arange(len(logits))) * costs[z])

    def exact(logits):
        return jnp.sum(jnp.sin(1.0 + jnp.arange(len(logits))) * (jax.nn.softmax(logits) @ costs))

    gradient = jax.grad(objective, argnums=1)
    each = []
    for size in (1024, 2048, 4096):
        logits = jax.random.normal(jax.random.key(1), (size, 10))
        compiled = jax.jit(gradient).lower(jax.random.key(0), logits).compile()
        np.testing.assert_allclose(compiled(jax.random.key(0), logits), jax.grad(exact)(logits), atol=1e-6)
        largest = largest_array(gradient, jax.random.key(0), logits)
        each.append((largest / size, compiled.memory_analysis().temp_size_in_bytes / size))
    np.testing.assert_allclose(each, np.broadcast_to(each[0], (3, 2)), rtol=0.05)


@pytest.mark.slow
def test_two_hundred_choices_of_five_estimators():
    """No recursion: elsewhere 200 choices in a Python loop exceed Python's stack."""
    assert growth(mixed, (100, 200))[0] <= 2.2
