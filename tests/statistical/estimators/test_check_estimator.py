"""`vipl.testing.check_estimator` passes what is right and rejects what is wrong on purpose, in one call."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import pytest
from jax import lax

import vipl
from vipl import estimators, testing
from vipl.distributions.base_noise import draw
from vipl.estimators import Estimator, WeightedSamples
from vipl.testing import check_estimator

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("quick_compilation")]


class MeanScore(Estimator):
    """Several independent draws, each with its score."""

    power = staticmethod(lambda score: jnp.exp(score))

    def weigh(self, key, distribution, joint_axes):
        values, scores = jax.vmap(lambda key: self.one(distribution, key))(jax.random.split(key, 2))
        scores = jnp.sum(scores, axis=tuple(axis + 1 for axis in joint_axes), keepdims=True)
        return WeightedSamples(values, self.power(scores) / 2)

    def one(self, distribution, key):
        value = lax.stop_gradient(draw(distribution, key)[0])
        density = distribution.log_prob(value)
        return value, density - lax.stop_gradient(density)


def test_right_estimator_passes():
    contexts = ["product_across_plate", "second_derivative", "product_across_jax_vmap"]
    report = check_estimator(MeanScore(), families=["bernoulli"], contexts=contexts)
    assert report.counts == {"right": 2, "refused": 1, "not shown": 0, "wrong": 0}
    assert [(row.family, row.context, row.fine) for row in report.rows] == [("bernoulli", c, True) for c in contexts]
    assert not report.failures
    for text in (repr(report), report._repr_html_()):
        assert all(word in text for word in ("bernoulli", "second_derivative", "right", "refused", "seconds"))


def scored(name, power, **claims):
    return type(name, (MeanScore,), {"power": staticmethod(power), **claims})()


class FrozenKey(MeanScore):
    def one(self, distribution, key):
        return super().one(distribution, jax.random.key(1))


class ClaimsExact(MeanScore):
    exact = True


class JumpUnsaid(estimators.Antithetic):
    pathwise = False


class JointForgotten(MeanScore):
    def weigh(self, key, distribution, joint_axes):
        return super().weigh(key, distribution, ())


FIRST_ORDER_UNSAID = scored("FirstOrderUnsaid", lambda score: 1 + score)
FIRST_ORDER_UNREFUSED = scored("FirstOrderUnrefused", lambda score: 1 + score, first_order=True)
APART = r"mean .*, exact .*, apart by .* SE"
MISTAKES = [
    (
        scored("ScoreDropped", lambda score: jnp.exp(0 * score)),
        "bernoulli",
        "scalar",
        "wrong",
        r"gradient\[0\]: " + APART,
    ),
    (scored("SignFlipped", lambda score: jnp.exp(-score)), "poisson", "scalar", "wrong", r"gradient\[0\]: " + APART),
    (scored("Scaled", lambda score: jnp.exp(1.25 * score)), "normal", "scalar", "wrong", r"gradient\[0\]: " + APART),
    (scored("NotNormalised", lambda score: 2 * jnp.exp(score)), "bernoulli", "scalar", "wrong", "value: " + APART),
    (FrozenKey(), "bernoulli", "scalar", "wrong", r"value: mean .*, exact .*, without variance"),
    (ClaimsExact(), "bernoulli", "scalar", "wrong", "declared exact, and it varies"),
    (FIRST_ORDER_UNSAID, "bernoulli", "second_derivative", "wrong", r"Hessian\[0,0\]: " + APART),
    (FIRST_ORDER_UNREFUSED, "bernoulli", "second_derivative", "wrong", "a refusal is due, EstimatorError"),
    (JumpUnsaid(), "normal", "scalar", "wrong", r"gradient\[0\]: " + APART),
    (JointForgotten(), "bernoulli", "product_across_plate", "wrong", "value: " + APART),
    (estimators.Enumerate(), "poisson", "scalar", "refused", "its support is not finite"),
]


@pytest.mark.parametrize(
    ("estimator", "family", "context", "word", "measured"), MISTAKES, ids=[type(row[0]).__name__ for row in MISTAKES]
)
def test_mistake_is_rejected(estimator, family, context, word, measured):
    with pytest.raises(AssertionError, match=rf"fails in 1 of 1 cells:\n  {family}, {context}: {word}: .*{measured}"):
        check_estimator(estimator, families=[family], contexts=[context])


def test_a_crash_names_the_line():
    class Crashes(MeanScore):
        def weigh(self, key, distribution, joint_axes):
            return super().weigh(key, distribution) and joint_axes

    report = check_estimator(Crashes(), families=["bernoulli"], contexts=["scalar"], raises=False)
    assert re.search(r"TypeError: .*test_check_estimator.py:\d+\)", report.rows[0].detail)


def test_own_limit_may_refuse():
    few = estimators.Enumerate(max_size=4)
    report = check_estimator(few, families=["bernoulli"], contexts=["product_across_plate"])
    assert [(row.verdict, row.fine) for row in report.rows] == [("refused", True)]


def test_families_that_are_refused_are_left_out():
    report = check_estimator(estimators.DisARM(), contexts=["product_across_jax_vmap"])
    assert {row.family for row in report.rows} == {"bernoulli", "bernoulli_pair"}
    assert set(report.refused) == set(testing.FAMILIES) - {"bernoulli", "bernoulli_pair"}


def test_refusal_of_every_family_is_an_error():
    class Nothing(MeanScore):
        def refusal(self, statement):
            return "it serves nothing"

    with pytest.raises(vipl.EstimatorError, match="refuses every family.*it serves nothing"):
        check_estimator(Nothing())


def test_misuse_is_an_error():
    class Unheard(estimators.Reparam):
        def weigh(self, key, distribution, joint_axes):
            raise AssertionError("never called")

    with pytest.raises(vipl.EstimatorError, match="an instance"):
        check_estimator(MeanScore)
    with pytest.raises(vipl.EstimatorError, match="own weigh is never called"):
        check_estimator(Unheard())
    with pytest.raises(vipl.ParameterError, match="Did you mean 'bernoulli'"):
        check_estimator(MeanScore(), families=["bernouli"])
    with pytest.raises(vipl.ParameterError, match="Did you mean 'scalar'"):
        check_estimator(MeanScore(), contexts=["scaler"])
    halved = dataclasses.replace(testing.FAMILIES["bernoulli"], areas=0.5 * testing.FAMILIES["bernoulli"].areas)
    with pytest.raises(vipl.ParameterError, match=r"integrates to 0\.5"):
        check_estimator(MeanScore(), families=[halved])
