"""`vipl.infer` with each objective, and that objectives made anew are known again."""

import jax
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl import objectives

DATUM = 1.2
EVIDENCE = -(DATUM**2) / 4 - np.log(4 * np.pi) / 2

MAKERS = {
    "path_elbo": lambda: objectives.path_elbo,
    "iwelbo": lambda: objectives.iwelbo(8),
    "iwelbo, dreg": lambda: objectives.iwelbo(8, gradient="dreg"),
    "iwelbo, vimco": lambda: objectives.iwelbo(8, "vimco"),
    "renyi": lambda: objectives.renyi(0.5, 8),
    "renyi, dreg": lambda: objectives.renyi(2.0, 8, "dreg"),
    "ais": lambda: objectives.ais(2, {"x": 0.05}, schedule=np.array([0.3, 1.0])),
    "symmetric_kl": lambda: objectives.symmetric_kl(16),
    "f_divergence": lambda: objectives.f_divergence(lambda t: (t**0.5 - 1) ** 2, 16),
}
LARGEST = {"symmetric_kl": 0.0, "f_divergence": 0.0}  # of the others it is the evidence
every = pytest.mark.parametrize("name", MAKERS)


@vipl.program
def model(y):
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(x, 1.0), obs=y)


@vipl.program
def guide():
    loc, scale = vipl.param("loc", -1.0), vipl.param("scale", 1.5, constraint=dist.constraints.positive)
    vipl.sample("x", dist.Normal(loc, scale))


@pytest.fixture
def compilations():
    names = []

    def listen(event, duration, **details):
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(details.get("fun_name"))

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield names
    jax.monitoring.unregister_event_duration_listener(listen)


def fit(objective, seed=0):
    return vipl.infer(
        model(DATUM),
        guide(),
        key=jax.random.key(seed),
        objective=objective,
        num_steps=600,
        num_samples=4,
        progress=False,
    )


@every
def test_a_fit_finds_the_posterior_and_a_second_one_compiles_nothing(name, compilations):
    make, largest = MAKERS[name], LARGEST.get(name, EVIDENCE)
    posterior = fit(make())
    assert posterior.status == "finished"
    np.testing.assert_allclose(posterior.objective_history[-100:].mean(), largest, atol=0.02)
    draws = posterior.sample(jax.random.key(1), 4000)["x"]
    np.testing.assert_allclose(draws.mean(), DATUM / 2, atol=0.1)
    np.testing.assert_allclose(draws.std(), np.sqrt(0.5), atol=0.15)
    compilations.clear()
    fit(make(), seed=1)
    assert compilations == []


@every
def test_objectives_made_alike_are_equal(name):
    make = MAKERS[name]
    assert make() == make()
    assert hash(make()) == hash(make())
    assert make().with_num_samples(3) == make().with_num_samples(3)
    assert sum(make() == other() for other in MAKERS.values()) == 1


def test_objectives_of_other_arguments_differ():
    made = [objectives.iwelbo(2), objectives.iwelbo(3), objectives.renyi(0.5, 2), objectives.renyi(0.25, 2)]
    assert len(set(made)) == len(made)
    assert objectives.renyi(0, 2) == objectives.renyi(np.float32(0.0), 2)


def test_a_guide_that_infer_makes():
    posterior = vipl.infer(
        model(DATUM), key=jax.random.key(0), objective=objectives.iwelbo(4, "dreg"), num_steps=50, progress=False
    )
    assert posterior.status == "finished"


def test_renyi_of_order_zero_is_the_importance_weighted_bound(key):
    programs = (model(DATUM), vipl.with_params(guide(), vipl.init_params(key, guide())))
    for gradient in ("plain", "dreg"):
        same = [objectives.iwelbo(3, gradient), objectives.renyi(0, 3, gradient)]
        found = [jax.value_and_grad(objective, argnums=2)(key, *programs) for objective in same]
        jax.tree.map(np.testing.assert_array_equal, *found)


@pytest.mark.parametrize("one", [objectives.iwelbo(1, "dreg"), objectives.renyi(3, 1, "dreg")])
def test_one_particle_by_dreg_is_the_path_gradient(one, key):
    programs = (model(DATUM), vipl.with_params(guide(), vipl.init_params(key, guide())))
    found, path, plain = (
        jax.tree.leaves(jax.value_and_grad(objective, argnums=2)(key, *programs))
        for objective in (one, objectives.path_elbo, objectives.elbo)
    )
    np.testing.assert_allclose(found, path, rtol=1e-5)
    assert plain[0] == path[0]
    assert plain[1] != path[1]
