"""`vipl.expect`: exact where its choices are enumerated, unbiased where it is used linearly, refused elsewhere."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import estimators

pytestmark = pytest.mark.usefixtures("x64")
ENUMERATE = estimators.Enumerate()
KEY = jax.random.key(0)


@vipl.expectation(estimators={"x": ENUMERATE})
def inner(p, s):
    return jnp.exp(s * vipl.sample("x", dist.Bernoulli(p)))


def exact_inner(p, s):
    return 1 - p + p * jnp.exp(s)


def value_and_grad(objective, p=0.4):
    return jnp.stack(jax.value_and_grad(objective)(p))


def assert_exact(objective, exact):
    found = jax.jit(lambda: value_and_grad(lambda p: objective(KEY, p)))()
    np.testing.assert_allclose(found, value_and_grad(exact), rtol=1e-10)


def draws(objective):
    keys = jax.random.split(jax.random.key(1), 500_000)
    return jax.jit(jax.vmap(lambda key: value_and_grad(lambda p: objective(key, p))))(keys)


def pick(p, estimator):
    """A choice around, of three values."""
    return vipl.sample("z", dist.Categorical(jnp.array([p, (1 - p) / 2, (1 - p) / 2])), estimator=estimator)


def exact_pick(p, f):
    return sum(chance * f(z) for z, chance in enumerate([p, (1 - p) / 2, (1 - p) / 2]))


def test_a_function_of_an_enumerated_expectation():
    objective = vipl.expectation(lambda p: jnp.log(vipl.expect(inner, p, 1.0)) ** 2)
    assert_exact(objective, lambda p: jnp.log(exact_inner(p, 1.0)) ** 2)


def test_under_an_enumerated_choice():
    objective = vipl.expectation(
        lambda p: (lambda z: jnp.log(vipl.expect(inner, p / (1 + z), 1.0 + z)))(pick(p, ENUMERATE))
    )
    assert_exact(objective, lambda p: exact_pick(p, lambda z: jnp.log(exact_inner(p / (1 + z), 1.0 + z))))


def _in_scan(p):
    def step(total, s):
        return total + jnp.log(vipl.expect(inner, p, s)), None

    return lax.scan(step, 0.0, jnp.arange(3.0))[0]


def _in_branch(p):
    return lax.cond(p > 0.1, lambda: jnp.log(vipl.expect(inner, p, 1.0)), lambda: 0.0 * p)


IN_CONSTRUCTS = {
    "jax_vmap": lambda p: jnp.sum(jax.vmap(lambda s: jnp.log(vipl.expect(inner, p, s)))(jnp.arange(3.0))),
    "vipl_vmap": lambda p: jnp.sum(vipl.vmap(lambda s: jnp.log(vipl.expect(inner, p, s)))(jnp.arange(3.0))),
    "jit": lambda p: sum(jax.jit(lambda s: jnp.log(vipl.expect(inner, p, s)))(s) for s in (0.0, 1.0, 2.0)),
    "remat": lambda p: sum(jax.checkpoint(lambda s: jnp.log(vipl.expect(inner, p, s)))(s) for s in (0.0, 1.0, 2.0)),
    "scan": _in_scan,
}


@pytest.mark.parametrize("name", IN_CONSTRUCTS)
def test_in_constructs(name):
    exact = lambda p: sum(jnp.log(exact_inner(p, s)) for s in range(3))  # noqa: E731
    assert_exact(vipl.expectation(IN_CONSTRUCTS[name]), exact)


def test_in_a_branch():
    assert_exact(vipl.expectation(_in_branch), lambda p: jnp.log(exact_inner(p, 1.0)))


def test_expectations_in_expectations():
    middle = vipl.expectation(lambda p, z: jnp.log(vipl.expect(inner, p, 1.0)) * (1 + pick(p, ENUMERATE)) ** z)
    objective = vipl.expectation(lambda p: jnp.exp(vipl.expect(middle, p, 2)))
    exact = lambda p: jnp.exp(jnp.log(exact_inner(p, 1.0)) * exact_pick(p, lambda z: (1 + z) ** 2))  # noqa: E731
    assert_exact(objective, exact)


def test_the_auxiliary_and_the_samples():
    with_auxiliary = vipl.expectation(
        lambda p: ((x := 1.0 * vipl.sample("x", dist.Bernoulli(p))) ** 2, {"x": x, "name": "heads"}),
        has_aux=True,
        num_samples=3,
    )

    @vipl.expectation(has_aux=True)
    def objective(p):
        value, auxiliary = vipl.expect(with_auxiliary, p)
        return 2 * value, auxiliary

    value, auxiliary = objective(KEY, 0.4)
    assert auxiliary["name"] == "heads"
    assert auxiliary["x"].shape == (3,)
    np.testing.assert_allclose(auxiliary["x"], 0.4)  # enumerated: its mean
    np.testing.assert_allclose(value, 0.8)


@pytest.mark.parametrize(
    "estimator",
    [
        estimators.ScoreFunction(),
        estimators.ScoreFunction(baseline=1.5),
        estimators.LeaveOneOut(3),
        estimators.MeasureValued(),
    ],
    ids=repr,
)
@pytest.mark.parametrize("around", [ENUMERATE, estimators.ScoreFunction()], ids=repr)
def test_an_estimate_used_linearly(estimator, around):
    nested = inner.with_estimators({"x": estimator})

    @vipl.expectation
    def objective(p):
        z = pick(p, around)
        return (1 + z**2) * vipl.expect(nested, p / (1 + z), 1.0 + z) - vipl.expect(nested, p, 0.5)

    def exact(p):
        first = exact_pick(p, lambda z: (1 + z**2) * exact_inner(p / (1 + z), 1.0 + z))
        return first - exact_inner(p, 0.5)

    assert_unbiased(draws(objective), value_and_grad(exact), resolution=0.2)


def test_two_estimates_may_be_multiplied():
    nested = inner.with_estimators({"x": estimators.ScoreFunction()})
    objective = vipl.expectation(lambda p: vipl.expect(nested, p, 1.0) * vipl.expect(nested, p, 0.5))
    exact = lambda p: exact_inner(p, 1.0) * exact_inner(p, 0.5)  # noqa: E731
    assert_unbiased(draws(objective), value_and_grad(exact), resolution=0.2)


def _log(e):
    return jnp.log(e)


def _square(e):
    return e * e


def _quotient(e):
    return 1.0 / e


def _branch(e):
    return jnp.where(e > 1.0, 1.0, 0.0)


def _cond(e):
    return lax.cond(e > 1.0, lambda: 1.0, lambda: 0.0)


def _scan(e):
    return lax.scan(lambda c, _: (c * e, None), 1.0, None, length=3)[0]


def _parameter(e):
    return vipl.sample("y", dist.Normal(e, 1.0)) ** 2


def _while(e):
    return lax.while_loop(lambda c: c < e, lambda c: c + 1, 0.0)


@pytest.mark.parametrize("use", [_log, _square, _quotient, _branch, _cond, _scan, _parameter, _while])
def test_an_estimate_used_as_if_it_were_exact_is_refused(use):
    nested = inner.with_estimators({"x": estimators.ScoreFunction()})
    objective = vipl.expectation(lambda p: use(vipl.expect(nested, p, 1.0)))
    with pytest.raises(vipl.BiasError, match="nested expectation inner") as caught:
        objective(KEY, 0.4)
    assert "test_nested_expectations.py" in str(caught.value)
    vipl.expectation(lambda p: use(vipl.expect(inner, p, 1.0)))(KEY, 0.4)  # exact: nothing to refuse


@pytest.mark.parametrize(
    "use",
    [
        lambda e: jnp.sum(jnp.stack([e, 2 * e]).reshape(2, 1)[::-1].T[0, :1]),
        lambda e: jnp.array([1.0, 2.0]) @ jnp.stack([e, -e]),
        lambda e: jnp.where(jnp.array(True), e, 0.0) / 2,
        lambda e: lax.scan(lambda c, x: (0.5 * c + x * e, None), 0.0, jnp.arange(3.0))[0],
        lambda e: lax.cond(jnp.array(True), lambda: 2 * e, lambda: -e),
        lambda e: jnp.zeros(3).at[1].add(e).sum() + jnp.cumsum(jnp.stack([e, e]))[1],
    ],
)
def test_linear_uses_pass(use):
    nested = inner.with_estimators({"x": estimators.ScoreFunction()})
    vipl.expectation(lambda p: use(vipl.expect(nested, p, 1.0)))(KEY, 0.4)


def test_a_refused_use_is_truly_biased(monkeypatch):
    """Without the refusal the mean of log(estimate) is far from the logarithm of the mean."""
    from vipl.transform import plan

    monkeypatch.setattr(plan, "refuse_misused_estimates", lambda _: None)
    nested = inner.with_estimators({"x": estimators.ScoreFunction()})
    objective = vipl.expectation(lambda p: jnp.log(vipl.expect(nested, p, 1.0)))
    values = jax.jit(jax.vmap(lambda key: objective(key, 0.4)))(jax.random.split(KEY, 20_000))
    assert abs(values.mean() - jnp.log(exact_inner(0.4, 1.0))) > 20 * values.std() / len(values) ** 0.5


def test_outer_overrides_reach_inside():
    nested = vipl.expectation(lambda p: jnp.exp(1.0 * vipl.sample("x", dist.Bernoulli(p))))
    objective = vipl.expectation(lambda p: vipl.expect(nested, p)).with_estimators({"x": estimators.ScoreFunction()})
    (row,) = objective.explain(0.4).choices
    assert row.estimator.startswith("ScoreFunction")
    assert objective.with_estimators({"x": ENUMERATE}).explain(0.4).choices[0].estimator.startswith("Enumerate")


def test_misuse_of_expect():
    with pytest.raises(vipl.RandomnessError, match=r"inner\(key, …\)"):
        vipl.expect(inner, 0.4, 1.0)
    with pytest.raises(vipl.ProgramError, match="takes an expectation"):
        vipl.expectation(lambda p: vipl.expect(lambda p: p, p))(KEY, 0.4)
    with pytest.raises(vipl.RandomnessError, match=r"vipl\.expect\(inner"):
        vipl.expectation(lambda p: inner(KEY, p, 1.0))(KEY, 0.4)
    with pytest.raises(vipl.AddressError, match="'y'"):
        vipl.expectation(lambda p: vipl.expect(inner.with_estimators({"y": ENUMERATE}), p, 1.0))(KEY, 0.4)
    with pytest.raises(vipl.ShapeError, match="floating-point scalar"):
        vipl.expectation(lambda p: vipl.expect(vipl.expectation(lambda p: p * jnp.ones(2)), p))(KEY, 0.4)
