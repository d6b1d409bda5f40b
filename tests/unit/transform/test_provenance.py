"""Alignments that the pass must find, or else independent elements would pay for each other."""

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
import pytest
from jax import lax
from jax.scipy import special
from provenance.calls import kept_vmap

from vipl._core.errors import ProgramError
from vipl.distributions.base_noise import noise_of, transport
from vipl.distributions.log_prob import log_prob
from vipl.transform.provenance import JOINT, Along, propagate
from vipl.transform.provenance.alignment import whole

N, D, K = 5, 3, 4
LAYOUT = ("NHC", "HIO", "NHC")
FIRST = (Along(0),)
CAUSAL = (Along(0, causal=True),)


def dependences(function, *shapes, kinds=None):
    arrays = [jnp.ones(shape, kind) for shape, kind in zip(shapes, kinds or [float] * len(shapes), strict=True)]
    jaxpr = jax.make_jaxpr(function)(*arrays)
    return propagate(jaxpr, [{i: whole(x.ndim)} for i, x in enumerate(arrays)])


def network(x, w, b):
    hidden = jax.nn.relu(x @ w + b)
    hidden = jax.nn.gelu(hidden @ w.T) + jax.nn.silu(x)
    return jax.nn.softplus(hidden)


def layer_norm(x):
    x = (x - x.mean(-1, keepdims=True)) * lax.rsqrt(x.var(-1, keepdims=True) + 1e-5)
    return x * 2 + 1


def attention(x, w):
    return jax.nn.softmax(jnp.einsum("nqd,nkd->nqk", x @ w, x), axis=-1) @ x


def highest(x):
    return jnp.max(jnp.cumsum(x)) + x[jnp.array([2, 0])].prod()


def pooled(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 1), (1, 2, 1), "VALID")


def walk(carry, x):
    return carry + x, carry * jnp.exp(x)


def in_branches(x):
    return jax.vmap(lambda r: lax.cond(r.sum() > 0, jnp.sin, jnp.cos, r))(x)


def newton(x):
    return lax.while_loop(lambda s: jnp.abs(s).sum() > 1e-3, lambda s: s - jnp.tanh(s), x)


def choices_in_steps(x):
    return lax.scan(lambda c, z: (c, lax.cond(z.sum() > 0, lambda: z, lambda: jnp.fft.fft(z).real)), 0.0, x)[1]


# Axis 0 of every input runs along axis 0 of every result.
BATCHED = {
    "elementwise": (lambda x, y: jnp.where(x > y, jnp.exp(x) / y, 0.0), (N,), (N,)),
    "beside a scalar": (lambda x: jnp.clip(3.0 * x, 0.0, 1.0) ** 2, (N, D)),
    "network": (lambda x: network(x, jnp.ones((D, K)), jnp.ones(K)), (N, D)),
    "softmax": (lambda x: jax.nn.softmax(x, axis=-1), (N, D)),
    "log_softmax": (lambda x: jax.nn.log_softmax(x, axis=-1), (N, D)),
    "logsumexp": (lambda x: jax.nn.logsumexp(x, axis=-1), (N, D)),
    "layer norm": (layer_norm, (N, K, D)),
    "einsum": (lambda x: jnp.einsum("nd,df->nf", x, jnp.ones((D, K))), (N, D)),
    "einsum, batch last": (lambda x: jnp.einsum("nd,df->fn", x, jnp.ones((D, K))).T, (N, D)),
    "pairs": (lambda x, y: jnp.einsum("nd,ndf->nf", x, y), (N, D), (N, D, K)),
    "attention": (lambda x: attention(x, jnp.ones((D, D))), (N, K, D)),
    "vmap": (jax.vmap(lambda x, y: jnp.dot(x, y) * jnp.sort(x)), (N, D), (N, D)),
    "vmap of a solve": (jax.vmap(lambda a, b: jnp.linalg.solve(a, b)), (N, D, D), (N, D)),
    "vmap of a gradient": (jax.vmap(jax.grad(highest)), (N, D)),
    "structural vmap": (kept_vmap(lambda x, y: jnp.fft.fft(x).real[0] * y, (0, 0), N), (N, D), (N,)),
    "convolution": (lambda x: lax.conv(x, jnp.ones((2, 3, 2, 2)), (1, 1), "SAME"), (N, 3, K, K)),
    "convolution, channels last": (
        lambda x: lax.conv_general_dilated(x, jnp.ones((2, D, 2)), (1,), "SAME", None, None, LAYOUT),
        (N, K, D),
    ),
    "vmap of a convolution": (jax.vmap(lambda x: jnp.convolve(x, jnp.ones(2), "same")), (N, K)),
    "pooling": (pooled, (N, K, D)),
    "one hot": (lambda x: jax.nn.one_hot(jnp.argmax(x, -1), K), (N, K)),
    "top k": (lambda x: lax.top_k(x, 2), (N, K)),
    "sort in rows": (lambda x: (jnp.sort(x, -1), jnp.argsort(x, -1), jnp.median(x, -1)), (N, K)),
    "take along axis": (lambda x: jnp.take_along_axis(x, jnp.argmax(x, -1, keepdims=True), -1)[:, 0], (N, K)),
    "columns": (lambda x: x[:, jnp.array([2, 0])], (N, D)),
    "ellipsis": (lambda x: jnp.concatenate([x[..., :1], x[..., 1:] ** 2], -1), (N, K, D)),
    "stacked": (lambda x, y: jnp.stack([x, y], -1).reshape(N, -1), (N, D), (N, D)),
    "written columns": (lambda x: x.at[:, 1].set(0.0).at[:, 2].add(x[:, 0]), (N, D)),
    "merged features": (lambda x: x.reshape(N, K * D) @ jnp.ones((K * D, 2)), (N, K, D)),
    "tril": (lambda x: jnp.tril(x), (N, D, D)),
    "triangular from a vector": (lambda x: jnp.zeros((N, 2, 2)).at[:, *jnp.tril_indices(2)].set(x), (N, 3)),
    "cholesky": (lambda x: jnp.linalg.cholesky(x), (N, D, D)),
    "slogdet": (lambda x: jnp.linalg.slogdet(x), (N, D, D)),
    "inverse": (lambda x: jnp.linalg.inv(x), (N, D, D)),
    "eigh": (lambda x: jnp.linalg.eigh(x), (N, D, D)),
    "triangular solve": (jax.scipy.linalg.solve_triangular, (N, D, D), (N, D, 1)),
    "fft": (lambda x: jnp.abs(jnp.fft.rfft(x)), (N, K)),
    "buckets": (lambda x: (x[..., None] > jnp.arange(3.0)).sum(-1), (N, D)),
    "special functions": (
        lambda x: special.gammaln(x) + special.ndtri(x) + special.betainc(x, x, x), (N,)
    ),
    "remat": (jax.checkpoint(lambda x: jnp.sin(x) @ jnp.ones(D)), (N, D)),
    "scan without a carry": (lambda x: lax.map(lambda r: r * r.sum(), x), (N, D)),
    "reverse scan without a carry": (
        lambda x: lax.scan(lambda c, r: (c, r * r.sum()), 0.0, x, reverse=True)[1], (N, D)
    ),
    "carry of a scan": (lambda x: lax.scan(lambda c, r: (c + r, None), x, jnp.ones((K, N)))[0], (N,)),
    "loop": (lambda x: lax.fori_loop(0, 3, lambda i, y: jnp.sin(y) * i, x), (N, D)),
    "loop of any length": (lambda x: lax.fori_loop(0, jnp.arange(3)[1], lambda i, y: y * i, x), (N, D)),
    "branches in vmap": (in_branches, (N, D)),
    "branches in a scan": (choices_in_steps, (N, D)),
    "a loop for each lane": (jax.vmap(newton), (N, D)),
    "random numbers": (
        lambda i: jax.vmap(lambda seed: jax.random.normal(jax.random.key(seed.astype(int)), (D,)))(i), (N,)
    ),
    "gamma": (lambda a: jax.random.gamma(jax.random.key(0), a), (N, D)),
    "barrier": (lambda x, y: lax.optimization_barrier((x, y))[0] * y, (N,), (N,)),
}  # fmt: skip


@pytest.mark.parametrize("name", BATCHED)
def test_a_batch_stays_a_batch(name):
    function, *shapes = BATCHED[name]
    for dependence in dependences(function, *shapes):
        assert {alignment[:1] for alignment in dependence.values()} == {FIRST}, dependence


SCANS = {
    "results": (lambda x: lax.scan(walk, jnp.zeros(D), x)[1], CAUSAL),
    "last carry": (lambda x: lax.scan(walk, jnp.zeros(D), x)[0], (JOINT,)),
    "results in reverse": (lambda x: lax.scan(walk, jnp.zeros(D), x, reverse=True)[1], (JOINT,)),
    "cumulative sum": (lambda x: jnp.cumsum(x, axis=0) @ jnp.ones(D), CAUSAL),
    "reverse cumulative sum": (lambda x: lax.cumsum(x, reverse=True), (JOINT,)),
    "an element later": (lambda x: jnp.concatenate([jnp.zeros((1, D)), x[:-1]]), (JOINT,)),
    "scan of what is causal": (lambda x: lax.map(jnp.exp, jnp.cumsum(x, axis=0)), CAUSAL),
}


@pytest.mark.parametrize("name", SCANS)
def test_steps_see_those_before_them(name):
    function, expected = SCANS[name]
    [dependence] = dependences(function, (N, D))
    assert dependence[0][:1] == expected


def test_every_axis_of_a_nested_scan_is_followed():
    def outer(carry, row):
        last, seen = lax.scan(lambda c, z: (c + z, c * z), 0.0, row)
        return carry + last, (seen, carry)

    total, seen, carries = dependences(lambda x: lax.scan(outer, 0.0, x), (N, D))
    assert total[0] == (JOINT, JOINT)
    assert seen[0] == (Along(0), Along(1, causal=True))
    assert carries[0] == (Along(0, causal=True), JOINT)


DISTRIBUTIONS = {
    "Normal": (dist.Normal, (N,), (N,)),
    "Normal, shared scale": (lambda loc: dist.Normal(loc, 2.0), (N,)),
    "Normal with an event": (lambda loc, scale: dist.Normal(loc, scale).to_event(1), (N, D), (N, D)),
    "LogNormal": (dist.LogNormal, (N,), (N,)),
    "Gamma": (dist.Gamma, (N,), (N,)),
    "Beta": (dist.Beta, (N,), (N,)),
    "StudentT": (dist.StudentT, (N,), (N,), (N,)),
    "TruncatedNormal": (lambda loc, scale: dist.TruncatedNormal(loc, scale, low=0.0), (N,), (N,)),
    "Bernoulli": (lambda logits: dist.Bernoulli(logits=logits), (N,)),
    "Poisson": (dist.Poisson, (N,)),
    "Categorical": (lambda logits: dist.Categorical(logits=logits), (N, K)),
    "Categorical, probabilities": (lambda p: dist.Categorical(probs=p / p.sum(-1, keepdims=True)), (N, K)),
    "Multinomial": (lambda logits: dist.Multinomial(3, logits=logits), (N, K)),
    "Dirichlet": (dist.Dirichlet, (N, K)),
    "MultivariateNormal": (
        lambda loc, root: dist.MultivariateNormal(loc, scale_tril=jnp.tril(root)), (N, D), (N, D, D)
    ),
    "MultivariateNormal, one covariance": (
        lambda loc: dist.MultivariateNormal(loc, scale_tril=jnp.eye(D)), (N, D)
    ),
    "MultivariateNormal, covariance": (
        lambda loc, root: dist.MultivariateNormal(loc, root @ root.mT + jnp.eye(D)), (N, D), (N, D, D)
    ),
    "LowRankMultivariateNormal": (dist.LowRankMultivariateNormal, (N, D), (N, D, 2), (N, D)),
    "MixtureSameFamily": (
        lambda logits, loc: dist.MixtureSameFamily(dist.Categorical(logits=logits), dist.Normal(loc, 1.0)),
        (N, K), (N, K),
    ),
    "LKJCholesky": (lambda c: dist.LKJCholesky(D, c), (N,)),
}  # fmt: skip
# NumPyro's sampler loops until all elements are accepted: nothing static shows that each stops on its own.
DRAWN_JOINTLY = {"Poisson"}


def value_of(make, shapes):
    return jax.eval_shape(lambda *xs: make(*xs).sample(jax.random.key(0)), *(jnp.ones(s) for s in shapes))


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_densities_of_a_plate_stay_apart(name):
    make, *shapes = DISTRIBUTIONS[name]
    value = value_of(make, shapes)
    [dependence] = dependences(
        lambda x, *parameters: log_prob(make(*parameters), x), value.shape, *shapes,
        kinds=[value.dtype, *[float] * len(shapes)],
    )  # fmt: skip
    assert set(dependence) == set(range(1 + len(shapes)))
    assert {alignment[:1] for alignment in dependence.values()} == {FIRST}, dependence


@pytest.mark.parametrize("name", sorted(set(DISTRIBUTIONS) - DRAWN_JOINTLY))
def test_draws_of_a_plate_stay_apart(name):
    make, *shapes = DISTRIBUTIONS[name]
    noise = noise_of(make(*map(jnp.ones, shapes)))
    if noise.kind == "key":
        deps = dependences(lambda *parameters: transport(make(*parameters), jax.random.key(0)), *shapes)
    else:
        deps = dependences(lambda x, *parameters: transport(make(*parameters), x), noise.shape, *shapes)
    for dependence in deps:
        assert {alignment[:1] for alignment in dependence.values()} == {FIRST}, dependence


def test_mutable_arrays_are_refused():
    def function(x):
        reference = jax.new_ref(jnp.zeros(N))
        reference[...] = x
        return reference[...]

    with pytest.raises(ProgramError, match="mutable array"):
        dependences(function, (N,))
