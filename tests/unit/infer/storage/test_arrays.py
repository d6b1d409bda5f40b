"""Every type of array comes back from a file with its type, shape and bits."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

import vipl
from vipl.infer.storage import archive

RANDOM = np.random.default_rng(0)
PLAIN = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split()
EIGHT = [name for name in dir(ml_dtypes) if name.startswith("float8")]
SHAPES = [(), (0,), (3, 0, 2), (5,), (2, 3, 4)]


def random_array(name, shape):
    dtype = np.dtype(name if name in PLAIN else getattr(ml_dtypes, name))
    if name in ("int4", "uint4"):
        return RANDOM.integers(-8 if name == "int4" else 0, 8, shape).astype(dtype)
    if name == "bool":
        return RANDOM.integers(0, 2, shape).astype(bool)
    count = int(np.prod(shape)) * dtype.itemsize
    return np.frombuffer(RANDOM.bytes(count), dtype).reshape(shape)  # any bits: NaNs with their payloads too


def back(path, **arrays):
    archive.write(path, "arrays", {}, arrays)
    return archive.read(path, "arrays").arrays


def assert_same(found, given):
    assert (found.dtype, found.shape) == (given.dtype, given.shape)
    assert found.tobytes() == np.asarray(given).tobytes()


@pytest.mark.parametrize("name", [*PLAIN, *EIGHT, "bfloat16", "int4", "uint4"])
def test_every_type_in_every_shape(tmp_path, name):
    given = {str(shape): random_array(name, shape) for shape in SHAPES}
    found = back(tmp_path / "file", **given)
    assert list(found) == list(given)
    for shape, array in given.items():
        assert_same(found[shape], array)


def test_arrays_of_jax_and_of_any_layout(tmp_path):
    table = np.arange(12, dtype=np.float32).reshape(3, 4)
    found = back(tmp_path / "file", jax=jnp.asarray(table, jnp.bfloat16), turned=table.T, big=table.astype(">f4"))
    assert_same(found["jax"], np.asarray(jnp.asarray(table, jnp.bfloat16)))
    np.testing.assert_array_equal(found["turned"], table.T)
    assert_same(found["big"], table)


@pytest.mark.parametrize("kind", ["threefry2x32", "rbg", "unsafe_rbg"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_keys(tmp_path, kind, shape):
    keys = jax.random.split(jax.random.key(7, impl=kind), shape)
    found = back(tmp_path / "file", keys=keys)["keys"]
    assert (found.dtype, found.shape) == (keys.dtype, keys.shape)
    np.testing.assert_array_equal(jax.random.key_data(found), jax.random.key_data(keys))


@pytest.mark.parametrize("value", ["text", 1.5, None, np.array(["text"]), np.array([None]), np.datetime64("2020")])
def test_what_cannot_be_stored_is_named(tmp_path, value):
    with pytest.raises(vipl.CheckpointError, match=r"'.*file' cannot be written: rate is of type"):
        archive.write(tmp_path / "file", "arrays", {}, {"rate": value})
    assert not list(tmp_path.iterdir())


SHARDED = """
import sys
import jax, numpy as np
from vipl.infer.storage import archive
assert len(jax.devices()) == 4
spread = jax.sharding.NamedSharding(jax.make_mesh((4,), ("row",)), jax.sharding.PartitionSpec("row"))
array = jax.device_put(np.arange(8.0, dtype=np.float32), spread)
keys = jax.device_put(jax.random.split(jax.random.key(0), 8), spread)
archive.write(sys.argv[1], "arrays", {}, {"array": array, "keys": keys})
"""


def test_arrays_spread_over_devices_are_gathered(tmp_path):
    environment = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    path = str(tmp_path / "file")
    subprocess.run([sys.executable, "-c", SHARDED, path], check=True, env=environment)
    found = archive.read(path, "arrays").arrays
    np.testing.assert_array_equal(found["array"], np.arange(8))
    assert found["keys"].shape == (8,)
    assert (found["keys"] == jax.random.split(jax.random.key(0), 8)).all()
