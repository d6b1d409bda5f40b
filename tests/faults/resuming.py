"""`checkpoint=`: a fit that goes on, and one that is of something else."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import optax

import vipl
import vipl.distributions as dist
from vipl import guides

from .files import in_folder
from .registry import Equals, Raises, fault


@vipl.program
def model(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
    with vipl.plate("data", len(y)):
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


@vipl.program
def other_model(y):
    theta = vipl.sample("theta", dist.Normal(0.0, 1.0))
    with vipl.plate("data", len(y)):
        vipl.sample("y", dist.Normal(theta, 1.0), obs=y)


def fit(name, program=model, y=(1.0, 2.0), **options):
    options = {"key": jax.random.key(0), "num_steps": 20, "optimizer": optax.adam(0.1), "progress": False} | options
    return vipl.infer(program(jnp.array(y)), checkpoint=in_folder(name), **options)


def begun(name, **options):
    """Return the name of a checkpoint of a fit that was begun."""
    if not os.path.exists(in_folder(name)):
        fit(name, **options)
    return name


def bits(posterior):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves((posterior.params, posterior.objective_history))]


@fault(40, "resume 100 + 100 = 200 steps: equal bits", Equals((True, 200)))
def two_halves():
    fit("halves", num_steps=100)
    resumed, whole = fit("halves", num_steps=200), fit("whole", num_steps=200)
    return bits(resumed) == bits(whole), len(resumed.objective_history)


@fault("40a", "another call at the end of a fit gives it once more", Equals((True, False)))
def finished():
    first, again = fit("finished"), fit("finished")
    return bits(first) == bits(again), bits(first) == bits(fit("finished again", key=jax.random.key(1)))


@fault(
    "40b", "resuming at other numbers of steps with vipl's optimiser", Raises(vipl.CheckpointError, "num_steps", "40")
)
def other_number():
    name = begun("of vipl", optimizer=None)
    fit(name, optimizer=None, num_steps=40)


@fault("40c", "resuming for fewer steps than there are", Raises(vipl.CheckpointError, "20 steps", "num_steps is 10"))
def fewer():
    fit(begun("begun"), num_steps=10)


@fault(34, "resuming infer with another key", Raises(vipl.CheckpointError, "key was [0, 0], and is [0, 1] here"))
def other_key():
    fit(begun("begun"), key=jax.random.key(1))


@fault(34, "resuming infer with another model", Raises(vipl.CheckpointError, "model", "'theta'"))
def of_other_model():
    fit(begun("begun"), other_model)


@fault(34, "resuming infer with other data", Raises(vipl.CheckpointError, "checksum of the data was"))
def other_data():
    fit(begun("begun"), y=(1.0, 2.5))


@fault(
    34, "resuming infer with another guide", Raises(vipl.CheckpointError, "guide name was 'mean_field'", "full_rank")
)
def of_other_guide():
    fit(begun("begun"), guide=guides.FullRank())


@fault(34, "resuming infer with another optimiser", Raises(vipl.CheckpointError, "optimizer"))
def of_other_optimizer():
    fit(begun("begun"), optimizer=optax.sgd(0.1))


@fault(34, "resuming infer with vipl's optimiser", Raises(vipl.CheckpointError, "optimizer was 'given'", "vipl's own"))
def own_optimizer():
    fit(begun("begun"), optimizer=None)


@fault(34, "resuming infer with more restarts", Raises(vipl.CheckpointError, "num_restarts was 1, and is 3 here"))
def more_restarts():
    fit(begun("begun"), num_restarts=3)


@fault(34, "resuming infer with another rate", Raises(vipl.CheckpointError, "step_size was -0.1, and is -0.2 here"))
def another_rate():
    fit(begun("begun"), optimizer=optax.adam(0.2))


@fault("34e", "a checkpoint where no file can be", Raises(vipl.CheckpointError, "cannot be written", "no such file"))
def nowhere():
    """Said before the first step: there are years of them."""
    fit("missing/fit.checkpoint", num_steps=10**9)


@fault("34f", "a checkpoint that is no path", Raises(vipl.ParameterError, "checkpoint is True", 'checkpoint="'))
def no_path():
    vipl.infer(model(jnp.ones(2)), key=jax.random.key(0), checkpoint=True, progress=False)  # <- here
