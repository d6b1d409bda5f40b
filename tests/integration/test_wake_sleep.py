"""Wake-sleep as a recipe: minibatches, a binary and a categorical choice for each datum, judged by the exact sum.

The maximum of the likelihood is found without vipl, by a sum over the six states and a quasi-Newton method. A fit is
judged by how many nats of all data it lacks to that maximum, and by how far the guide is from the posterior of the fit.
Half a nat is one standard error of one parameter.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp

import vipl
import vipl.distributions as dist
from vipl import objectives
from vipl._core.keys import numbered

SIZE, BATCH, STEPS = 600, 60, 3000
SHAPES = {"logit": (), "logits": (2,), "centres": (3, 2), "effect": (2,)}
TRUTH = {"logit": 0.4, "logits": [-0.5, 0.3], "centres": [[-2.0, 0.0], [0.5, 1.5], [2.0, -1.0]], "effect": [0.8, 1.2]}
START = {"logit": 0.0, "logits": [0.0, 0.0], "centres": [[-1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], "effect": [0.0, 0.5]}
SCALE = 0.7


def flat(params):
    return np.concatenate([np.ravel(np.asarray(params[name], float)) for name in SHAPES])


def unflat(values):
    ends = np.cumsum([int(np.prod(shape)) for shape in SHAPES.values()])[:-1]
    parts = np.split(values, ends)
    return {name: part.reshape(shape) for part, (name, shape) in zip(parts, SHAPES.items(), strict=True)}


@vipl.program
def model(size, batch=None, y=None):
    param = {name: vipl.param(name, jnp.array(value)) for name, value in START.items()}
    with vipl.plate("datum", size, subsample_size=batch) as index:
        b = vipl.sample("b", dist.Bernoulli(logits=param["logit"]))
        c = vipl.sample("c", dist.Categorical(logits=jnp.append(0.0, param["logits"])))
        mean = param["centres"][c] + b[:, None] * param["effect"]
        vipl.sample("y", dist.Normal(mean, SCALE).to_event(1), obs=None if y is None else y[index])


@vipl.program
def guide(y, batch=None):
    """The posterior is among these: the log odds of all six states are linear in the datum."""
    slopes, offsets = vipl.param("slopes", jnp.zeros((2, 3, 2))), vipl.param("offsets", jnp.zeros((2, 3)))
    with vipl.plate("datum", len(y), subsample_size=batch) as index:
        logits = jnp.einsum("bcd,nd->bnc", slopes, y[index]) + offsets[:, None]
        b = vipl.sample("b", dist.Bernoulli(logits=jnp.subtract(*jax.nn.logsumexp(logits[::-1], axis=-1))))
        vipl.sample("c", dist.Categorical(logits=logits[b, jnp.arange(len(index))]))


Y = vipl.simulate(vipl.with_params(model(SIZE), jax.tree.map(jnp.array, TRUTH)), jax.random.key(0))["y"]


def log_joint(values, y=Y):
    """Return the log density of each datum with each state, `(2, 3, data)`, without vipl."""
    param = unflat(np.asarray(values, float))
    prior = -np.logaddexp(0.0, [param["logit"], -param["logit"]])[:, None]
    prior = prior + log_softmax(np.append(0.0, param["logits"]))
    mean = param["centres"] + np.arange(2.0)[:, None, None] * param["effect"]
    deviation = (np.asarray(y) - mean[:, :, None]) / SCALE
    return prior[..., None] - (0.5 * deviation**2 + np.log(SCALE * np.sqrt(2 * np.pi))).sum(-1)


def evidence(values):
    return logsumexp(log_joint(values), axis=(0, 1)).sum()


@functools.cache
def largest():
    """The maximum of the evidence of all data, in nats."""
    found = minimize(lambda values: -evidence(values), flat(TRUTH), method="BFGS", options={"gtol": 1e-3})
    assert np.abs(found.jac).max() < 0.02
    return -found.fun


def guide_table(params):
    """Return log q of each state of each datum, `(2, 3, data)`, without vipl."""
    logits = np.einsum("bcd,nd->bcn", params["slopes"], Y) + np.asarray(params["offsets"])[..., None]
    return logits - logsumexp(logits, axis=(0, 1))


def judged(params):
    """Return what the fit lacks to the maximum, in nats of all data, and the mean KL(posterior‖guide)."""
    joint = log_joint(flat(params))
    posterior = joint - logsumexp(joint, axis=(0, 1))
    divergence = np.sum(np.exp(posterior) * (posterior - guide_table(params)), axis=(0, 1)).mean()
    return largest() - evidence(flat(params)), divergence


def check(params):
    lacking, divergence = judged(params)
    assert -0.01 < lacking < 0.4
    assert -1e-6 < divergence < 0.02


def by_infer(objective, seed=1, steps=STEPS):
    programs = model(SIZE, BATCH, Y), guide(Y, BATCH)
    options = {"key": jax.random.key(seed), "num_steps": steps, "progress": False, "optimizer": adam(steps)}
    return vipl.infer(*programs, objective=objective, **options).params


def adam(steps=STEPS):
    return optax.adam(optax.cosine_decay_schedule(0.03, steps))


def by_hand(objective, seed=1, steps=STEPS):
    programs, key, ascent = (model(SIZE, BATCH, Y), guide(Y, BATCH)), jax.random.key(seed), adam(steps)

    def loss(params, key):
        return -objective(key, *map(vipl.with_params, programs, params))

    @jax.jit
    def step(i, carry):
        params, state = carry
        updates, state = ascent.update(jax.grad(loss)(params, numbered(key, i)), state)
        return optax.apply_updates(params, updates), state

    params = [vipl.init_params(key, program) for program in programs]
    (of_model, of_guide), _ = jax.lax.fori_loop(0, steps, step, (params, ascent.init(params)))
    return of_model | of_guide


def in_turn(teach, seed=1, steps=STEPS):
    """Alternate: a step of `wake_p` for the model, and one of `teach` for the guide."""
    key, ascent = jax.random.key(seed), adam(steps)

    def awake(of_model, of_guide, key):
        programs = vipl.with_params(model(SIZE, BATCH, Y), of_model), vipl.with_params(guide(Y, BATCH), of_guide)
        return -objectives.wake_p(10, plate="datum")(key, *programs)

    def descend(loss, params, state, *others):
        updates, state = ascent.update(jax.grad(loss)(params, *others), state)
        return optax.apply_updates(params, updates), state

    @jax.jit
    def turn(i, carry):
        of_model, of_guide, state_model, state_guide = carry
        key_model, key_guide = jax.random.split(jax.random.fold_in(key, i))
        of_model, state_model = descend(awake, of_model, state_model, of_guide, key_model)
        of_guide, state_guide = descend(teach, of_guide, state_guide, of_model, key_guide)
        return of_model, of_guide, state_model, state_guide

    params = [vipl.init_params(key, program) for program in (model(SIZE), guide(Y))]
    of_model, of_guide, *_ = jax.lax.fori_loop(0, steps, turn, (*params, *map(ascent.init, params)))
    return of_model | of_guide


def asleep(of_guide, of_model, key):
    dream = vipl.with_params(model(BATCH), of_model)
    return -objectives.sleep(key, dream, lambda data: vipl.with_params(guide(data["y"]), of_guide))


def awake(of_guide, of_model, key):
    programs = vipl.with_params(model(SIZE, BATCH, Y), of_model), vipl.with_params(guide(Y, BATCH), of_guide)
    return -objectives.wake_q(10, plate="datum")(key, *programs)


WAKE = objectives.wake(10, plate="datum")


def test_infer_reaches_the_maximum_of_the_likelihood():
    check(by_infer(WAKE))


def test_a_loop_by_hand_with_the_same_keys_is_the_same():
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), by_hand(WAKE), by_infer(WAKE))


@pytest.mark.parametrize("teach", [asleep, awake])
def test_two_phases_in_turn_reach_the_maximum_of_the_likelihood(teach):
    check(in_turn(teach))


def test_one_weight_for_a_minibatch_misses_it():
    params = by_infer(objectives.wake(10))
    assert judged(params)[0] > 0.7
    with pytest.raises(AssertionError):
        check(params)


def test_weights_that_are_all_the_same_miss_it(monkeypatch):
    objective = objectives.wake(11, plate="datum")  # that with 10 particles is compiled already
    monkeypatch.setitem(objective.fn.__globals__, "normalised_weights", lambda log_weights, _: 0 * log_weights + 1 / 11)
    lacking, _ = judged(by_infer(objective))
    assert lacking > 100
