"""What is taken as data, and what is refused by name; where an iterator is, and going back there."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
from vipl.infer.problem.data import Batches, data_of

ROWS = np.arange(6.0)
CATEGORIES = np.array([0, 2, 1, 0, 1, 2])


def test_any_pytree_of_arrays_keeps_its_types():
    data, batches = data_of({"x": np.ones((6, 2), np.float32), "label": (CATEGORIES.astype(np.int8), ROWS > 2)}, 4)
    assert batches is None
    assert (data.size, data.batch_size) == (6, 4)
    batch = data.batch(jax.random.key(0), 0)
    shapes = jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype.name), batch)
    assert shapes == {"x": ((4, 2), "float32"), "label": (((4,), "int8"), ((4,), "bool"))}
    assert jax.tree.map(lambda leaf: leaf.shape, data.first) == jax.tree.map(lambda leaf: leaf.shape, batch)


@pytest.mark.parametrize(
    "data", [ROWS, [ROWS, CATEGORIES], (jnp.ones((6, 0)),), jax.random.split(jax.random.key(0), 6)]
)
def test_arrays(data):
    assert data_of(data, None)[0].size == 6


@pytest.mark.parametrize(
    "data", [[(ROWS, 1.0)], iter([ROWS]), [{"x": ROWS}], (batch for batch in [ROWS]), [[1.0, 2.0]]]
)
def test_iterables_of_batches(data):
    assert data_of(data, None)[1] is not None


@pytest.mark.parametrize(
    ("data", "batch_size", "words"),
    [
        ((ROWS, ROWS[:4]), 2, ["data[0]: 6, data[1]: 4", "argument of the model"]),
        ({"x": ROWS, "scale": 2.0}, 2, ["data['scale']: a scalar"]),
        ({"x": ROWS, "scale": np.float32(2.0)}, 2, ["data['scale']: a scalar"]),
        (([1.0, 2.0], [3.0] * 100), None, ["data[0][0]: a scalar", ", …", "np.asarray"]),
        ((), None, ["there are none"]),
        ({"name": np.array(["a", "b"])}, None, ["data['name'] is of type <U1", "no numbers"]),
        (ROWS, 7, ["batch_size is 7", "6 rows", "from 1 to 6"]),
        (ROWS, 0, ["batch_size is 0", "from 1 to 6"]),
        (ROWS, 2.0, ["batch_size is 2.0"]),
        (ROWS, True, ["batch_size is True"]),
        (None, 3, ["batch_size is given and data is not", "subsample_size"]),
        (iter([ROWS]), 3, ["batch_size is given, and data is an iterator"]),
        (iter([]), None, ["without any batch"]),
        (3, None, ["data is int: neither arrays nor an iterable"]),
        (iter([["a"]]), None, ["data[0] is of type <U1"]),
    ],
)
def test_what_is_no_data_is_named(data, batch_size, words):
    with pytest.raises(vipl.ParameterError) as caught:
        data_of(data, batch_size)
    assert caught.value.fix
    for word in [*words, f"{__file__}:"]:
        assert word in str(caught.value)


def all_of(batches):
    return [int(batch) for batch in iter(batches.take, None)]


class Stateful:
    """An iterator like those of Grain; `state_of` and `position_of` give its state a form."""

    def __init__(self, state_of=int, position_of=int):
        self.position, self.state_of, self.position_of, self.made = 0, state_of, position_of, []

    def __iter__(self):
        return self

    def __next__(self):
        if self.position == 6:
            raise StopIteration
        self.position += 1
        self.made.append(self.position - 1)
        return self.position - 1

    def get_state(self):
        return self.state_of(self.position)

    def set_state(self, state):
        self.position = self.position_of(state)


def state_of_bytes(position):
    return bytes([position])


SOURCES = {
    "a generator": lambda: (i for i in range(6)),
    "a list": lambda: [0, 1, 2, 3, 4, 5],
    "with a state": Stateful,
    "with bytes": lambda: Stateful(state_of_bytes, lambda state: state[0]),
    "with a dict": lambda: Stateful(lambda position: {"at": position}, lambda state: state["at"]),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("taken", [0, 4])
def test_another_iterator_goes_on_where_one_was(source, looked, taken):
    before = Batches(source())
    found = [int(before.take()) for _ in range(taken)]
    if looked:
        assert int(before.look()) == taken
    position = before.position()
    assert position["taken"] == taken
    after = Batches(source())
    after.look()
    after.go_to(position)
    rest = [int(after.take()) for _ in range(6 - taken)]
    assert found + rest == list(range(6))


def test_a_state_spares_making_the_batches_before():
    before = Batches(Stateful())
    for _ in range(4):
        before.take()
    source = Stateful()
    after = Batches(source)
    after.go_to(before.position())
    assert int(after.take()) == 4
    assert source.made == [4]


def test_what_can_be_iterated_again_never_ends_and_what_cannot_does():
    again = Batches([0, 1])
    assert [int(again.take()) for _ in range(5)] == [0, 1, 0, 1, 0]
    once = Batches(iter([0, 1]))
    assert all_of(once) == [0, 1]
    assert once.take() is None
    assert once.position()["taken"] == 2


def test_going_to_a_position_beyond_the_end_leaves_nothing():
    batches = Batches(iter([0, 1]))
    batches.go_to({"taken": 5, "bytes": False, "state": None})
    assert batches.look() is None
