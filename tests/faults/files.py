"""Faults with files: of another run, model or guide, damaged, foreign, in the wrong place."""

import atexit
import functools
import os
import pickle
import shutil
import tempfile

import jax
import jax.numpy as jnp
import numpy as np
import optax

import vipl
import vipl.distributions as dist
from vipl.infer.storage import archive
from vipl.infer.storage.checkpoints import load_checkpoint, save_checkpoint

from .registry import Equals, Raises, fault
from .training import fit, plated

FOLDER = tempfile.mkdtemp()
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def in_folder(name, contents=None):
    path = os.path.join(FOLDER, name)
    if contents is not None:
        with open(path, "wb") as file:
            file.write(contents)
    return path


def training_state(optimizer):
    params = {"loc": jnp.zeros(3)}
    return {"params": params, "optimizer": optimizer.init(params)}


@functools.cache
def training_path():
    path, state, key = in_folder("training"), training_state(optax.adam(0.1)), jax.random.key(0)
    save_checkpoint(path, state, step=2, key=key, history=np.zeros(2), extra={}, fingerprint={"sites": {"mu": [3]}})
    return path


@functools.cache
def posterior_path():
    path = in_folder("posterior")
    fit(regional(jnp.ones(3)), num_steps=5).save(path)
    return path


@vipl.program
def regional(y):
    with vipl.plate("region", len(y)):
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


@fault(34, "resuming with another optimiser", Raises(vipl.CheckpointError, "optimizer'][0].count", "another path"))
def other_optimizer():
    path, state = training_path(), training_state(optax.sgd(0.1))
    load_checkpoint(path, state, {"sites": {"mu": [3]}})  # <- here


@fault("34a", "resuming the training of another model", Raises(vipl.CheckpointError, "sites['mu'] was [3]", "[4]"))
def other_run():
    path, state = training_path(), training_state(optax.adam(0.1))
    load_checkpoint(path, state, {"sites": {"mu": [4]}})  # <- here


@fault("34b", "loading with another guide", Raises(vipl.CheckpointError, "mean_field", "full_rank"))
def other_guide():
    path = posterior_path()
    vipl.load_posterior(path, regional(jnp.ones(3)), vipl.guides.FullRank())  # <- here


@fault("34c", "loading at another plate size", Raises(vipl.CheckpointError, "'mu'", "(3,)", "(4,)", "regional"))
def other_plate_size():
    path = posterior_path()
    vipl.load_posterior(path, regional(jnp.ones(4)))  # <- here


@fault("34d", "loading with another model", Raises(vipl.CheckpointError, "'mu'", "(3,)", "()", "plated"))
def other_model():
    path = posterior_path()
    vipl.load_posterior(path, plated(jnp.ones(3)))  # <- here


@fault(43, "1000 files with a bit flipped, or cut: how many are read", Equals(0))
def damaged():
    path = posterior_path()
    with open(path, "rb") as file:
        whole = file.read()
    random, read = np.random.default_rng(0), 0
    for flips in [True] * 500 + [False] * 500:
        changed, position = bytearray(whole), random.integers(len(whole))
        changed[position] ^= 1 << random.integers(8)
        suspect = in_folder("suspect", bytes(changed) if flips else whole[:position])
        try:
            archive.read(suspect, "posterior")
            read += 1
        except vipl.CheckpointError:
            pass
    return read


class RunsCode:
    def __reduce__(self):
        return exec, ("raise SystemExit",)


@fault("43a", "a pickle in place of a file of vipl", Raises(vipl.CheckpointError, "not a file of vipl"))
def pickled():
    path = in_folder("pickle", pickle.dumps(RunsCode()))
    vipl.load_posterior(path, regional(jnp.ones(3)))  # <- here


@fault("43b", "a file with one bit flipped", Raises(vipl.CheckpointError, "suspect", "is damaged", "checksum"))
def one_bit():
    with open(posterior_path(), "rb") as file:
        changed = bytearray(file.read())
    changed[-1] ^= 1
    path = in_folder("suspect", bytes(changed))
    vipl.load_posterior(path, regional(jnp.ones(3)))  # <- here


@fault("43c", "training in place of a posterior", Raises(vipl.CheckpointError, "'training', not 'posterior'", "infer("))
def other_kind():
    path = training_path()
    vipl.load_posterior(path, regional(jnp.ones(3)))  # <- here


@fault("43d", "a path without a file", Raises(vipl.CheckpointError, "missing", "no such file"))
def missing():
    vipl.load_posterior(in_folder("missing"), regional(jnp.ones(3)))  # <- here


@fault("43e", "saving where no file can be", Raises(vipl.CheckpointError, "cannot be written", "no such file"))
def nowhere():
    posterior = fit(plated(jnp.ones(3)), num_steps=5)
    posterior.save(in_folder("missing/fit.vipl"))  # <- here
