"""Trees come back from a file as they were; one that differs from its template is refused by its first difference."""

import collections
import json

import equinox
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vipl
from vipl.infer.storage import archive, trees
from vipl.infer.storage.refused import Refused

Pair = collections.namedtuple("Pair", "first second")
FIX = "the same optimiser"
PARAMS = {
    "b": [jnp.arange(3.0), (jnp.int32(2), None)],
    "a": {"x": jnp.zeros((0, 2)), "y": (), "z": {}},
    "key": jax.random.key(3),
    "half": jnp.ones(2, jnp.bfloat16),
}


def write(path, tree, name="params"):
    outlines, arrays = trees.pack({name: tree})
    archive.write(path, "tree", {"trees": outlines}, arrays)


def read(path, template=None, name="params"):
    return trees.unpack(archive.read(path, "tree"), name, template, fix=FIX)


def assert_same(found, given):
    assert jax.tree.structure(found) == jax.tree.structure(given)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(given), strict=True):
        assert (one.dtype, one.shape, type(one)) == (other.dtype, other.shape, type(other))
        assert (one == other).all()


def adam(rate=0.1):
    return optax.adam(rate).init(PARAMS["a"] | {"w": jnp.ones(3)})


@pytest.mark.parametrize("tree", [PARAMS, {}, [], None, jnp.arange(2), (jnp.arange(2),), [None, {"a": None}]])
def test_plain_containers_need_no_template(tmp_path, tree):
    write(tmp_path / "file", tree)
    assert_same(read(tmp_path / "file"), tree)
    assert_same(read(tmp_path / "file", tree), tree)


@pytest.mark.parametrize(
    "tree",
    [
        adam(),
        Pair(jnp.ones(2), {1: jnp.zeros(3), 2: None}),
        equinox.filter(equinox.nn.MLP(2, 1, 3, 1, key=jax.random.key(0)), equinox.is_array),
        vipl.program(lambda x: None)(jnp.ones(2)),
    ],
)
def test_other_containers_come_back_in_a_template(tmp_path, tree):
    write(tmp_path / "file", tree)
    empty = jax.tree.map(jnp.zeros_like, tree)
    assert_same(read(tmp_path / "file", empty), tree)
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), tree)
    assert_same(read(tmp_path / "file", shapes), tree)
    with pytest.raises(vipl.CheckpointError, match="which comes back in a template only"):
        read(tmp_path / "file")


def test_arrays_of_numpy_stay_where_the_template_has_them(tmp_path):
    tree = {"best": np.arange(2.0), "loc": jnp.arange(2.0)}
    write(tmp_path / "file", tree)
    assert_same(read(tmp_path / "file", tree), tree)


def test_arrays_go_where_those_of_the_template_are(tmp_path):
    mesh = jax.make_mesh((1,), ("row",))
    spread = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("row"))
    tree = {"there": jax.device_put(jnp.arange(2.0), spread), "anywhere": jnp.arange(2.0)}
    write(tmp_path / "file", tree)
    found = read(tmp_path / "file", tree)
    assert found["there"].sharding == spread
    assert found["there"].committed
    assert not found["anywhere"].committed


LOC = {"loc": jnp.zeros(3), "scale": jnp.ones(3)}


@pytest.mark.parametrize(
    ("stored", "here", "what"),
    [
        (LOC, {"loc": jnp.zeros(3)}, r"has params['scale'], and here there is none"),
        ({"loc": jnp.zeros(3)}, LOC, "has no params['scale'], and here there is one"),
        (LOC, LOC | {"loc": jnp.zeros(4)}, "has params['loc'] of shape (3,), and here it has shape (4,)"),
        (LOC, LOC | {"loc": jnp.zeros(3, jnp.bfloat16)}, "params['loc'] of type float32, and here it is of type bfl"),
        (LOC, LOC | {"loc": jnp.zeros(3, int)}, "params['loc'] of type float32, and here it is of type int32"),
        (
            LOC,
            LOC | {"loc": jax.random.split(jax.random.key(0), 3)},
            "of type float32, and here it is of type key<fry>",
        ),
        (adam(), optax.sgd(0.1).init(LOC), "has params[0].count, and here there is none"),
        (optax.sgd(0.1).init(LOC), adam(), "has no params[0].count, and here there is one"),
        (adam(), adam(optax.constant_schedule(0.1)), "has no params[1].count, and here there is one"),
        (adam(), optax.adamw(0.1).init(PARAMS["a"] | {"w": jnp.ones(3)}), "tuple of 2, and here is tuple of 3"),
        ([jnp.ones(2)], (jnp.ones(2),), "has in params list of 1, and here is tuple of 1 in its place"),
        ([jnp.ones(2), None], [jnp.ones(2), ()], "has in params None, and here is tuple of 0 in its place"),
        ((optax.EmptyState(),), ((),), "has in params EmptyState of 0, and here is tuple of 0 in its place"),
        ({"a": None}, {"b": None}, "has in params dict of ['a'], and here is dict of ['b'] in its place"),
    ],
)
def test_the_first_difference_is_named(tmp_path, stored, here, what):
    write(tmp_path / "file", stored)
    with pytest.raises(vipl.CheckpointError) as caught:
        read(tmp_path / "file", here)
    assert what in caught.value.what
    assert caught.value.fix == FIX
    assert_same(read(tmp_path / "file", stored), stored)


def test_numbers_too_wide_for_this_process(tmp_path):
    with jax.enable_x64(True):
        write(tmp_path / "file", {"loc": jnp.zeros(3)})
        assert read(tmp_path / "file")["loc"].dtype == jnp.float64
    with pytest.raises(vipl.CheckpointError, match="float64, and 64-bit types are off here") as caught:
        read(tmp_path / "file")
    assert "jax_enable_x64" in caught.value.fix


class Twins:
    def __init__(self, *children):
        self.children = children


jax.tree_util.register_pytree_with_keys(
    Twins,
    lambda twins: ([(jax.tree_util.GetAttrKey("twin"), child) for child in twins.children], None),
    lambda _, children: Twins(*children),
)


def test_leaves_that_are_called_the_same_are_not_lost_in_silence():
    with pytest.raises(Refused, match="called the same"):
        trees.pack({"params": Twins(jnp.ones(1), jnp.zeros(1))})


@pytest.mark.parametrize(
    "outline",
    [
        *(1, True, 1.5, [], {}, {"dict": []}, {"list": {}}, {"list": 1}, {"dict": {}, "list": []}, {"dict": {"a": 1}}),
        *("params['other']", {"list": ["params['other']"]}, {"os.system()": []}),
    ],
)
def test_an_outline_that_makes_no_sense(tmp_path, outline):
    archive.write(tmp_path / "file", "tree", {"trees": {"params": outline}}, {"params['a']": np.ones(2)})
    for template in (None, {"a": np.ones(2)}):
        with pytest.raises(vipl.CheckpointError):
            read(tmp_path / "file", template)


def test_an_outline_in_another_order(tmp_path):
    outline = {"dict": {"b": "params['b']", "a": "params['a']"}}
    arrays = {"params['a']": np.int32(1), "params['b']": np.int32(2)}
    archive.write(tmp_path / "file", "tree", {"trees": {"params": outline}}, arrays)
    assert read(tmp_path / "file") == {"a": 1, "b": 2}


def test_a_file_without_trees(tmp_path):
    archive.write(tmp_path / "file", "tree", {}, {})
    with pytest.raises(vipl.CheckpointError, match="no proper 'trees'"):
        read(tmp_path / "file")


def test_a_deep_tree_is_refused_when_it_is_written(tmp_path):
    tree = jnp.ones(1)
    for _ in range(150):
        tree = [tree]
    with pytest.raises(vipl.CheckpointError, match="nested"):
        write(tmp_path / "file", tree)


def test_outlines_are_json():
    outlines, _ = trees.pack({"params": PARAMS})
    assert json.loads(json.dumps(outlines)) == outlines
