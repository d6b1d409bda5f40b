"""Relations between supports, and the search for what lies outside them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from distribution_registry import CASES, sampled

import vipl.distributions as dist
from vipl.distributions.support import (
    describe_constraint,
    first_violation,
    is_within,
    parameter_violations,
)
from vipl.distributions.validation import validation_off

c = dist.constraints


@pytest.mark.parametrize(
    ("inner", "outer", "answer"),
    [
        (c.positive, c.real, True),
        (c.real, c.positive, False),
        (c.positive, c.nonnegative, True),
        (c.nonnegative, c.positive, True),  # equal up to a point of probability zero
        (c.unit_interval, c.positive, True),
        (c.positive, c.unit_interval, False),
        (c.softplus_positive, c.positive, True),
        (c.interval(0.0, 2.0), c.interval(-1.0, 2.0), True),
        (c.interval(0.0, 2.0), c.interval(0.5, 2.0), False),
        (c.interval(np.zeros(2), np.array([1.0, 3.0])), c.interval(0.0, 2.0), False),
        (c.interval(jnp.float32(0.1), 1.0), c.interval(0.1, 1.0), True),
        (c.less_than(1.0), c.less_than(2.0), True),
        (c.greater_than(1.0), c.less_than(2.0), False),
        (c.circular, c.real, True),
        (c.boolean, c.nonnegative_integer, True),
        (c.nonnegative_integer, c.boolean, False),
        (c.integer_interval(0, 3), c.integer_interval(0, 4), True),
        (c.integer_interval(0, 5), c.integer_interval(0, 4), False),
        (c.positive_integer, c.nonnegative_integer, True),
        (c.nonnegative_integer, c.real, False),
        (c.real, c.nonnegative_integer, False),
        (c.simplex, c.simplex, True),
        (c.simplex, c.independent(c.unit_interval, 1), True),
        (c.independent(c.unit_interval, 1), c.simplex, False),
        (c.real_vector, c.simplex, False),
        (c.simplex, c.real_vector, True),
        (c.real_vector, c.independent(c.real, 1), True),
        (c.real_vector, c.real, True),  # shapes are compared elsewhere
        (c.corr_cholesky, c.lower_cholesky, True),
        (c.lower_cholesky, c.corr_cholesky, False),
        (c.corr_matrix, c.positive_definite, True),
        (c.positive_ordered_vector, c.ordered_vector, True),
        (c.ordered_vector, c.positive_ordered_vector, False),
        (c.zero_sum(1), c.real_vector, True),
        (c.multinomial(4), c.multinomial(4), True),
        (c.multinomial(4), c.multinomial(5), False),
        (c.dependent, c.real, None),
        (c.real, c.cat([c.real]), None),
    ],
)
def test_is_within(inner, outer, answer):
    assert is_within(inner, outer) is answer


def test_traced_bounds_cannot_be_told():
    answers = []

    def look(bound):
        answers.append(is_within(c.interval(0.0, bound), c.interval(0.0, 1.0)))
        answers.append(is_within(c.interval(0.0, bound), c.real))
        answers.append(is_within(c.real, c.interval(0.0, bound)))
        answers.append(is_within(c.interval(-1.0, bound), c.positive))
        return bound

    jax.jit(look)(1.0)
    assert answers == [None, True, False, False]


@pytest.mark.parametrize("name", CASES)
def test_every_support_is_within_itself(name):
    with validation_off():
        support = CASES[name].make().support
    assert is_within(support, support) is True
    words = describe_constraint(support)
    assert words
    assert "object at" not in words


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        (c.positive, "positive reals"),
        (c.nonnegative, "nonnegative reals"),
        (c.real, "reals"),
        (c.unit_interval, "reals in [0, 1]"),
        (c.open_interval(0.0, 2.0), "reals in (0, 2)"),
        (c.less_than(2.0), "reals < 2"),
        (c.greater_than_eq(2.0), "reals ≥ 2"),
        (c.integer_interval(0, 10), "integers 0..10"),
        (c.nonnegative_integer, "nonnegative integers"),
        (c.boolean, "0 or 1"),
        (c.simplex, "the unit simplex"),
        (c.real_vector, "arrays of reals"),
        (c.independent(c.positive, 2), "arrays of positive reals"),
    ],
)
def test_described_in_words(constraint, words):
    assert describe_constraint(constraint) == words


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.outside is not None])
def test_first_violation_finds_it(name):
    case = CASES[name]
    with validation_off():
        d = case.make()
    value = np.broadcast_to(np.asarray(case.outside, np.float32), d.batch_shape + d.event_shape)
    assert first_violation(d, value) is not None
    if case.samples:
        assert first_violation(d, sampled(name)) is None


def test_first_violation_names_the_place():
    assert first_violation(c.positive, [1.0, -2.0, -3.0]) == (1,)
    assert first_violation(c.positive, -1.0) == ()
    assert first_violation(dist.Exponential(1.0).expand([2, 2]).to_event(1), [[1.0, 2.0], [1.0, -1.0]]) == (
        1,
        1,
    )
    assert first_violation(c.simplex, np.array([[0.5, 0.5], [0.5, 0.6]])) == (1,)
    assert first_violation(dist.Normal(0.0, 1.0), [0.0, np.nan]) == (1,)
    assert first_violation(dist.Bernoulli(0.5), np.array([0, 1, 2])) == (2,)
    assert first_violation(dist.Normal(0.0, 1.0), [0.0, 1.0]) is None


def test_first_violation_passes_over_tracers():
    jax.jit(lambda x: first_violation(c.positive, x) or x)(-1.0)


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (lambda: dist.Normal(0.0, -1.0), ["scale"]),
        (lambda: dist.Normal(np.nan, 1.0), ["loc"]),
        (lambda: dist.Normal(0.0, 1.0), []),
        (lambda: dist.Normal(0, 1), []),
        (lambda: dist.LogNormal(0.0, -1.0), ["scale"]),
        (lambda: dist.Normal(0.0, np.array([1.0, -1.0])).expand([3, 2]).to_event(1), ["scale"]),
        (lambda: dist.Bernoulli(1.5), ["probs"]),
        (lambda: dist.Categorical(probs=np.array([0.5, 0.6])), ["probs"]),
        (lambda: dist.Poisson(-1.0), ["rate"]),
        (lambda: dist.Beta(0.0, 1.0), ["concentration1"]),
        (lambda: dist.Dirichlet(np.array([1.0, -1.0])), ["concentration"]),
        (
            lambda: dist.MultivariateNormal(np.zeros(2), scale_tril=np.array([[1.0, 1.0], [0.0, 1.0]])),
            ["scale_tril"],
        ),
    ],
)
def test_parameter_violations(build, names):
    with validation_off():
        d = build()
    assert [name for name, _, _ in parameter_violations(d)] == names


@pytest.mark.parametrize("name", CASES)
def test_legal_parameters_are_not_accused(name):
    with validation_off():
        assert parameter_violations(CASES[name].make()) == []


def test_traced_parameters_are_passed_over():
    def build(scale):
        assert parameter_violations(dist.Normal(0.0, scale)) == []
        return scale

    jax.jit(build)(-1.0)


def test_plain_numbers_compile_nothing():
    with validation_off():
        d, good = dist.Normal(0.0, -1.0), dist.Gamma(2.0, 1.0)
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: compiled.append(event))
    try:
        assert parameter_violations(d)
        assert not parameter_violations(good)
        assert first_violation(c.positive, [1.0, -1.0]) == (1,)
        assert is_within(c.unit_interval, c.positive)
    finally:
        seen = [event for event in compiled if "compile" in event]
        jax.monitoring.clear_event_listeners()
    assert not seen
