"""`data=` and `batch_size=`: each pass sees every row once, in a new order; and iterators, as they come."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vipl
import vipl.distributions as dist
from vipl.infer.problem.data import data_of

pytestmark = pytest.mark.usefixtures("quick_compilation")

KEY = jax.random.key(0)


def passes(size, batch_size, number, key=KEY):
    """Return the rows of each pass, `(number, batches, batch_size)`."""
    data, batches = data_of({"row": np.arange(size), "twice": (2.0 * np.arange(size),)}, batch_size)
    assert batches is None
    in_pass = size // batch_size
    found = jax.jit(jax.vmap(lambda step: data.batch(key, step)))(jnp.arange(number * in_pass))
    assert found["row"].dtype == jnp.int32
    np.testing.assert_array_equal(found["twice"][0], 2.0 * found["row"])
    return np.asarray(found["row"]).reshape(number, in_pass, batch_size)


@pytest.mark.parametrize(("size", "batch_size"), [(12, 4), (13, 4), (128, 16), (129, 43), (1000, 31), (1000, 999)])
def test_a_pass_sees_each_row_once_in_a_new_order(size, batch_size):
    found = passes(size, batch_size, 3).reshape(3, -1)
    for rows in found:
        assert len(np.unique(rows)) == len(rows) == size - size % batch_size
        assert rows.min() >= 0
        assert rows.max() < size
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.mean(found[one] == found[other]) < 0.5
    assert np.mean(passes(size, batch_size, 1, jax.random.key(1)).ravel() == found[0]) < 0.5


@pytest.mark.parametrize(("size", "batch_size"), [(13, 4), (200, 150)])
def test_no_row_is_left_out_for_ever_where_batches_do_not_divide(size, batch_size):
    found = passes(size, batch_size, 100).reshape(100, -1)
    seen = np.bincount(found.ravel(), minlength=size)
    expected = 100 * (size - size % batch_size) / size
    spread = np.sqrt(expected * (1 - expected / 100))
    assert np.all(np.abs(seen - expected) < 4.5 * spread)
    assert not np.all(np.abs(np.bincount(np.tile(found[0], 100), minlength=size) - expected) < 4.5 * spread)


@pytest.mark.parametrize("batch_size", [None, 7])
def test_all_rows_at_once_keep_their_order(batch_size):
    data, _ = data_of((np.arange(7),), batch_size)
    np.testing.assert_array_equal(data.batch(KEY, 3)[0], np.arange(7))


@vipl.program
def powers(batch):
    """A model whose objective, with its prior as the guide, is the sum of the batch."""
    vipl.sample("z", dist.Normal(0.0, 1.0))
    vipl.factor("sum", jnp.sum(batch))


@vipl.program
def prior(params):
    vipl.sample("z", dist.Normal(0.0, 1.0))
    vipl.factor("unused", 0.0 * params["unused"])


ROWS = 2.0 ** np.arange(12, dtype=np.float32)


def rows_of_a_fit(data, num_steps=6, **options):
    """Return the rows of each step of a fit, from the objective: the sum of their powers of two."""
    options = {"key": KEY, "params": {"unused": 0.0}, "optimizer": optax.sgd(0.0), "progress": False} | options
    fitted = vipl.infer(
        lambda params, batch: powers(batch),
        lambda params, batch: prior(params),
        data=data,
        num_steps=num_steps,
        **options,
    )
    sums = np.round(fitted.objective_history).astype(int)
    assert np.all(sums == fitted.objective_history)
    return [[row for row in range(12) if total >> row & 1] for total in sums.ravel()], fitted


@pytest.mark.filterwarnings("ignore:a batch of")
def test_a_fit_goes_through_the_arrays_pass_by_pass():
    rows, _ = rows_of_a_fit(ROWS, batch_size=4)
    assert [len(batch) for batch in rows] == [4] * 6
    first, second = (sorted(sum(rows[part], [])) for part in (slice(3), slice(3, 6)))
    assert first == second == list(range(12))
    assert rows[:3] != rows[3:]
    assert rows_of_a_fit(ROWS)[0] == [list(range(12))] * 6


@pytest.mark.filterwarnings("ignore:a batch of")
def test_restarts_have_orders_of_their_own():
    histories = []
    rows_of_a_fit(
        ROWS, 3, batch_size=4, num_restarts=2, callback=lambda state: histories.append(state.objective_history)
    )
    one, other = histories[-1].T
    assert sum(one) == sum(other) == sum(ROWS)
    assert list(one) != list(other)


class Loader:
    """An iterable that can be iterated again, as a loader of another library."""

    def __iter__(self):
        return iter([ROWS[:6], ROWS[6:]])


def test_a_fit_takes_the_batches_of_an_iterator_one_by_one():
    halves = [list(range(6)), list(range(6, 12))]
    assert rows_of_a_fit(Loader())[0] == halves * 3
    rows, fitted = rows_of_a_fit(iter(Loader()))
    assert rows == halves
    assert fitted.status == "stopped: the data had no batch for step 2"
    assert rows_of_a_fit(iter(Loader()), 2)[1].status == "finished"
