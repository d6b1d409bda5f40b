"""The numbers of an optimiser are known by name, and a checkpoint of another rate is refused."""

import jax
import optax
import pytest

import vipl
import vipl.distributions as dist
from vipl.infer.storage.settings import first_change, settings_of

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def model(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


def schedule(steps):
    return optax.adam(optax.cosine_decay_schedule(0.05, steps))


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        (optax.adam(0.02), optax.adam(0.03), "step_size"),
        (optax.adam(0.02), optax.adam(0.02, b1=0.8), "b1"),
        (schedule(100), schedule(200), "decay_steps"),
        (optax.chain(optax.clip(1.0), optax.sgd(0.1)), optax.chain(optax.clip(2.0), optax.sgd(0.1)), "max_delta"),
        (optax.sgd(0.1, momentum=0.9), optax.sgd(0.1, momentum=0.8), "decay"),
        (optax.lbfgs(memory_size=5), optax.lbfgs(memory_size=6), "memory_size"),
    ],
)
def test_what_differs_is_named(one, other, name):
    assert first_change(settings_of(one), settings_of(one)) == ""
    assert first_change(settings_of(one), settings_of(other)).startswith(name)


def test_names_of_another_version_are_no_change():
    assert first_change({"rate": 0.1, "b1": 0.9}, {"learning_rate": 0.2, "b1": 0.9}) == ""


def test_what_closes_over_itself_ends():
    def outer():
        def inner():
            return inner, 0.5

        return inner

    assert settings_of(outer()) == {}


def fit(path, optimizer, num_steps):
    options = {"key": jax.random.key(0), "progress": False}
    return vipl.infer(model(1.0), optimizer=optimizer, num_steps=num_steps, checkpoint=path, **options)


def test_a_fit_goes_on_with_the_same_optimiser_alone(tmp_path):
    path = tmp_path / "fit.checkpoint"
    fit(path, schedule(100), 20)
    with pytest.raises(vipl.CheckpointError, match=r"of the optimiser decay_steps was 100, and is 200 here"):
        fit(path, schedule(200), 40)
    assert len(fit(path, schedule(100), 40).objective_history) == 40
