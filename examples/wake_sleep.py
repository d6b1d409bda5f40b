"""Reweighted wake-sleep in minibatches: a sigmoid belief net of handwritten digits, and the network that inverts it.

Eight binary causes light the pixels of a digit. Both networks are learned at once from weighted draws of the second,
and no derivative passes through a draw. The states of eight causes are few enough to sum over, so that the table is
exact: the log evidence of digits held out, and how far the learned guide is from the posterior of their causes.

`vipl.infer` and the loop by hand take the same kind of steps, so their rows differ by the noise of the draws alone.
With one weight for a whole batch, in place of one for each digit, both networks are worse.
"""

import itertools
import time

import jax
import jax.numpy as jnp
import optax
from sklearn.datasets import load_digits

import vipl
import vipl.distributions as dist
from vipl import objectives

CAUSES, BATCH, PARTICLES = 8, 50, 5
IMAGES = jax.random.permutation(jax.random.key(0), jnp.array(load_digits().images.reshape(-1, 64) > 7.5, float))
TRAIN, HELD_OUT = IMAGES[:1500], IMAGES[1500:]
RATE = (TRAIN.sum(0) + 1) / (len(TRAIN) + 2)  # how often each pixel is lit


def small(*shape):
    return lambda key: 0.1 * jax.random.normal(key, shape)


@vipl.program
def model(images, batch=None):
    prior, offset = vipl.param("prior", jnp.zeros(CAUSES)), vipl.param("offset", jax.scipy.special.logit(RATE))
    weights = vipl.param("weights", small(CAUSES, 64))
    with vipl.plate("digit", len(images), subsample_size=batch) as index:
        causes = vipl.sample("causes", dist.Bernoulli(logits=prior).to_event(1))
        vipl.sample("pixels", dist.Bernoulli(logits=causes @ weights + offset).to_event(1), obs=images[index])


@vipl.program
def guide(images, batch=None):
    first, first_offset = vipl.param("first", small(64, 50)), vipl.param("first_offset", jnp.zeros(50))
    second, second_offset = vipl.param("second", small(50, CAUSES)), vipl.param("second_offset", jnp.zeros(CAUSES))
    with vipl.plate("digit", len(images), subsample_size=batch) as index:  # the plate of the model, by its name
        hidden = jnp.tanh((images[index] - RATE) @ first + first_offset)
        vipl.sample("causes", dist.Bernoulli(logits=hidden @ second + second_offset).to_event(1))


def optimizer(steps):
    return optax.adam(optax.cosine_decay_schedule(0.02, steps))


def by_infer(objective, steps, key):
    options = {"optimizer": optimizer(steps), "num_steps": steps, "progress": False}
    fit = vipl.infer(model(TRAIN, BATCH), guide(TRAIN, BATCH), key=key, objective=objective, **options)
    return fit.model.params, fit.guide.params


def by_hand(objective, steps, key):
    programs, ascent = (model(TRAIN, BATCH), guide(TRAIN, BATCH)), optimizer(steps)
    start = vipl.init_params(key, *programs)
    params = [{name: start[name] for name in vipl.init_params(key, program)} for program in programs]

    def loss(params, key):
        return -objective(key, *map(vipl.with_params, programs, params))

    @jax.jit
    def step(params, state, key):
        updates, state = ascent.update(jax.grad(loss)(params, key), state)
        return optax.apply_updates(params, updates), state

    state = ascent.init(params)
    for i in range(steps):
        params, state = step(params, state, jax.random.fold_in(key, i))
    return params


@jax.jit
def judge(params, images):
    """Return the log evidence of an image, and KL(posterior‖guide), in nats, both the mean over the images."""
    states = jnp.array(list(itertools.product((0, 1), repeat=CAUSES)))

    def log_densities(make, params, image):
        program = vipl.with_params(make(image[None]), params)
        return jax.vmap(lambda causes: vipl.log_density(program, {"causes": causes[None]}))(states)

    def one(image):
        log_p, log_q = (log_densities(make, own, image) for make, own in zip((model, guide), params, strict=True))
        evidence = jax.nn.logsumexp(log_p)
        return evidence, jnp.sum(jnp.exp(log_p - evidence) * (log_p - evidence - log_q))

    return [jnp.mean(x) for x in jax.lax.map(one, images, batch_size=100)]


ROWS = {
    "vipl.infer": (by_infer, objectives.wake(PARTICLES, plate="digit")),
    "by hand": (by_hand, objectives.wake(PARTICLES, plate="digit")),
    "one weight for a batch": (by_infer, objectives.wake(PARTICLES)),
}


def main(steps=1000):
    print(f"{'per digit held out, in nats':28}{'log evidence':>14}{'KL(posterior‖guide)':>22}{'seconds':>10}")
    alone = jnp.mean(jnp.sum(dist.Bernoulli(RATE).log_prob(HELD_OUT), axis=1))
    print(f"{'pixels without causes':28}{alone:14.2f}")
    for name, (train, objective) in ROWS.items():
        began = time.perf_counter()
        params = train(objective, steps, jax.random.key(1))
        seconds = time.perf_counter() - began
        evidence, divergence = judge(params, HELD_OUT)
        print(f"{name:28}{evidence:14.2f}{divergence:22.2f}{seconds:10.1f}")


if __name__ == "__main__":
    main()
