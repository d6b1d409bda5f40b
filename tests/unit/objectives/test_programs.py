"""Objectives of particles on programs of every construct: the value is that of the draws' log weights, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conjugate import bound_of
from program_registry import PROGRAMS

import vipl
import vipl.distributions as dist
from vipl import objectives
from vipl.tracing.survey import survey

COUNT = 3


@vipl.expectation(has_aux=True)
def particles(guide):
    """The draws that an objective of particles makes from the same key."""

    def particle():
        trace = vipl.simulate(guide)
        return trace.choices, trace.log_density

    choices, log_density = vipl.vmap(particle, axis_size=COUNT)()
    return 0.0 * jnp.sum(log_density), choices


def by_hand(key, model, guide, alpha):
    _, choices = particles(key, guide)
    each = [jax.tree.map(lambda x, k=k: x[k], choices) for k in range(COUNT)]
    log_weights = [vipl.log_density(model, c) - vipl.log_density(guide, c) for c in each]
    return bound_of(jnp.array(log_weights), alpha)


@pytest.mark.parametrize(
    "name",
    ["nested_in_plate", "nested_twice", "vmap_in_scan", "scan_in_vmap", "plates_with_dims", "plate_of_factors"],
)
def test_value_by_hand(name, key):
    model = PROGRAMS[name].program()
    guide, params = vipl.guides.MeanField().build(survey(model))
    guide = vipl.with_params(guide, params)
    for gradient in ("plain", "dreg", "vimco"):
        found = objectives.iwelbo(COUNT, gradient)(key, model, guide)
        np.testing.assert_allclose(found, by_hand(key, model, guide, 0), rtol=1e-4)
    found = objectives.renyi(2, COUNT, "dreg")(key, model, guide)
    np.testing.assert_allclose(found, by_hand(key, model, guide, 2), rtol=1e-4)


@pytest.mark.parametrize(
    "name", ["cond_on_one_address", "switch_in_jax_vmap", "cond_in_scan", "jax_vmap_in_vmap", "subsample_in_vmap"]
)
def test_a_program_is_its_own_guide(name, key):
    program = PROGRAMS[name].program()
    for objective in (objectives.iwelbo(COUNT), objectives.iwelbo(COUNT, "vimco"), objectives.renyi(2, COUNT)):
        np.testing.assert_allclose(objective(key, program, program), 0.0, atol=1e-4)


@vipl.program
def mixed_model(y):
    kind = vipl.sample("kind", dist.Categorical(jnp.array([0.3, 0.3, 0.4])))
    x = vipl.sample("x", dist.Normal(kind, 1.0))
    vipl.sample("y", dist.Normal(x, 1.0), obs=y)


@vipl.program
def mixed_guide(logits, loc):
    kind = vipl.sample("kind", dist.Categorical(logits=logits))
    vipl.sample("x", dist.Normal(loc + kind, 0.8))


def test_a_mixture_of_discrete_and_continuous_choices():
    plan = str(objectives.iwelbo(COUNT).explain(mixed_model(1.0), mixed_guide(jnp.zeros(3), 0.0)))
    assert "Reparam()" in plan
    assert "ScoreFunction" in plan


DATA = jnp.array([0.0, 1.0, 3.0, 7.0])


@vipl.program
def independent(observe=True):
    """What is observed does not depend on the latent sites, so that all weights of a minibatch are equal."""
    vipl.sample("x", dist.Normal(0.0, 1.0))
    with vipl.plate("n", 4, subsample_size=2) as index:
        vipl.sample("z", dist.Normal(DATA[index], 1.0))
        if observe:
            vipl.sample("y", dist.Normal(0.0, 1.0), obs=DATA[index])


@vipl.program
def without_local_sites(observe=True):
    vipl.sample("x", dist.Normal(0.0, 1.0))
    if observe:
        with vipl.plate("n", 4, subsample_size=2) as index:
            vipl.sample("y", dist.Normal(0.0, 1.0), obs=DATA[index])


@pytest.mark.parametrize("program", [independent, without_local_sites])
@pytest.mark.parametrize("gradient", ["plain", "dreg", "vimco"])
def test_particles_share_their_minibatch(program, gradient):
    """Each value is one of the six that minibatches have; a mixture of minibatches would lie between."""
    log_probs = -0.5 * np.asarray(DATA) ** 2 - 0.5 * np.log(2 * np.pi)
    possible = np.unique([2 * (log_probs[i] + log_probs[j]) for i in range(4) for j in range(i)])
    objective = objectives.iwelbo(5, gradient)
    keys = jax.random.split(jax.random.key(0), 50)
    found = jax.vmap(lambda key: objective(key, program(), program(observe=False)))(keys)
    distance = np.abs(np.asarray(found)[:, None] - possible)
    assert distance.min(axis=1).max() < 1e-3
    assert len(set(distance.argmin(axis=1))) == len(possible)


def test_the_names_of_minibatches_hold_in_scopes(key):
    @vipl.program
    def outer(observe):
        vipl.sample("in", independent(observe))

    assert np.isfinite(objectives.iwelbo(2, "dreg")(key, outer(True), outer(False)))
