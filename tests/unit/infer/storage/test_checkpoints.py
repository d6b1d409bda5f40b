"""Training goes on from a file with equal bits; a file of another run is refused by its first difference."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vipl
from vipl.infer.storage import archive
from vipl.infer.storage.checkpoints import load_checkpoint, save_checkpoint

RUN = {"sites": {"mu": [[], "float32"], "theta": [[8], "float32"]}, "objective": "elbo", "num_restarts": 1}


def started(optimizer=None):
    params = {"loc": jnp.zeros(3), "scale": jnp.ones((2, 2), jnp.bfloat16)}
    optimizer = optimizer or optax.adam(0.1)
    return {"params": params, "optimizer": optimizer.init(params), "average": params, "step": jnp.int32(0)}


def save(path, **changes):
    given = {"step": 7, "key": jax.random.key(3), "history": np.arange(7.0), "extra": {}, "fingerprint": RUN}
    save_checkpoint(path, **({"state": started()} | given | changes))


def refusal(path, state, run=RUN):
    with pytest.raises(vipl.CheckpointError) as caught:
        load_checkpoint(path, state, run)
    assert caught.value.fix
    return caught.value.what


def test_all_comes_back(tmp_path):
    state = jax.tree.map(lambda leaf: leaf + 1, started())
    extra = {"best": -1.25, "never": float("-inf"), "batches": {"epoch": 2, "order": [2, 0, 1]}, "on": True}
    save(tmp_path / "run", state=state, extra=extra)
    found = load_checkpoint(tmp_path / "run", started(), RUN)
    assert jax.tree.structure(found.state) == jax.tree.structure(state)
    for one, other in zip(jax.tree.leaves(found.state), jax.tree.leaves(state), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert (found.step, found.extra) == (7, extra)
    assert found.key == jax.random.key(3)
    assert found.history.dtype == np.float64
    np.testing.assert_array_equal(found.history, np.arange(7.0))


@pytest.mark.parametrize(
    ("run", "what"),
    [
        (
            RUN | {"sites": {"mu": [[], "float32"], "theta": [[9], "float32"]}},
            "sites['theta'] was [[8], 'float32'], and",
        ),
        (RUN | {"sites": {"mu": [[], "float32"]}}, "sites['theta'] was [[8], 'float32'], and there is none here"),
        (RUN | {"batch_size": 32}, "it had no batch_size, which is 32 here"),
        (RUN | {"objective": "iwelbo"}, "objective was 'elbo', and is 'iwelbo' here"),
        (RUN | {"sites": 3}, "sites was {'mu'"),
    ],
)
def test_another_run_is_named(tmp_path, run, what):
    save(tmp_path / "run")
    assert what in refusal(tmp_path / "run", started(), run)
    load_checkpoint(tmp_path / "run", started(), RUN)


def test_the_same_run_in_tuples_is_the_same(tmp_path):
    save(tmp_path / "run", fingerprint={"shape": (2, 3)})
    load_checkpoint(tmp_path / "run", started(), {"shape": (2, 3)})
    assert "shape was [2, 3], and is [2, 4] here" in refusal(tmp_path / "run", started(), {"shape": (2, 4)})


def test_the_state_of_another_optimiser_is_named(tmp_path):
    save(tmp_path / "run")
    sgd, adamw = started(optax.sgd(0.1)), started(optax.adamw(0.1))
    assert "has state['optimizer'][0].count, and here there is none" in refusal(tmp_path / "run", sgd)
    assert "tuple of 2, and here is tuple of 3" in refusal(tmp_path / "run", adamw)
    wide = started()
    wide["average"] = wide["average"] | {"loc": jnp.zeros(4)}
    assert "state['average']['loc'] of shape (3,), and here it has shape (4,)" in refusal(tmp_path / "run", wide)


@pytest.mark.parametrize("windows", [[], [{"mean": np.arange(3.0), "steps": np.int64(5)}] * 2, ()])
def test_records_of_any_number(tmp_path, windows):
    keys = jax.random.split(jax.random.key(0), 3)
    save(tmp_path / "run", records=windows, key=keys, history=np.zeros((7, 3), np.float32))
    found = load_checkpoint(tmp_path / "run", started(), RUN)
    assert jax.tree.structure(found.records) == jax.tree.structure(windows)
    for one, other in zip(jax.tree.leaves(found.records), jax.tree.leaves(windows), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert (found.key == keys).all()
    assert found.history.shape == (7, 3)


@pytest.mark.parametrize("entry", ["fingerprint", "step", "extra", "trees"])
def test_a_file_that_lacks_something(tmp_path, entry):
    save(tmp_path / "run")
    found = archive.read(tmp_path / "run", "training")
    del found.metadata[entry]
    archive.write(tmp_path / "run", "training", found.metadata, found.arrays)
    assert f"no proper '{entry}'" in refusal(tmp_path / "run", started())


def test_another_kind_of_file(tmp_path):
    archive.write(tmp_path / "fit", "posterior", {}, {})
    assert "holds 'posterior', not 'training'" in refusal(tmp_path / "fit", started())


TRAINING = """
import os, signal, sys
import jax, jax.numpy as jnp, numpy as np, optax
from vipl.infer.storage.checkpoints import load_checkpoint, save_checkpoint

path, steps, dies_at = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
optimizer, run = optax.adam(0.1), {"sites": {"mu": [3]}}

@jax.jit
def advance(state, key):
    key = jax.random.fold_in(key, state["step"])
    value, gradient = jax.value_and_grad(lambda x: jnp.sum((x - jax.random.normal(key, (3,))) ** 2))(state["params"])
    updates, inner = optimizer.update(gradient, state["optimizer"])
    return {"params": state["params"] + updates, "optimizer": inner, "step": state["step"] + 1}, value

key, history = jax.random.key(0), []
state = {"params": jnp.zeros(3), "optimizer": optimizer.init(jnp.zeros(3)), "step": jnp.int32(0)}
if os.path.exists(path):
    found = load_checkpoint(path, state, run)
    state, key, history = found.state, found.key, list(found.history)
while len(history) < steps:
    if len(history) == dies_at:
        os.kill(os.getpid(), signal.SIGKILL)
    state, value = advance(state, key)
    history.append(np.asarray(value))
    if len(history) % 10 == 0:
        save_checkpoint(path, state, step=len(history), key=key, history=history, extra={}, fingerprint=run)
"""


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path):
    def train(path, dies_at):
        command = [sys.executable, "-c", TRAINING, str(path), "40", str(dies_at)]
        return subprocess.run(command, stderr=subprocess.DEVNULL).returncode

    assert train(tmp_path / "whole", -1) == 0
    assert train(tmp_path / "killed", 25) == -9
    assert (tmp_path / "killed").read_bytes() != (tmp_path / "whole").read_bytes()
    assert train(tmp_path / "killed", -1) == 0
    assert (tmp_path / "killed").read_bytes() == (tmp_path / "whole").read_bytes()
