"""Densities: SciPy's inside the support, −inf with zero derivatives outside, nothing spent on the reals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from distribution_registry import CASES, EXCLUDED, sampled
from provenance.checking import QUICK

import vipl.distributions as dist
from vipl.distributions.log_prob import log_prob
from vipl.distributions.validation import unvalidated, validation_off

WITH_SCIPY = [name for name, case in CASES.items() if case.scipy]
BOUNDED = [name for name, case in CASES.items() if case.outside is not None]
SAMPLED = [name for name, case in CASES.items() if case.samples]


def test_no_distribution_is_forgotten():
    classes = {name.split("-")[0] for name in CASES}
    assert classes.isdisjoint(EXCLUDED)
    assert classes | set(EXCLUDED) == set(dist.__all__)


def scipy_log_prob(frozen, value):
    value = np.asarray(value)
    return frozen.logpdf(value) if hasattr(frozen, "logpdf") else frozen.logpmf(value)


@pytest.mark.parametrize("name", WITH_SCIPY)
def test_agrees_with_scipy(name, x64):
    case = CASES[name]
    with validation_off():
        d = case.make()
        value = sampled(name).astype(np.result_type(float) if d.support.is_discrete is False else int)
        ours = jax.jit(lambda p, x: log_prob(case.build(*p), x), compiler_options=QUICK)(case.parameters, value)
    if name == "Wishart":
        exact = [case.scipy(d).logpdf(np.asarray(v)) for v in value]
    else:
        exact = scipy_log_prob(case.scipy(d), value)
    # SciPy's own rounding shows in its special functions, relative to the size of the result
    np.testing.assert_allclose(ours, exact, rtol=1e-10, atol=1e-10)


def test_dirichlet_agrees_with_scipy(x64):
    concentration = np.array([0.7, 1.5, 2.0])
    value = scipy.stats.dirichlet(concentration).rvs(5, random_state=0)
    exact = [scipy.stats.dirichlet(concentration).logpdf(v) for v in value]
    np.testing.assert_allclose(log_prob(dist.Dirichlet(concentration), value), exact, rtol=1e-10)


def test_large_counts_are_exact_in_double_precision(x64):
    # NumPyro's own density is wrong by 1e-6 here
    exact = scipy.stats.nbinom(1.6, 0.8 / 1.8).logpmf(np.arange(40))
    np.testing.assert_allclose(log_prob(dist.GammaPoisson(1.6, 0.8), np.arange(40)), exact, rtol=1e-11)
    with validation_off():
        theirs = dist.GammaPoisson(1.6, 0.8).log_prob(np.arange(40))
    assert np.max(np.abs(theirs - exact)) > 1e-7


def outside_event(case, distribution):
    value = np.asarray(case.outside, np.float32)
    return np.broadcast_to(value, distribution.batch_shape + distribution.event_shape)


def density_and_gradient(build, parameters, value, density=log_prob):
    """Return the density and the gradient of its sum in the parameters and the value."""

    def total(parameters, value):
        out = density(build(*parameters), value)
        return jnp.sum(out), out

    with validation_off():
        parameters = tuple(jnp.asarray(p, jnp.float32) for p in parameters)
        gradients = jax.jit(jax.grad(total, argnums=(0, 1), has_aux=True), compiler_options=QUICK)
        gradient, out = gradients(parameters, value)
    return np.asarray(out), [np.asarray(g) for g in jax.tree.leaves(gradient)]


@pytest.mark.parametrize("name", BOUNDED)
def test_outside_the_support(name):
    case = CASES[name]
    value = outside_event(case, case.make())
    if case.differentiable:
        out, gradients = density_and_gradient(case.build, case.parameters, value)
    else:
        out, gradients = log_prob(case.make(), value), []
    assert np.all(np.asarray(out) == -np.inf), out
    for gradient in gradients:
        assert np.all(gradient == 0), gradient


@pytest.mark.parametrize("name", ["Gamma", "Uniform", "LogNormal", "Dirichlet"])
def test_the_check_sees_an_unguarded_density(name):
    case = CASES[name]
    value = outside_event(case, case.make())
    out, gradients = density_and_gradient(case.build, case.parameters, value, lambda d, x: unvalidated(d).log_prob(x))
    safe = np.all(out == -np.inf) and all(np.all(g == 0) for g in gradients)
    assert not safe


def test_one_event_outside_leaves_the_others_alone():
    value = np.array([0.5, -1.0], np.float32)
    out, (rate, point) = density_and_gradient(dist.Exponential, (np.array([2.0, 3.0]),), value)
    np.testing.assert_allclose(out, [np.log(2) - 1, -np.inf], rtol=1e-6)
    np.testing.assert_allclose(rate, [0.0, 0.0], atol=1e-6)  # 1/2 - 0.5 inside, exactly 0 outside
    np.testing.assert_allclose(point, [-2.0, 0.0])


def test_an_event_partly_outside_has_no_gradient_at_all():
    value = np.array([0.5, -1.0], np.float32)
    build = lambda rate: dist.Exponential(rate).to_event(1)  # noqa: E731
    out, (rate, point) = density_and_gradient(build, (np.array([3.0, 3.0]),), value)
    assert out == -np.inf
    assert np.all(rate == 0)
    assert np.all(point == 0)


@pytest.mark.parametrize(
    ("distribution", "value", "exact"),
    [
        (dist.Uniform(0.0, 2.0), 2.0, -np.log(2)),
        (dist.Uniform(0.0, 2.0), 0.0, -np.log(2)),
        (dist.Beta(1.0, 1.0), 0.0, 0.0),
        (dist.Beta(1.0, 2.0), 0.0, np.log(2)),
        (dist.Beta(2.0, 1.0), 1.0, np.log(2)),
        (dist.Beta(2.0, 2.0), 1.0, -np.inf),
        (dist.Dirichlet(np.ones(3)), np.array([0.0, 0.5, 0.5]), np.log(2)),
        (dist.Poisson(2.0), 0, -2.0),
        (dist.BernoulliProbs(1.0), 0, -np.inf),
        (dist.BernoulliProbs(1.0), 1, 0.0),
        (dist.BernoulliProbs(0.25), True, np.log(0.25)),
        (dist.BernoulliLogits(0.0), 0.5, -np.inf),
        (dist.CategoricalProbs(np.array([0.25, 0.75])), 1.0, np.log(0.75)),
        (dist.HurdleProbs(dist.Exponential(1.0), 0.25), 0.0, np.log(0.25)),
        (dist.Delta(1.0, 2.0), 1.0, 2.0),
        (dist.Exponential(1.0), np.nan, -np.inf),
        (dist.FoldedDistribution(dist.Uniform(-1.0, 2.0)), 1.5, -np.log(3)),
        (dist.FoldedDistribution(dist.Uniform(-1.0, 2.0)), 0.5, np.log(2 / 3)),
    ],
)
def test_exact_values(distribution, value, exact):
    np.testing.assert_allclose(log_prob(distribution, value), exact, rtol=1e-6, atol=1e-6)


def test_a_component_outside_its_support_adds_nothing():
    parts = [dist.Uniform(0.0, 1.0), dist.Uniform(0.5, 2.0)]
    mixture = dist.MixtureGeneral(dist.Categorical(probs=np.array([0.5, 0.5])), parts, support=dist.constraints.real)
    exact = np.log([0.5, 0.5 + 0.5 / 1.5, 0.5 / 1.5])
    for guard in (True, False):
        ours = log_prob(mixture, np.array([0.25, 0.75, 1.5]), guard=guard)
        np.testing.assert_allclose(ours, exact, rtol=1e-6)


@pytest.mark.parametrize("missing", [np.nan, -1.0, np.inf])
def test_masked_events_contribute_nothing(missing):
    mask = np.array([True, False])
    value = np.array([0.5, missing], np.float32)
    build = lambda rate: dist.Exponential(rate).mask(mask)  # noqa: E731
    out, (rate, point) = density_and_gradient(build, (np.array([2.0, 3.0]),), value)
    np.testing.assert_allclose(out, [np.log(2) - 1, 0.0], rtol=1e-6)
    assert rate[1] == 0
    np.testing.assert_allclose(point, [-2.0, 0.0])
    masked = dist.Normal(np.zeros(2), 1.0).mask(mask)
    assert log_prob(masked, value)[1] == 0


def test_instances_that_validate_are_not_slowed_or_harmed():
    build = lambda rate: dist.Exponential(rate, validate_args=True).to_event(1)  # noqa: E731
    out, (rate, point) = density_and_gradient(build, (np.array([2.0]),), np.array([-1.0], np.float32))
    assert out == -np.inf
    assert rate == 0
    assert point == 0
    assert equations(lambda x: log_prob(dist.Normal(0.0, 1.0, validate_args=True), x), 0.5) <= 7


def test_broadcasts_as_numpyro_does():
    d = dist.Normal(np.zeros((3, 1)), 1.0).expand([3, 2])
    assert log_prob(d, 0.0).shape == (3, 2)
    assert log_prob(d, np.zeros((5, 3, 2))).shape == (5, 3, 2)
    assert log_prob(d.to_event(2), np.zeros((5, 3, 2))).shape == (5,)
    assert log_prob(dist.Exponential(1.0).expand([2]).to_event(1), np.array([1.0, 2.0])).shape == ()
    np.testing.assert_allclose(log_prob(dist.Exponential(1.0).expand([2]).to_event(1), 1.0), -2.0)


def equations(function, *arguments):
    """Count the equations of a function, those of nested jaxprs included."""

    def count(jaxpr):
        total = 0
        for eqn in jaxpr.eqns:
            inner = [getattr(p, "jaxpr", p) for p in eqn.params.values() if hasattr(p, "eqns") or hasattr(p, "jaxpr")]
            total += sum(count(j) for j in inner) if inner else 1
        return total

    return count(jax.make_jaxpr(function)(*arguments).jaxpr)


REAL = [name for name in SAMPLED if CASES[name].outside is None and "Mixture" not in name and name != "Delta"]


@pytest.mark.parametrize("name", REAL)
def test_a_support_of_all_reals_costs_no_equation(name):
    case = CASES[name]
    with validation_off():
        value = np.zeros(case.make().batch_shape + case.make().event_shape, np.float32)
        guarded, bare = (
            equations(lambda p, x, g=g: log_prob(case.build(*p), x, guard=g), case.parameters, value)
            for g in (True, False)
        )
    assert guarded == bare


@pytest.mark.parametrize(
    ("build", "number", "limit"),
    [
        (dist.Normal, 2, 7),
        (dist.Cauchy, 2, 8),
        (dist.HalfNormal, 1, 6),
        (dist.Exponential, 1, 3),
        (dist.LogNormal, 2, 10),
    ],
)
def test_as_short_as_by_hand(build, number, limit):
    with validation_off():
        count = equations(lambda x, *p: log_prob(build(*p), x, guard=False), *[1.0] * (number + 1))
    assert count <= limit
