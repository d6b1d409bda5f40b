"""FunctionKey and StaticValue: what is built anew and behaves the same is equal, and nothing else is."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from vipl._core.static import FunctionKey, StaticValue, is_array_leaf, partition


def scaled(rate, shift=0.0):
    def fn(x, *, power=2):
        return rate * x**power + shift

    return fn


def defaulted(value, keyword=1):
    def fn(x, other=value, *, word=keyword):
        return x

    return fn


def holding(thing):
    def fn():
        return thing

    return fn


class Model:
    def __init__(self, rate):
        self.rate = rate

    def run(self, x):
        return self.rate * x


def assert_same(a, b):
    assert FunctionKey(a) == FunctionKey(b)
    assert hash(FunctionKey(a)) == hash(FunctionKey(b))


def assert_different(a, b):
    assert FunctionKey(a) != FunctionKey(b)


@pytest.mark.parametrize(
    "make",
    [
        lambda: scaled(0.1),
        lambda: scaled(1, "name"),
        lambda: scaled(float("nan")),
        lambda: scaled((1, [2.0, None], "x")),
        lambda: scaled(scaled(2.0)),
        lambda: defaulted(3, keyword="k"),
        lambda: functools.partial(scaled(0.1), 2, power=3),
        lambda: functools.partial(functools.partial(scaled(0.1)), b=1, a=2),
        lambda: optax.adam(0.1),
        lambda: optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(1e-3, weight_decay=0.01)),
        lambda: optax.sgd(optax.cosine_decay_schedule(0.1, 100), momentum=0.9),
        lambda: np.dtype("float32"),
        lambda: holding(jnp.float32),
    ],
)
def test_made_twice_is_equal(make):
    assert_same(make(), make())


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (scaled(0.1), scaled(0.2)),
        (scaled(1), scaled(1.0)),
        (scaled(1), scaled(True)),
        (scaled(0.0), scaled(-0.0)),
        (scaled(0j), scaled(-0j)),
        (scaled((1, 2)), scaled([1, 2])),
        (scaled("1"), scaled(b"1")),
        (scaled(scaled(2.0)), scaled(scaled(3.0))),
        (defaulted(1), defaulted(2)),
        (defaulted(1, 1), defaulted(1, 2)),
        (functools.partial(scaled(1), 2), functools.partial(scaled(1), 3)),
        (functools.partial(scaled(1), power=2), functools.partial(scaled(1), power=3)),
        (functools.partial(scaled(1)), scaled(1)),
        (optax.adam(0.1), optax.adam(0.2)),
        (optax.sgd(0.1), optax.sgd(0.1, nesterov=True, momentum=0.9)),
        (holding(np.dtype("float32")), holding(np.dtype("float64"))),
        (holding(jnp.sin), holding(jnp.cos)),
        (holding(len), holding(sum)),
        (lambda x: x + 1, lambda x: x + 2),
    ],
)
def test_what_behaves_differently_is_different(a, b):
    assert_different(a, b)
    assert_same(a, a)


@pytest.mark.parametrize("make", [lambda: {"a": 1}, lambda: {1, 2}, lambda: np.ones(2), lambda: Model(1.0), object])
def test_what_can_change_goes_by_identity(make):
    thing = make()
    assert_same(holding(thing), holding(thing))
    assert_different(holding(thing), holding(make()))
    assert_same(defaulted(thing), defaulted(thing))
    assert_different(defaulted(thing), defaulted(make()))


def test_a_list_that_has_changed_is_another():
    contents = [1, 2]
    fn = holding(contents)
    before = FunctionKey(fn)
    contents.append(3)
    assert FunctionKey(fn) != before
    contents.pop()
    assert FunctionKey(fn) == before


def test_methods_go_by_their_object():
    model = Model(1.0)
    assert_same(model.run, model.run)
    assert_different(model.run, Model(1.0).run)


def test_recursion_through_closures():
    def make(swapped):
        def first(n):
            return one(n)

        def second(n):
            return other(n) + 1

        one, other = second, (second if swapped else first)
        return first

    assert_same(make(False), make(False))
    assert_different(make(False), make(True))

    def countdown(step):
        def down(n):
            return n if n <= 0 else down(n - step)

        return down

    assert_same(countdown(1), countdown(1))
    assert_different(countdown(1), countdown(2))


def test_an_empty_cell_is_no_error():
    def make():
        def fn():
            return later  # noqa: F821

        key = FunctionKey(fn)
        later = 1
        return key, FunctionKey(fn)

    before, after = make()
    assert before == before
    assert before != after


def test_a_function_key_calls_and_a_static_value_does_not_equal_it():
    fn = scaled(2.0)
    assert FunctionKey(fn)(3.0) == 18.0
    assert StaticValue(fn) != FunctionKey(fn)
    assert repr(StaticValue(3)) == "3"


def test_equal_keys_share_a_compilation():
    traces = []

    @functools.partial(jax.jit, static_argnums=0)
    def apply(key, x):
        traces.append(1)
        return key(x)

    for rate in (1.0, 1.0, 2.0, 1.0):
        assert float(apply(FunctionKey(scaled(rate)), 3.0)) == rate * 9
    assert len(traces) == 2


@pytest.mark.parametrize("leaf", [1.0, 1j, np.ones(2), np.float32(1), jnp.ones(()), jax.ShapeDtypeStruct((), float)])
def test_arrays_and_floats_are_data(leaf):
    assert is_array_leaf(leaf)


@pytest.mark.parametrize("leaf", [1, True, "name", None, np.array(["a"]), np.array([object()]), len])
def test_the_rest_is_configuration(leaf):
    assert not is_array_leaf(leaf)


def test_partition_and_fill_are_inverse():
    tree = {"a": [1, 2.5, np.ones(2)], "b": ("name", None, jnp.zeros(3)), "c": len}
    arrays, skeleton = partition(tree)
    assert len(arrays) == 3
    assert hash(skeleton) == hash(partition(tree)[1])
    assert skeleton == partition(tree)[1]
    filled = skeleton.fill(["x", "y", "z"])
    assert filled == {"a": [1, "x", "y"], "b": ("name", None, "z"), "c": len}
    assert skeleton != partition(tree | {"c": sum})[1]
