"""The noisy cone of Becker et al. 2024, figure 2: a model and two guides.

The posterior is a ring. The naive guide is a blob; the expressive one follows the ring by a random angle, which the
model does not have: as a guide it is the marginal of x and y, whose density is an estimate.
"""

import jax.numpy as jnp

import vipl
import vipl.distributions as dist

Z = 5.0


@vipl.program
def cone(z):
    """A noisy measurement z of the squared distance of (x, y) from the origin."""
    x = vipl.sample("x", dist.Normal(0.0, 10.0))
    y = vipl.sample("y", dist.Normal(0.0, 10.0))
    r = x**2 + y**2
    vipl.sample("z", dist.Normal(r, 0.1 + r / 100), obs=z)


@vipl.program
def naive(params):
    loc_x, loc_y, log_scale_x, log_scale_y = params
    vipl.sample("x", dist.Normal(loc_x, jnp.exp(log_scale_x)))
    vipl.sample("y", dist.Normal(loc_y, jnp.exp(log_scale_y)))


@vipl.program
def around(params, z):
    """A point near the circle of radius √z, at the angle 2πu."""
    log_scale_x, log_scale_y = params
    u = vipl.sample("u", dist.Uniform(0.0, 1.0))
    vipl.sample("x", dist.Normal(jnp.sqrt(z) * jnp.cos(2 * jnp.pi * u), jnp.exp(log_scale_x)))
    vipl.sample("y", dist.Normal(jnp.sqrt(z) * jnp.sin(2 * jnp.pi * u), jnp.exp(log_scale_y)))


def expressive(params, num_particles):
    """The law of x and y in `around`: u is integrated out, by importance sampling."""
    return vipl.marginal(around(params, Z), keep=["x", "y"], inference=vipl.Importance(num_particles=num_particles))


MODEL = cone(Z)
