"""A Normal model of one latent variable, and what objectives of particles are on it exactly, by quadrature.

The quadrature is over the values of all particles, at nodes that do not move with the parameters: nothing in it is
reparameterised, so that it says the same of every gradient, at every order.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

import vipl
import vipl.distributions as dist

DATUM = 1.2
POSTERIOR = np.array([DATUM / 2, np.log(0.5) / 2, 0.0])
THETA = np.array([-1.0, -1.0, -0.7])  # loc and log scale of the guide, mean of the prior


@vipl.program
def model(mean):
    x = vipl.sample("x", dist.Normal(mean, 1.0))
    vipl.sample("y", dist.Normal(x, 1.0), obs=DATUM)


@vipl.program
def guide(loc, log_scale):
    vipl.sample("x", dist.Normal(loc, jnp.exp(log_scale)))


def of_parameters(objective):
    """Return an objective as a function of a key and the three parameters."""
    return lambda key, theta: objective(key, model(theta[2]), guide(theta[0], theta[1]))


def sample(function, count, *args, seed=0):
    """Return a function of a key and further arguments, at so many keys."""
    keys = jax.random.split(jax.random.key(seed), count)
    return jax.jit(jax.vmap(function, (0, *[None] * len(args))))(keys, *args)


def exact_bound(alpha, num_particles):
    """Return the objective of an order as a function of the parameters."""
    return exact_mean(lambda log_weights: bound_of(log_weights, alpha), num_particles)


def exact_mean(function, num_particles):
    """Return the mean of a function of the log weights, `(…, num_particles)`, as a function of the parameters."""
    points, areas = np.polynomial.legendre.leggauss(80)
    points, areas = 7 * points, 7 * areas
    index = np.array(list(itertools.product(range(len(points)), repeat=num_particles)))

    def bound(theta):
        log_q = _log_normal(points, theta[0], jnp.exp(theta[1]))
        log_weights = (_log_normal(points, theta[2], 1.0) + _log_normal(DATUM, points, 1.0) - log_q)[index]
        chances = jnp.exp(jnp.sum(log_q[index], axis=1)) * np.prod(areas[index], axis=1)
        return chances @ function(log_weights)

    return bound


def bound_of(log_weights, alpha):
    """Return the objective of given particles, which are the last axis; by the formula as it is printed."""
    if alpha == 1:
        return jnp.mean(log_weights, axis=-1)
    return jnp.log(jnp.mean(jnp.exp((1 - alpha) * log_weights), axis=-1)) / (1 - alpha)


def _log_normal(x, mean, scale):
    return -0.5 * ((x - mean) / scale) ** 2 - jnp.log(scale) - 0.5 * np.log(2 * np.pi)
