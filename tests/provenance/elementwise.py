"""Operations that act element by element, and random numbers, whose keys are elements too."""

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from provenance.drawing import to_float


def unit(x):
    return 0.9 * lax.tanh(x)


def positive(x):
    return lax.abs(x) + 0.3


def snapped(function):
    """A series that XLA sums for all elements until the last has converged: round that away."""
    return lambda *xs: jnp.round(64 * function(*map(positive, xs))) / 64


UNARY = {
    **{
        name: getattr(lax, name)
        for name in """abs asinh atan bessel_i0e bessel_i1e cbrt ceil cos cosh erf erfc exp exp2 expm1 floor
        is_finite logistic neg round sign sin sinh square stop_gradient tan tanh""".split()
    },
    "acos": lambda x: lax.acos(unit(x)),
    "asin": lambda x: lax.asin(unit(x)),
    "atanh": lambda x: lax.atanh(unit(x)),
    "erf_inv": lambda x: lax.erf_inv(unit(x)),
    "acosh": lambda x: lax.acosh(1 + positive(x)),
    **{
        name: lambda x, name=name: getattr(lax, name)(positive(x))
        for name in ("digamma", "lgamma", "log", "log1p", "rsqrt", "sqrt")
    },
    "log2": lambda x: jnp.log2(positive(x)),
    "integer_pow": lambda x: lax.integer_pow(x, 3),
    "reduce_precision": lambda x: lax.reduce_precision(x, 6, 6),
    "polynomial": lambda x: jnp.polyval(jnp.array([0.5, -1.0, 2.0]), x),
    "to_int": lambda x: jnp.clip(x, -9, 9).astype(jnp.int32),
    "to_bool": lambda x: x > 0.1,
    "bitcast": lambda x: lax.bitcast_convert_type(x, jnp.int32) & 1023,
    "bitcast_split": lambda x: lax.bitcast_convert_type(x, jnp.int16).astype(jnp.int32),
    "bitcast_join": lambda x: lax.bitcast_convert_type(
        lax.bitcast_convert_type(x, jnp.uint8) & jnp.uint8(63), jnp.float32
    ),
    "copy": lambda x: jnp.array(x, copy=True),
    "one_hot": lambda x: jax.nn.one_hot(x.astype(jnp.int32), 3),
    "sharding": lambda x: lax.with_sharding_constraint(
        x, NamedSharding(jax.make_mesh((1,), ("a",), axis_types=(AxisType.Auto,)), PartitionSpec())
    ),
    "gamma": lambda x: jax.random.gamma(jax.random.key(0), positive(x)),
}
BINARY = {
    **{name: getattr(lax, name) for name in "add atan2 div eq ge gt le lt max min mul ne nextafter rem sub".split()},
    "igamma": snapped(lax.igamma),
    "igammac": snapped(lax.igammac),
    "igamma_grad_a": snapped(lax.igamma_grad_a),
    "pow": lambda x, y: lax.pow(positive(x), y),
    "zeta": lambda x, y: lax.zeta(1 + positive(x), positive(y)),
    "polygamma": lambda x, y: lax.polygamma(lax.round(positive(x)), positive(y)),
    "complex": lambda x, y: to_float(lax.conj(lax.complex(x, y)) * lax.complex(y, x)),
    "add_any": lambda x, y: jax.grad(lambda z: jnp.sum(jnp.sin(z) * jnp.cos(z * y)))(x),
}
TERNARY = {
    "clamp": lambda x, y, z: lax.clamp(lax.min(x, y), z, lax.max(x, y)),
    "select": lambda x, y, z: lax.select_n(x > 0, y, z),
    "betainc": snapped(lambda x, y, z: lax.betainc(x, y, unit(z))),
}
INTEGERS = {
    "int_arithmetic": lambda i, j: (i + j) * (i - j),
    "and": lax.bitwise_and,
    "or": lax.bitwise_or,
    "xor": lax.bitwise_xor,
    "not": lambda i, j: lax.bitwise_not(i) + j,
    "population_count": lambda i, j: lax.population_count(i) - j,
    "clz": lambda i, j: lax.clz(i) - j,
    "shift_left": lambda i, j: lax.shift_left(i, j & 3),
    "shift_right_arithmetic": lambda i, j: lax.shift_right_arithmetic(i, j & 3),
    "shift_right_logical": lambda i, j: lax.shift_right_logical(i, j & 3) & 255,
    "int_to_float": lambda i, j: (i % 3).astype(jnp.float32) * j,
    "fold_in": lambda i, j: _each(lambda a, b: _bits(jax.random.fold_in(jax.random.key(a), b)), i, j),
    "split": lambda i, j: _each(lambda a, b: jax.random.split(jax.random.key(a + b)), i, j, keys=True),
    "normal": lambda i, j: _each(lambda a, b: jax.random.normal(jax.random.key(a), (2,)) * b, i, j),
    "wrap": lambda i, j: _bits(jax.random.wrap_key_data(jnp.stack([i, j], -1).astype(jnp.uint32))),
    "gamma_keys": lambda i, j: _each(
        lambda a, b: jax.random.gamma(jax.random.clone(jax.random.key(a)), jnp.full(2, 0.5 + (b & 3))), i, j
    ),
}


def _each(function, *arrays, keys=False):
    for _ in range(arrays[0].ndim):
        function = jax.vmap(function)
    out = function(*arrays)
    return _bits(out) if keys else out


def _bits(keys):
    return (jax.random.key_data(keys) & 1023).astype(jnp.int32)


def pointwise(function, count, kind="f"):
    """Operands of one shape; sometimes one of them is a scalar, or has axes of size 1 that are stretched."""

    def operation(draw):
        first = draw.pick(kind)
        shape = draw.shape_of(first)
        draw.apply(function, first, *(draw.shaped(shape, kind) for _ in range(count - 1)))

    return operation


def _stretched(draw):
    first = draw.pick(least=1)
    shape = tuple(1 if draw.chance() else size for size in draw.shape_of(first))
    draw.apply(lambda x, y: (x * y, jnp.where(y > 0, x, 1.0)), first, draw.shaped(shape))


def _with_scalar(draw):
    value, scalar, flag = draw.pick(), draw.shaped(()), draw.shaped((), "b")
    draw.apply(lambda x, s, b: (x * s, lax.select_n(b, x, s + x), lax.clamp(s, x, s + 1)), value, scalar, flag)


def _total_order(draw):
    """Search in each lane: comparisons in a total order, one element at a time."""
    size = draw.size()
    queries = draw.shaped((size, draw.size()))
    draw.apply(jax.vmap(lambda x: jnp.interp(x, jnp.arange(3.0), jnp.array([0.0, 1.0, 3.0]))), queries)
    draw.apply(lambda x, y: (jnp.searchsorted(x, y), jnp.unique(x, size=2)), draw.shaped((size,)), queries)


OPERATIONS = {
    **{name: pointwise(function, 1) for name, function in UNARY.items()},
    **{name: pointwise(function, 2) for name, function in BINARY.items()},
    **{name: pointwise(function, 3) for name, function in TERNARY.items()},
    **{name: pointwise(function, 2, "i") for name, function in INTEGERS.items()},
    "stretched": _stretched,
    "with_scalar": _with_scalar,
    "total_order": _total_order,
}
