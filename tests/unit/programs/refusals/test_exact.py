"""What `Exact` cannot sum out, and what it makes of weights of zero."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from unit.programs.refusals.checking import check

import vipl
import vipl.distributions as dist
from vipl import Exact, Importance, marginal, normalize, objectives

pytestmark = pytest.mark.usefixtures("quick_compilation")

KEY = jax.random.key(0)


@vipl.program
def normal(y=0.3):
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    z = vipl.sample("z", dist.Bernoulli(0.3))
    vipl.sample("y", dist.Normal(x + z, 1.0), obs=y)


@vipl.program
def counted():
    n = vipl.sample("n", dist.Poisson(2.0))
    vipl.sample("y", dist.Normal(1.0 * n, 1.0), obs=0.3)


@vipl.program
def binomial(total):
    n = vipl.sample("n", dist.Binomial(total, 0.4))
    vipl.sample("y", dist.Normal(1.0 * n, 1.0), obs=0.3)


@vipl.program
def magnet(size):
    spins = vipl.sample("spins", dist.Bernoulli(0.5 * jnp.ones(size)))
    vipl.factor("pull", jnp.sum(spins) ** 2 / size)


@vipl.program
def counting(length):
    def step(count, _):
        z = vipl.sample("z", dist.Bernoulli(0.3))
        vipl.factor("f", 0.1 * count * z)
        return count + z, None

    lax.scan(step, 0, None, length=length)


@vipl.program
def emitted_afterwards(length):
    def step(before, _):
        z = vipl.sample("z", dist.Bernoulli(jnp.where(before == 1, 0.2, 0.6)))
        return z, z

    _, z = lax.scan(step, 0, None, length=length)
    vipl.sample("y", dist.Normal(1.0 * z, 1.0), obs=jnp.zeros(length))


@vipl.program
def two_supports(a):
    z = lax.cond(
        a > 0,
        lambda: vipl.sample("z", dist.Bernoulli(0.3)),
        lambda: vipl.sample("z", dist.Categorical(jnp.ones(3) / 3)),
    )
    vipl.factor("f", 1.0 * z)


@vipl.program
def loop():
    lax.while_loop(lambda n: n < 3, lambda n: n + 1 + vipl.sample("z", dist.Bernoulli(0.3)), 0)


@vipl.program
def nested():
    x = vipl.sample("within", marginal(normal(), ["x"], Exact()))
    del x
    z = vipl.sample("z", dist.Bernoulli(0.3))
    vipl.factor("f", 1.0 * z)


@vipl.program
def masked(mask=None, data_mask=True):
    law = dist.Bernoulli(jnp.array([0.3, 0.6]))
    z = vipl.sample("z", law if mask is None else law.mask(mask))
    vipl.sample("y", dist.Normal(1.0 * z, 1.0).mask(data_mask), obs=jnp.array([0.2, 0.9]))


def evidence(program, keep=(), **options):
    return lambda: marginal(program, list(keep), Exact(**options))


REFUSED = {
    "continuous": (vipl.DensityError, evidence(normal()), "site 'x', which is not finite", "keep=['x', …]"),
    "continuous posterior": (
        vipl.DensityError,
        lambda: normalize(normal(), Exact()),
        "vipl.normalize by vipl.Exact sums over the support of site 'x'",
        "vipl.Importance",
    ),
    "counts without end": (vipl.DensityError, evidence(counted()), "site 'n', which is not finite", "Binomial"),
    "a table too large": (
        vipl.DensityError,
        evidence(magnet(40)),
        "a table of 1,099,511,627,776 states, of 'spins': all elements of 'spins' along axis 0 are looked at together",
        "vipl.Importance",
    ),
    "far too large": (vipl.DensityError, evidence(magnet(400)), r"more than 10\^15 states", "vipl.Importance"),
    "more than allowed": (vipl.DensityError, evidence(magnet(4), most_states=15), "16 states", "more than 15"),
    "a count": (
        vipl.DensityError,
        evidence(counting(50)),
        "cannot be taken step by step, for what is carried depends on more than the last 4 steps",
        "vipl.Importance",
    ),
    "used after the scan": (
        vipl.DensityError,
        evidence(emitted_afterwards(50)),
        "for what it stacks is used after it",
        "vipl.Importance",
    ),
    "two supports": (vipl.DensityError, evidence(two_supports(1.0)), "one support in one branch", "addresses of"),
    "while loop": (vipl.DensityError, evidence(loop()), "inside a while_loop", "scan"),
    "masked": (
        vipl.DensityError,
        evidence(masked(jnp.array([True, False]))),
        "site 'z' is masked",
        "sums to one by itself",
    ),
    "nested": (vipl.DensityError, evidence(nested(), ["within/x"]), "itself a sum or an estimate", "at once"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_summed(name):
    check(*REFUSED[name])


@pytest.mark.parametrize("number", [0, -1, True, 2.0, "3", None, np.int64(3)], ids=repr)
def test_numbers_of_states(number):
    check(vipl.ParameterError, lambda: Exact(most_states=number), "at least one state, and got most_states=", "Exact()")


def test_a_total_count_that_is_not_known():
    check(
        vipl.DensityError,
        lambda: jax.jit(lambda n: vipl.log_density(marginal(binomial(n), [], Exact()), {}))(3),
        "not known before the program runs",
        "of constant total_count",
    )


def test_a_key():
    summed = marginal(normal(), ["x"], Exact())
    check(vipl.RandomnessError, lambda: vipl.log_density(summed, {"x": 0.1}, KEY), "takes no key", "choices)")
    exact = jnp.logaddexp(
        jnp.log(0.7) + dist.Normal(0.1, 1.0).log_prob(0.3), jnp.log(0.3) + dist.Normal(1.1, 1.0).log_prob(0.3)
    )
    np.testing.assert_allclose(
        vipl.log_density(summed, {"x": 0.1}), exact + dist.Normal(0.0, 1.0).log_prob(0.1), rtol=1e-6
    )


def test_masked_data():
    """What the refusal of a mask says: the sum over a site whose data are masked is one."""
    half = vipl.log_density(marginal(masked(None, jnp.array([True, False])), [], Exact()), {})
    exact = jnp.log(0.7 * jnp.exp(-0.5 * 0.2**2) + 0.3 * jnp.exp(-0.5 * 0.8**2)) - 0.5 * jnp.log(2 * jnp.pi)
    np.testing.assert_allclose(half, exact, rtol=1e-6)


def test_a_sum_inside_of_an_estimate():
    """The estimate needs a key, and its sums are exact."""
    outer = marginal(around(), ["w"], Importance(num_particles=2))
    check(vipl.RandomnessError, lambda: vipl.log_density(outer, {"w": 0.1}), "no randomness", "key")
    assert np.isfinite(vipl.log_density(outer, {"w": 0.1}, KEY))


@vipl.program
def around():
    x = vipl.sample("within", marginal(unobserved(), ["x"], Exact()))
    del x
    u = vipl.sample("u", dist.Normal(0.0, 1.0))
    vipl.sample("w", dist.Normal(u, 1.0))


@vipl.program
def unobserved():
    z = vipl.sample("z", dist.Bernoulli(0.3))
    vipl.sample("x", dist.Normal(1.0 * z, 1.0))


@vipl.program
def impossible(theta):
    z = vipl.sample("z", dist.Categorical(jnp.ones(3) / 3))
    vipl.factor("f", jnp.where(z > 5, theta * z, -jnp.inf))


@vipl.program
def impossible_chain(theta, at):
    def step(before, t):
        z = vipl.sample("z", dist.Bernoulli(jnp.where(before == 1, 0.2, 0.6)))
        vipl.factor("f", jnp.where(jnp.logical_or(z > 5, t != at), theta * z, -jnp.inf))
        return z, None

    lax.scan(step, 0, jnp.arange(3))


@pytest.mark.parametrize("at", [None, 0, 1, 2])
def test_all_weights_zero(at):
    """The evidence is zero, a posterior has no density to speak of, and derivatives are finite."""

    def model(theta):
        return impossible(theta) if at is None else impossible_chain(theta, at)

    def both(theta):
        posterior = normalize(model(theta), Exact())
        trace = vipl.simulate(posterior, KEY)
        return vipl.log_density(marginal(model(theta), [], Exact()), {}), trace.log_density

    values, slopes = jax.jit(both)(0.2), jax.jit(jax.jacrev(both))(0.2)
    assert values[0] == -jnp.inf
    assert values[1] < jnp.inf
    assert np.isfinite(slopes).all()
    assert objectives.elbo(KEY, model(0.2), normalize(model(0.2), Exact())) == -jnp.inf
