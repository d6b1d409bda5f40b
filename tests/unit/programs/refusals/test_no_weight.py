"""Where all particles, or some, have no weight: nothing is NaN, and derivatives are finite."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from unit.programs.refusals.programs import KEY, SERIES, impossible, impossible_walk

import vipl
import vipl.distributions as dist
from vipl import SMC, Importance, marginal, normalize, objectives

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def proposal(theta):
    vipl.sample("x", dist.Normal(theta, 1.0))


@vipl.program
def walking(theta):
    lax.scan(lambda x, _: (vipl.sample("x", dist.Normal(theta + x, 1.0)), None), 0.0, None, length=3)


def _by_importance(count, own):
    return lambda theta: Importance(None if own else proposal(theta), num_particles=count)


def _by_filter(count, own, **options):
    return lambda theta: SMC(count, None if own else walking(theta), **options)


HOPELESS = {
    **{
        f"Importance of {count}{'' if own else ', proposed'}": (impossible, _by_importance(count, own), 0.3)
        for count in (1, 3)
        for own in (True, False)
    },
    **{
        f"{scheme} at {at}{', adaptive' if threshold else ''}": (
            lambda theta, at=at: impossible_walk(theta, at),
            _by_filter(3, True, resampling=scheme, threshold=threshold),
            SERIES,
        )
        for scheme, at, threshold in [
            ("multinomial", 1, None),
            ("stratified", 0, None),
            ("systematic", 2, 0.7),
            ("multinomial", 0, 0.7),
        ]
    },
    "filter of one": (lambda theta: impossible_walk(theta, 1), _by_filter(1, True), SERIES),
    "filter, proposed": (lambda theta: impossible_walk(theta, 1), _by_filter(3, False), SERIES),
}
hopeless = pytest.mark.parametrize(("model", "inference", "value"), HOPELESS.values(), ids=HOPELESS)


def value_and_grad(function):
    return jax.jit(jax.value_and_grad(function))(0.2)


@hopeless
def test_all_weights_zero(model, inference, value):
    """Densities are −inf, or finite, with finite derivatives; the evidence is zero; the bound −inf."""

    def evidence(theta):
        return vipl.log_density(marginal(model(theta), [], inference(theta)), {}, KEY)

    density, slope = value_and_grad(evidence)
    assert density == -jnp.inf
    assert np.isfinite(slope)

    def posterior(theta):
        return normalize(model(theta), inference(theta))

    for function in (
        lambda theta: vipl.log_density(posterior(theta), {"x": value}, KEY),
        lambda theta: vipl.simulate(posterior(theta), KEY).log_density,
    ):
        density, slope = value_and_grad(function)
        assert density < jnp.inf
        assert np.isfinite(slope)
    draw = vipl.simulate(posterior(0.2), KEY)["x"]
    assert np.isfinite(draw).all()
    assert objectives.elbo(KEY, model(0.2), posterior(0.2)) == -jnp.inf


@vipl.program
def narrow(theta):
    """About half of all particles have no weight."""

    def step(x, _):
        x = vipl.sample("x", dist.Normal(theta + x, 1.0))
        vipl.factor("f", jnp.where(x > 0.3, theta * x, -jnp.inf))
        return x, None

    lax.scan(step, 0.0, None, length=3)


INFERENCES = {
    "Importance": Importance(num_particles=6),
    **{scheme: SMC(6, resampling=scheme) for scheme in ("multinomial", "stratified", "systematic")},
    "adaptive": SMC(6, resampling="systematic", threshold=0.6),
}


@pytest.mark.parametrize("name", INFERENCES)
def test_some_weights_zero(name):
    """What is finite has a finite derivative, and nothing is NaN; every draw of a filter that lives is possible."""
    inference, keys = INFERENCES[name], jax.random.split(KEY, 300)

    def given(key, theta):
        return vipl.log_density(normalize(narrow(theta), inference), {"x": 0.4 + SERIES}, key)

    def drawn(key, theta):
        return vipl.simulate(normalize(narrow(theta), inference), key).log_density

    def evidence(key, theta):
        return vipl.log_density(marginal(narrow(theta), [], inference), {}, key)

    def bound(key, theta):
        return objectives.elbo(key, narrow(theta), normalize(narrow(theta), inference))

    for function in (given, drawn, evidence, bound):
        values, slopes = jax.jit(jax.vmap(jax.value_and_grad(function, argnums=1), (0, None)))(keys, 0.2)
        assert not np.isnan(values).any(), function
        assert np.isfinite(slopes[np.isfinite(values)]).all(), function
        assert np.isfinite(values).mean() > 0.5, function
        if function is not bound:
            assert not np.isnan(slopes).any(), function


def test_a_value_beyond_the_support():
    @vipl.program
    def band():
        u = vipl.sample("u", dist.Uniform(0.0, 1.0))
        vipl.sample("x", dist.Uniform(u, u + 1.0))

    on_x = marginal(band(), ["x"], Importance(num_particles=3))
    density, slope = jax.value_and_grad(lambda x: vipl.log_density(on_x, {"x": x}, KEY))(5.0)
    assert density == -jnp.inf
    assert slope == 0
