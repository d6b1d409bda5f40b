"""The laws of ancestors against their formulas, by enumeration: probabilities, derivatives, conditional laws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from unit.programs.resampling.reference import WEIGHTS, log_weights, pmf, pmf_gradient, vectors

from vipl.distributions.log_prob import log_prob
from vipl.programs.resampling import SCHEMES, SystematicAncestors
from vipl.programs.resampling.multinomial import MultinomialAncestors

pytestmark = pytest.mark.usefixtures("quick_compilation")

SCHEME = pytest.mark.parametrize("scheme", SCHEMES)
CASE = pytest.mark.parametrize("case", WEIGHTS)


class SystematicScoredAsMultinomial(SystematicAncestors):
    """Sums to one and has the right mean counts; and yet is wrong."""

    def _log_pmf(self, value):
        return MultinomialAncestors._log_pmf(self, value)


class Tempered(SystematicAncestors):
    def _log_pmf(self, value):
        return 1.02 * super()._log_pmf(value)


class OfOtherWeights(SystematicAncestors):
    def _log_pmf(self, value):
        return SystematicAncestors(0.9 * self.log_weights)._log_pmf(value)


class ScoreOfOneEdge(SystematicAncestors):
    """Right probabilities; derivatives that miss how the first weight moves all edges."""

    def _log_pmf(self, value):
        stopped = self.log_weights.at[..., 0].set(jax.lax.stop_gradient(self.log_weights[..., 0]))
        return SystematicAncestors(stopped)._log_pmf(value)


def table(law, log_weights, ancestors):
    """Return the probabilities of all vectors and their Jacobian, `(vectors,)` and `(vectors, N)`."""
    log_weights = jnp.asarray(log_weights)

    def probabilities(log_weights):
        return jnp.exp(law(log_weights).log_prob(ancestors))

    found, jacobian = jax.jit(lambda x: (probabilities(x), jax.jacrev(probabilities)(x)))(log_weights)
    return np.asarray(found, float), np.asarray(jacobian, float)


def check_probabilities(law, scheme, case, rtol):
    x = log_weights(case)
    found, _ = table(law, x, vectors(len(x)))
    np.testing.assert_allclose(found, pmf(scheme, x, vectors(len(x))), rtol=rtol, atol=rtol)


def check_derivatives(law, scheme, case, atol):
    x = log_weights(case)
    _, jacobian = table(law, x, vectors(len(x)))
    np.testing.assert_allclose(jacobian, pmf_gradient(scheme, x, vectors(len(x))), atol=atol)


def check_sums(law, case):
    """Check total probability, the mean score, the mean counts and their derivatives."""
    x = log_weights(case)
    weights, size = WEIGHTS[case], len(x)
    counts = np.stack([np.bincount(v, minlength=size) for v in vectors(size)])
    found, jacobian = table(law, x, vectors(size))
    np.testing.assert_allclose(found.sum(), 1.0, atol=2e-6)
    np.testing.assert_allclose(found @ counts, size * weights, atol=5e-6)
    np.testing.assert_allclose(jacobian.sum(0), np.zeros(size), atol=1e-5)
    np.testing.assert_allclose(counts.T @ jacobian, size * (np.diag(weights) - np.outer(weights, weights)), atol=1e-5)


@SCHEME
@CASE
def test_probabilities_are_the_formulas(scheme, case):
    check_probabilities(SCHEMES[scheme].law, scheme, case, rtol=3e-6)


@SCHEME
@CASE
def test_probabilities_are_the_formulas_in_double_precision(scheme, case, x64):
    check_probabilities(SCHEMES[scheme].law, scheme, case, rtol=1e-12)


@SCHEME
@CASE
def test_derivatives_are_those_of_the_formulas(scheme, case, x64):
    check_derivatives(SCHEMES[scheme].law, scheme, case, atol=1e-8)


@SCHEME
@CASE
def test_derivatives_are_those_of_the_formulas_in_single_precision(scheme, case):
    check_derivatives(SCHEMES[scheme].law, scheme, case, atol=5e-6)


@SCHEME
@CASE
def test_probability_score_and_counts_add_up(scheme, case):
    check_sums(SCHEMES[scheme].law, case)


def test_the_checks_see_what_is_wrong(x64):
    with pytest.raises(AssertionError):
        check_probabilities(SystematicScoredAsMultinomial, "systematic", "four", rtol=1e-2)
    with pytest.raises(AssertionError):
        check_derivatives(ScoreOfOneEdge, "systematic", "four", atol=1e-2)
    check_sums(SystematicScoredAsMultinomial, "four")
    for wrong in (Tempered, OfOtherWeights, ScoreOfOneEdge):
        with pytest.raises(AssertionError):
            check_sums(wrong, "four")


@SCHEME
def test_second_derivatives(scheme, x64):
    """The Hessians of the probabilities sum to zero, as scores of second order must, and are those of the gradient."""
    x, all_vectors = jnp.asarray(log_weights("three")), vectors(3)

    def probabilities(x):
        return jnp.exp(SCHEMES[scheme].law(x).log_prob(all_vectors))

    hessians = jax.jit(jax.jacfwd(jax.jacrev(probabilities)))(x)
    np.testing.assert_allclose(hessians.sum(0), np.zeros((3, 3)), atol=1e-12)
    step = 1e-6 * np.eye(3)
    differences = [(jax.jacrev(probabilities)(x + e) - jax.jacrev(probabilities)(x - e)) / 2e-6 for e in step]
    np.testing.assert_allclose(hessians, np.stack(differences, -1), atol=1e-8)


@SCHEME
@pytest.mark.parametrize("resample", [True, False])
def test_impossible_vectors_have_no_derivative(scheme, resample):
    x = jnp.asarray(log_weights("one without weight"))
    impossible = jnp.array([[0, 1, 2, 3], [3, 3, 1, 1], [1, 1, 1, 1]])
    for evaluate in (lambda law: law.log_prob(impossible), lambda law: log_prob(law, impossible)):
        found, pull_back = jax.vjp(lambda x, e=evaluate: e(SCHEMES[scheme].law(x, resample)), x)
        gradient = pull_back(jnp.ones(len(impossible)))[0]
        expected = [-np.inf if resample else 0.0, -np.inf, -np.inf]
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(gradient, np.zeros(4))


@SCHEME
def test_without_resampling_nothing_changes(scheme, key):
    x = jnp.log(jnp.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]))
    law = SCHEMES[scheme].law(x, jnp.array([False, True]))
    draws = law.sample(key, (50,))
    assert np.all(draws[:, 0] == np.arange(3))
    assert np.any(draws[:, 1] != np.arange(3))
    assert np.all(law.log_prob(draws)[:, 0] == 0)
    np.testing.assert_allclose(law.log_prob(draws)[:, 1], SCHEMES[scheme].law(x[1]).log_prob(draws[:, 1]), rtol=1e-6)
    gradient = jax.grad(lambda x: SCHEMES[scheme].law(x, law.resample).log_prob(draws).sum())(x)
    assert np.all(gradient[0] == 0)
    assert np.all(gradient[1] != 0)


def conditional_table(law, log_weights, ancestors):
    """Return the probabilities of all ancestors, slots and retained particles, `(vectors, slots, retained)`."""
    size = len(log_weights)
    found = np.zeros((len(ancestors), size, size))
    for a in np.flatnonzero(np.isfinite(log_weights)):
        for k in range(size):
            value = np.concatenate([ancestors, np.full((len(ancestors), 1), k)], -1)
            found[:, k, a] = jnp.exp(law(jnp.asarray(log_weights), a).log_prob(value))
    return found


def check_conditional(law, scheme, case):
    """Check that drawing a, then A and k, is drawing A, then k, then taking a = A_k."""
    x, all_vectors = log_weights(case), vectors(len(WEIGHTS[case]))
    joint = conditional_table(law, x, all_vectors) * WEIGHTS[case]
    forward, size = pmf(scheme, x, all_vectors), len(x)
    is_parent = all_vectors[:, :, None] == np.arange(size)
    expected = forward[:, None, None] * is_parent / size
    if scheme == "multinomial":
        expected = forward[:, None, None] * is_parent * (np.arange(size) == 0)[:, None]
    np.testing.assert_allclose(joint, expected, atol=2e-6)
    np.testing.assert_allclose(joint.sum((0, 1)), WEIGHTS[case], atol=2e-6)


@SCHEME
@CASE
def test_conditional_laws_are_conditional(scheme, case):
    check_conditional(SCHEMES[scheme].conditional, scheme, case)


@SCHEME
def test_the_conditional_check_sees_what_is_wrong(scheme):
    other = "systematic" if scheme != "systematic" else "stratified"
    with pytest.raises(AssertionError):
        check_conditional(SCHEMES[other].conditional, scheme, "four")


@SCHEME
def test_derivatives_of_conditional_laws(scheme, x64):
    """The derivative of log R(A) − log(N·W_a), or of log R(A) − log W_a, where that is finite."""
    x, all_vectors = jnp.asarray(log_weights("four")), vectors(4)
    weights = WEIGHTS["four"]
    slot, retained = (0 if scheme == "multinomial" else 2), 3
    chosen = all_vectors[(all_vectors[:, slot] == retained) & (pmf(scheme, log_weights("four"), all_vectors) > 0)]
    value = np.concatenate([chosen, np.full((len(chosen), 1), slot)], -1)
    jacobian = jax.jacrev(lambda x: SCHEMES[scheme].conditional(x, retained).log_prob(value))(x)
    forward = pmf_gradient(scheme, log_weights("four"), chosen) / pmf(scheme, log_weights("four"), chosen)[:, None]
    np.testing.assert_allclose(jacobian, forward - (np.eye(4)[retained] - weights), atol=1e-6)


@SCHEME
def test_conditional_laws_without_resampling(scheme, key):
    x = jnp.log(jnp.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]))
    law = SCHEMES[scheme].conditional(x, jnp.array([1, 2]), jnp.array([False, True]))
    draws = law.sample(key, (20,))
    assert np.all(draws[:, 0] == np.array([0, 1, 2, 1]))
    assert np.all(law.log_prob(draws)[:, 0] == 0)
    assert np.all(np.isfinite(law.log_prob(draws)))
    assert np.all(law.log_prob(draws.at[:, 0, -1].set(2))[:, 0] == -np.inf)
