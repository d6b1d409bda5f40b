"""Variational autoencoders whose networks are of flax.nnx, flax.linen, Haiku and Equinox: params are plain pytrees."""

import equinox
import haiku
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen, nnx
from sklearn.datasets import load_digits

import vipl
import vipl.distributions as dist

pytestmark = pytest.mark.usefixtures("quick_compilation")

IMAGES = (load_digits().data[:512] > 8).astype(np.float32)
SIZE, PIXELS = IMAGES.shape
LATENT, WIDTH, BATCH = 2, 16, 32
KEYS = jax.random.split(jax.random.key(0), 2)


@vipl.program
def decoded(decode, batch):
    with vipl.plate("image", SIZE, subsample_size=len(batch)):
        z = vipl.sample("z", dist.Normal(jnp.zeros(LATENT), 1.0).to_event(1))
        vipl.sample("x", dist.Bernoulli(logits=decode(z)).to_event(1), obs=batch)


@vipl.program
def encoded(encode, batch):
    with vipl.plate("image", SIZE, subsample_size=len(batch)):
        loc, log_scale = jnp.split(encode(batch), 2, -1)
        vipl.sample("z", dist.Normal(loc, jnp.exp(log_scale)).to_event(1))


def of_nnx():
    def network(inputs, outputs, rngs):
        return nnx.Sequential(nnx.Linear(inputs, WIDTH, rngs=rngs), nnx.relu, nnx.Linear(WIDTH, outputs, rngs=rngs))

    encoder, encoder_params = nnx.split(network(PIXELS, 2 * LATENT, nnx.Rngs(0)))
    decoder, decoder_params = nnx.split(network(LATENT, PIXELS, nnx.Rngs(1)))
    params = {"encoder": encoder_params, "decoder": decoder_params}
    return params, lambda params: nnx.merge(encoder, params), lambda params: nnx.merge(decoder, params)


class Network(linen.Module):
    outputs: int

    @linen.compact
    def __call__(self, x):
        return linen.Dense(self.outputs)(linen.relu(linen.Dense(WIDTH)(x)))


def of_linen():
    encoder, decoder = Network(2 * LATENT), Network(PIXELS)
    params = {
        "encoder": encoder.init(KEYS[0], IMAGES[:1]),
        "decoder": decoder.init(KEYS[1], jnp.zeros((1, LATENT))),
    }
    return params, lambda params: lambda x: encoder.apply(params, x), lambda params: lambda z: decoder.apply(params, z)


def of_haiku():
    def network(outputs):
        return haiku.without_apply_rng(haiku.transform(lambda x: haiku.nets.MLP([WIDTH, outputs])(x)))

    encoder, decoder = network(2 * LATENT), network(PIXELS)
    params = {
        "encoder": encoder.init(KEYS[0], IMAGES[:1]),
        "decoder": decoder.init(KEYS[1], jnp.zeros((1, LATENT))),
    }
    return params, lambda params: lambda x: encoder.apply(params, x), lambda params: lambda z: decoder.apply(params, z)


def modules():
    return {
        "encoder": equinox.nn.MLP(PIXELS, 2 * LATENT, WIDTH, 1, key=KEYS[0]),
        "decoder": equinox.nn.MLP(LATENT, PIXELS, WIDTH, 1, key=KEYS[1]),
    }


def of_equinox():
    """The modules as they are: what in them is no array, such as their activation functions, stays."""
    return modules(), jax.vmap, jax.vmap


def of_equinox_partitioned():
    params, static = equinox.partition(modules(), equinox.is_inexact_array)

    def network(name):
        return lambda params: jax.vmap(equinox.combine(params, static[name]))

    return params, network("encoder"), network("decoder")


def fit(network, num_steps=120, **options):
    params, encoder, decoder = network()
    options = {
        "batch_size": BATCH,
        "optimizer": optax.adam(0.01),
        "key": jax.random.key(0),
        "progress": False,
    } | options
    return vipl.infer(
        lambda params, batch: decoded(decoder(params["decoder"]), batch),
        lambda params, batch: encoded(encoder(params["encoder"]), batch),
        params=params,
        data=IMAGES,
        num_steps=num_steps,
        **options,
    )


@pytest.mark.parametrize("network", [of_nnx, of_linen, of_haiku, of_equinox, of_equinox_partitioned])
def test_networks_of_every_library_learn(network):
    start, _, decoder = network()
    fitted = fit(network)
    first, last = fitted.objective_history[:20], fitted.objective_history[-20:]
    assert np.all(np.isfinite(fitted.objective_history))
    assert last.mean() - first.mean() > 10 * last.std(), "it rises by far more than its noise"
    assert jax.tree.structure(fitted.params) == jax.tree.structure(start)
    for role in ("encoder", "decoder"):
        moved = jax.tree.map(lambda one, other: np.any(one != other), *map(arrays, (start[role], fitted.params[role])))
        assert all(jax.tree.leaves(moved)), "model and guide are trained together"
    images = jax.nn.sigmoid(decoder(fitted.params["decoder"])(jnp.zeros((3, LATENT))))
    assert images.shape == (3, PIXELS)
    assert fitted.sample(jax.random.key(1), 5)["z"].shape == (5, BATCH, LATENT)


def arrays(tree):
    return [leaf for leaf in jax.tree.leaves(tree) if hasattr(leaf, "dtype")]


def test_a_module_of_equinox_comes_back_a_module():
    fitted = fit(of_equinox, num_steps=2)
    assert isinstance(fitted.params["decoder"], equinox.nn.MLP)
    assert fitted.params["decoder"].activation is modules()["decoder"].activation
    again = fit(of_equinox, num_steps=2)
    assert equinox.tree_equal(again.params, fitted.params)


class Normalised(linen.Module):
    """A network with batch normalisation, whose running averages change as it runs."""

    @linen.compact
    def __call__(self, x, train=True):
        x = linen.BatchNorm(use_running_average=not train, momentum=0.9)(linen.Dense(WIDTH)(x))
        return linen.Dense(PIXELS)(linen.relu(x))


def carried(old, new):
    """Return zero, with such a gradient that ascent at rate 1 goes from the old state to the new."""
    away = jax.tree.map(lambda one, other: -0.5 * jnp.sum((one - jax.lax.stop_gradient(other)) ** 2), old, new)
    total = sum(jax.tree.leaves(away))
    return total - jax.lax.stop_gradient(total)


@vipl.program
def reconstructed(variables, batch):
    shift = vipl.sample("shift", dist.Normal(0.0, 1.0))
    logits, new = Normalised().apply(variables, batch, mutable=["batch_stats"])
    vipl.factor("running averages", carried(variables["batch_stats"], new["batch_stats"]))
    with vipl.plate("image", SIZE, subsample_size=len(batch)):
        vipl.sample("x", dist.Bernoulli(logits=logits + shift).to_event(1), obs=batch)


@vipl.program
def shifted(loc):
    vipl.sample("shift", dist.Normal(loc, 0.1))


def test_mutable_state_is_carried_by_a_gradient_of_its_own():
    """State as params with SGD at rate 1, and a factor in the model: a step leaves what the network has returned."""
    start = {**Normalised().init(KEYS[0], IMAGES[:2]), "loc": jnp.array(0.0)}
    batches = list(IMAGES.reshape(-1, BATCH, PIXELS))
    labels = {"params": "still", "batch_stats": "state", "loc": "still"}

    def fit(still):
        return vipl.infer(
            lambda params, batch: reconstructed({name: params[name] for name in ("params", "batch_stats")}, batch[0]),
            lambda params, batch: shifted(params["loc"]),
            params=start,
            data=[[batch] for batch in batches],
            optimizer=optax.multi_transform({"still": still, "state": optax.sgd(1.0)}, labels),
            num_steps=12,
            key=jax.random.key(0),
            progress=False,
        )

    frozen = fit(optax.set_to_zero())
    by_hand = {"params": start["params"], "batch_stats": start["batch_stats"]}
    for batch in batches[:12]:
        by_hand |= Normalised().apply(by_hand, batch, mutable=["batch_stats"])[1]
    close = lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)  # noqa: E731
    jax.tree.map(close, frozen.params["batch_stats"], by_hand["batch_stats"])
    with pytest.raises(AssertionError):
        jax.tree.map(close, frozen.params["batch_stats"], start["batch_stats"])
    learned = fit(optax.adam(0.01))
    assert learned.objective_history[-1] > frozen.objective_history[-1]
    logits = Normalised().apply({n: learned.params[n] for n in ("params", "batch_stats")}, IMAGES[:1], train=False)
    assert logits.shape == (1, PIXELS)


def test_what_of_a_module_cannot_be_learned_is_named():
    with pytest.raises(vipl.ParameterError, match=r"params\['encoder'\].*inference is of type bool"):
        fit(lambda: ({"encoder": equinox.nn.Dropout(0.5), "decoder": None}, jax.vmap, jax.vmap))
