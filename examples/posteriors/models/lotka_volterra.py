"""Hares and lynxes in twenty years of Hudson's Bay Company: predator and prey, an ordinary differential equation."""

import jax
import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist

SUBSTEPS = 40  # of Runge-Kutta's fourth order, in a year


@vipl.program
def lotka_volterra(y_init, y):
    """`y`: prey and predators at the end of each year, `(n, 2)`."""
    loc, scale = jnp.array([1.0, 0.05, 1.0, 0.05]), jnp.array([0.5, 0.05, 0.5, 0.05])
    theta = vipl.sample("theta", dist.TruncatedNormal(loc, scale, low=0.0))
    z_init = vipl.sample("z_init", dist.LogNormal(jnp.log(10.0), 1.0).expand([2]))
    sigma = vipl.sample("sigma", dist.LogNormal(-1.0, 1.0).expand([2]))
    vipl.sample("y_init", dist.LogNormal(jnp.log(z_init), sigma), obs=y_init)
    z = solve(theta, z_init, len(y))
    with vipl.plate("year", len(y), dim=-2):
        vipl.sample("y", dist.LogNormal(jnp.log(z), sigma), obs=y)


def solve(theta, z, years):
    """Return prey and predators at the end of each year, `(years, 2)`."""

    def growth(z):
        prey, predators = z
        return jnp.array([(theta[0] - theta[1] * predators) * prey, (-theta[2] + theta[3] * prey) * predators])

    def substep(z, _):
        h = 1 / SUBSTEPS
        k1 = growth(z)
        k2 = growth(z + h / 2 * k1)
        k3 = growth(z + h / 2 * k2)
        k4 = growth(z + h * k3)
        return z + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None

    def year(z, _):
        z, _ = jax.lax.scan(substep, z, length=SUBSTEPS)
        return z, z

    return jax.lax.scan(year, z, length=years)[1]


def model():
    data = read("lotka_volterra")["data"]
    return lotka_volterra(jnp.array(data["y_init"], float), jnp.array(data["y"]))
