"""Particle systems of finite programs, enumerated: every set of particles and of ancestors, with its chance.

Everything is differentiable in what it is given, so that exact gradients are `jax.grad` of a sum. Nothing of vipl's own
particles, weights or resampling is used.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np


def rows(*sizes):
    """All combinations of values 0 … size − 1, `(combinations, len(sizes))`."""
    return np.array(list(itertools.product(*map(range, sizes))), int).reshape(-1, len(sizes))


def importance(log_p, log_q, count):
    """Every set of particles of a finite program.

    Args:
        log_p: of each value, evidence included, `(S,)`.
        log_q: of each value, `(S,)`.
        count: number of particles.

    Returns:
        The chance of each set, the log of its mean weight, both `(sets,)`, and the probability of each value in a
        set, `(sets, S)`, if one particle is chosen by the weights.
    """
    index = rows(*[len(log_p)] * count)
    chance = jnp.exp(jnp.sum(log_q[index], axis=1))
    log_weights = (log_p - log_q)[index]
    chosen = jax.nn.softmax(log_weights, axis=1)
    by_value = jnp.sum(chosen[:, :, None] * (index[:, :, None] == np.arange(len(log_p))), axis=1)
    return chance, log_mean(log_weights), by_value


def log_mean(log_weights):
    return jax.nn.logsumexp(log_weights, axis=-1) - np.log(log_weights.shape[-1])


def ancestor_chance(scheme, log_weights, ancestors):
    """Probability of ancestors, `(…, N)`, by the formula of a scheme."""
    weights = jax.nn.softmax(log_weights, axis=-1)
    size = weights.shape[-1]
    edges = jnp.cumsum(weights, axis=-1)
    edges = jnp.concatenate([jnp.zeros_like(edges[..., :1]), edges[..., :-1], jnp.ones_like(edges[..., :1])], axis=-1)
    if scheme == "multinomial":
        return jnp.prod(jnp.take_along_axis(weights, ancestors, -1), axis=-1)
    slots = np.arange(size) / size
    begin = jnp.take_along_axis(edges, ancestors, -1) - slots
    end = jnp.take_along_axis(edges, ancestors + 1, -1) - slots
    if scheme == "stratified":
        lengths = jnp.maximum(jnp.minimum(end, 1 / size) - jnp.maximum(begin, 0.0), 0.0)
        return jnp.prod(size * lengths, axis=-1)
    latest, earliest = jnp.maximum(begin.max(-1), 0.0), jnp.minimum(end.min(-1), 1 / size)
    return size * jnp.maximum(earliest - latest, 0.0)


def sequential(log_transition, log_emission, log_proposal, count, scheme, threshold=None):
    """Every run of a particle filter in a hidden Markov model that starts at state 0.

    Args:
        log_transition: `(S, S)`.
        log_emission: of the data, `(T, S)`.
        log_proposal: of a state given the one before, `(T, S, S)`.
        count: number of particles.
        scheme: of resampling.
        threshold: as `vipl.SMC`.

    Returns:
        The chance of each run, the log of its evidence, both `(runs,)`, and the probability of each path,
        `(runs, S ** T)`, if a particle at the end is chosen by its weight.
    """
    length, size = log_emission.shape
    system = rows(*[size] * (length * count), *[count] * ((length - 1) * count))
    states = system[:, : length * count].reshape(len(system), length, count)
    ancestors = system[:, length * count :].reshape(len(system), length - 1, count)
    chance, log_evidence = jnp.ones(len(system)), jnp.zeros(len(system))
    log_weights, paths = jnp.zeros((len(system), count)), np.zeros((len(system), count), int)
    before = np.zeros((len(system), count), int)
    for t in range(length):
        if t:
            parents = ancestors[:, t - 1]
            drawn = ancestor_chance(scheme, log_weights, parents)
            due = np.ones(len(system), bool)
            if threshold is not None:
                due = 1 / jnp.sum(jax.nn.softmax(log_weights, axis=1) ** 2, axis=1) < threshold * count
            chance *= jnp.where(due, drawn, np.all(parents == np.arange(count), axis=1))
            log_evidence += jnp.where(due, log_mean(log_weights), 0.0)
            log_weights = jnp.where(due[:, None], 0.0, jnp.take_along_axis(log_weights, parents, 1))
            before, paths = (np.take_along_axis(x, parents, 1) for x in (before, paths))
        now = states[:, t]
        proposed = log_proposal[t][before, now]
        chance *= jnp.exp(jnp.sum(proposed, axis=1))
        log_weights += log_transition[before, now] + log_emission[t][now] - proposed
        before, paths = now, paths * size + now
    log_evidence += log_mean(log_weights)
    chosen = jax.nn.softmax(log_weights, axis=1)
    by_path = jnp.sum(chosen[:, :, None] * (paths[:, :, None] == np.arange(size**length)), axis=1)
    return chance, log_evidence, by_path
