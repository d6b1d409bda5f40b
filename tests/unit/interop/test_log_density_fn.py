"""The log density of a program as a function of arrays, against algebra and NumPyro's own transforms."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from numpyro.distributions import biject_to
from scipy import stats

import vipl
import vipl.distributions as dist

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def gamma(y):
    rate = vipl.sample("rate", dist.Gamma(2.0, 1.0))
    vipl.sample("y", dist.Poisson(rate), obs=y)


@vipl.program
def many():
    vipl.sample("scalar", dist.Normal(0.0, 1.0))
    vipl.sample("bounded", dist.Uniform(-1.0, 3.0).expand([2]).to_event(1))
    with vipl.plate("plate", 3):
        vipl.sample("shares", dist.Dirichlet(jnp.array([1.0, 2.0, 3.0])))
    vipl.sample("factor", dist.LKJCholesky(3, 1.5))
    vipl.sample("one", dist.HalfNormal(1.0).expand([1]).to_event(1))
    vipl.sample("none", dist.Normal(0.0, 1.0).expand([0]).to_event(1))


def test_the_density_of_the_logarithm_of_a_gamma():
    fn = vipl.log_density_fn(gamma(3))
    for x in (-1.0, 0.0, 1.5):
        expected = stats.gamma(2.0).logpdf(np.exp(x)) + stats.poisson(np.exp(x)).logpmf(3) + x
        assert float(fn({"rate": x})) == pytest.approx(expected, rel=1e-5)
        by_hand = 5 - 2 * np.exp(x)  # d/dx of (2 − 1 + 3 + 1) x − 2 exp(x)
        assert float(jax.grad(fn)({"rate": x})["rate"]) == pytest.approx(by_hand, rel=1e-4)
    values = vipl.log_density_fn(gamma(3), unconstrained=False)
    assert float(values({"rate": 2.0})) == pytest.approx(float(fn({"rate": np.log(2.0)})) - np.log(2.0), rel=1e-5)


def test_it_integrates_to_the_evidence(x64):
    fn = vipl.log_density_fn(gamma(3))
    grid = jnp.linspace(-12.0, 6.0, 20_001)
    integral = jnp.trapezoid(jnp.exp(jax.vmap(lambda x: fn({"rate": x}))(grid)), grid)
    exact = stats.nbinom(2, 0.5).pmf(3)  # a Poisson whose rate is a Gamma
    assert float(integral) == pytest.approx(exact, rel=1e-6)


def test_positions_of_all_supports_go_there_and_back(x64):
    fn, values = vipl.log_density_fn(many()), vipl.log_density_fn(many(), unconstrained=False)
    position = fn.initial(jax.random.key(0))
    assert {name: value.shape for name, value in position.items()} == {
        "scalar": (),
        "bounded": (2,),
        "shares": (3, 2),
        "factor": (3,),
        "one": (1,),
        "none": (0,),
    }
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), fn.shapes) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), position
    )
    constrained = fn.constrain(position)
    shapes = {name: shape.shape for name, shape in values.shapes.items()}
    assert shapes == {name: value.shape for name, value in constrained.items()}
    for name, value in fn.unconstrain(constrained).items():
        np.testing.assert_allclose(value, position[name], atol=1e-9, err_msg=name)
    supports = {
        "bounded": dist.constraints.interval(-1.0, 3.0),
        "shares": dist.constraints.simplex,
        "factor": dist.constraints.corr_cholesky,
        "one": dist.constraints.positive,
    }
    jacobian = 0.0
    for name, support in supports.items():
        transform = biject_to(support)
        np.testing.assert_allclose(constrained[name], transform(position[name]), atol=1e-9)
        jacobian += jnp.sum(transform.log_abs_det_jacobian(position[name], constrained[name]))
    np.testing.assert_allclose(fn(position), values(constrained) + jacobian, rtol=1e-9)
    assert values(values.initial(jax.random.key(0))) == values(constrained)
    assert fn.initial(jax.random.key(1))["one"] != position["one"]


def test_it_is_plain_jax():
    """One compiled function serves other data of the same shape: the data are its leaves."""
    compiled = jax.jit(jax.vmap(lambda fn, position: fn(position), in_axes=(None, 0)))
    starts = jax.vmap(vipl.log_density_fn(gamma(3)).initial)(jax.random.split(jax.random.key(0), 5))
    for y in (3, 4):
        fn = vipl.log_density_fn(gamma(jnp.array(y)))
        np.testing.assert_allclose(compiled(fn, starts), [fn({"rate": x}) for x in starts["rate"]], rtol=1e-5)
    assert compiled._cache_size() == 1


def test_an_optimiser_of_optax_finds_the_mode():
    """Of the values, Gamma(5, 2) has it at 2; of their logarithms at 5/2."""
    for unconstrained, mode in ((True, 2.5), (False, 2.0)):
        fn = vipl.log_density_fn(gamma(3), unconstrained=unconstrained)
        position, optimizer = fn.unconstrain({"rate": jnp.array(1.0)}), optax.adam(0.05)
        state = optimizer.init(position)

        @jax.jit
        def step(position, state, fn=fn, optimizer=optimizer):
            updates, state = optimizer.update(jax.grad(lambda at: -fn(at))(position), state)
            return optax.apply_updates(position, updates), state

        for _ in range(500):
            position, state = step(position, state)
        assert float(fn.constrain(position)["rate"]) == pytest.approx(mode, rel=1e-3)


@vipl.program
def coin():
    vipl.sample("coin", dist.Bernoulli(0.5))


@vipl.program
def subsampled(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
    with vipl.plate("data", len(y), subsample_size=2) as index:
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y[index])


@pytest.mark.parametrize(
    ("program", "error", "match"),
    [
        (coin, vipl.ProgramError, "coin"),
        (coin(), vipl.EstimatorError, "'coin' is discrete"),
        (subsampled(jnp.zeros(4)), vipl.ShapeError, "'data'"),
    ],
    ids=["function", "discrete", "subsample"],
)
def test_what_has_no_such_density_is_refused(program, error, match):
    with pytest.raises(error, match=match) as caught:
        vipl.log_density_fn(program)
    assert "log_density_fn" in str(caught.value)


def test_a_position_that_does_not_fit_is_refused():
    fn = vipl.log_density_fn(gamma(3))
    with pytest.raises(vipl.AddressError, match="rat"):
        fn({"rat": 0.0})
    with pytest.raises(vipl.ShapeError, match=r"\(2,\)"):
        fn({"rate": jnp.zeros(2)})
