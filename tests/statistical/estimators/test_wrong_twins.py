"""For each estimator a twin that is wrong on purpose; the judgement of the matrix catches it."""

import dataclasses

import jax.numpy as jnp
import pytest
from helpers import LONG
from jax import lax
from matrix.cells import SERVES, Cell, run
from matrix.contexts import CONTEXTS
from matrix.judgement import RIGHT, WRONG
from zoo import FAMILIES

from vipl import estimators
from vipl.estimators.elements import Elements
from vipl.estimators.finite import unordered_set
from vipl.estimators.measure import stochastic_derivative

pytestmark = [pytest.mark.statistical, pytest.mark.slow, pytest.mark.usefixtures("x64")]


def word(estimator, family, context):
    return run(Cell(type(estimator).__name__, estimator, FAMILIES[family], CONTEXTS[context], True)).word


def stretched(x, factor):
    """The same number, its derivative multiplied."""
    return None if x is None else lax.stop_gradient(x) + factor * (x - lax.stop_gradient(x))


def twin(estimator, factor):
    """Return the estimator, the derivatives of its values and weights multiplied by a factor."""
    cls = type(estimator)

    def weigh(self, key, distribution, joint_axes):
        samples = cls.weigh(self, key, distribution, joint_axes)
        values = samples.values
        if jnp.issubdtype(values.dtype, jnp.floating):
            values = stretched(values, factor)
        weights, logs = stretched(samples.weights, factor), stretched(samples.log_weights, factor)
        return dataclasses.replace(samples, values=values, weights=weights, log_weights=logs)

    made = object.__new__(type(cls.__name__, (cls,), {"weigh": weigh, "single": False, "exact": False}))
    vars(made).update(vars(estimator))
    return made


PATHWISE = [name for name, (estimator, _) in SERVES.items() if estimator.pathwise and not estimator.single]
WEIGHTED = [name for name, (estimator, _) in SERVES.items() if not estimator.pathwise]


@pytest.mark.parametrize("name", PATHWISE + WEIGHTED)
def test_derivative_that_is_too_large(name):
    estimator, families = SERVES[name]
    assert word(twin(estimator, 1.05 if LONG else 1.25), families.split()[0], "scalar") == WRONG


class OneSided(estimators.Antithetic):
    """The mirror image has all the weight on the one side, and none on the other."""

    def weigh(self, key, distribution, joint_axes):
        samples = super().weigh(abs(key), distribution, joint_axes)
        return dataclasses.replace(samples, weights=samples.weights * jnp.array([1.5, 0.5]))


class Unshifted(estimators.QuasiMonteCarlo):
    """The points of the sequence, without their random shift."""

    def weigh(self, key, distribution, joint_axes):
        return super().weigh(jnp.full_like(key, 0.3), distribution, joint_axes)


class OneTail(estimators.ARM):
    """The upper half of the uniforms alone is weighted. (Not to centre the uniform would change the variance only.)"""

    def _coefficient(self, uniform, first, second, chance):
        return jnp.maximum(super()._coefficient(uniform, first, second, chance), 0.0)


class WrongTail(estimators.DisARM):
    """min in place of max."""

    def _coefficient(self, uniform, first, second, chance):
        return super()._coefficient(uniform, first, second, 1 - chance) * jnp.minimum(chance, 1 - chance)


class ComponentWithoutScore(estimators.ByComponent):
    """The component that was drawn counts as given, as where a mixture is drawn and called reparameterised."""

    def weigh(self, key, distribution, joint_axes):
        samples = super().weigh(key, distribution, joint_axes)
        return dataclasses.replace(samples, log_weights=lax.stop_gradient(samples.log_weights))


class FixedWeights(estimators.ByComponent):
    """The weights of the components are not differentiated."""

    def weigh(self, key, distribution, joint_axes):
        samples = super().weigh(key, distribution, joint_axes)
        return dataclasses.replace(samples, weights=lax.stop_gradient(samples.weights))


class OneCoordinateUnweighted(estimators.MeasureValued):
    """One coordinate of several is perturbed, and not weighted for having been drawn."""

    def weigh(self, key, distribution, joint_axes):
        samples = super().weigh(key, distribution, joint_axes)
        return dataclasses.replace(samples, weights=stretched(samples.weights, 0.5))


@pytest.mark.parametrize(
    ("estimator", "family", "context"),
    [
        (ComponentWithoutScore("score"), "normal_mixture", "scalar"),
        (FixedWeights(), "normal_mixture", "scalar"),
        (OneCoordinateUnweighted("one"), "bernoulli_pair", "scalar"),
        (OneSided(), "normal", "scalar"),
        (Unshifted(4), "normal", "plate"),
        (OneTail(), "bernoulli_pair", "scalar"),
        (WrongTail(), "bernoulli", "product_across_plate"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_wrong_coupling(estimator, family, context):
    assert word(estimator, family, context) == WRONG


def test_set_weighted_as_if_its_order_did_not_matter(monkeypatch):
    """Each member has weight 1/K: the set is not drawn like that."""
    monkeypatch.setattr(unordered_set, "_chance", lambda p, rest, members: jnp.ones_like(rest))
    assert word(estimators.UnorderedSet(2), "categorical", "scalar") == WRONG


def test_alternative_drawn_without_its_chance(monkeypatch):
    """One element of several is changed, and not weighted for having been drawn."""
    true = stochastic_derivative._one_of

    def one_of(elements: Elements, weight, key):
        chosen, chance = true(elements, weight, key)
        return chosen, jnp.ones_like(chance)

    monkeypatch.setattr(stochastic_derivative, "_one_of", one_of)
    assert word(estimators.StochasticDerivative(), "bernoulli_pair", "scalar") == WRONG


@pytest.mark.parametrize("name", ["Antithetic", "UnorderedSet", "StochasticDerivative"])
def test_twin_that_is_right(name):
    estimator, families = SERVES[name]
    assert word(twin(estimator, 1.0), families.split()[0], "scalar") == RIGHT
