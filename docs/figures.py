"""The figures of the pages, into `docs/images`: python docs/figures.py."""

import pathlib

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
import optax

import vipl
import vipl.distributions as dist
from vipl import guides

matplotlib.use("Agg")
IMAGES = pathlib.Path(__file__).with_name("images")


@vipl.program
def line(x, y=None):
    """The line of the page on whether a fit worked."""
    slope = vipl.sample("slope", dist.Normal(0.0, 5.0))
    offset = vipl.sample("offset", dist.Normal(0.0, 5.0))
    noise = vipl.sample("noise", dist.HalfNormal(2.0))
    with vipl.plate("datum", len(x)):
        vipl.sample("y", dist.Normal(offset + slope * x, noise), obs=y)


@vipl.program
def total(y):
    """Two values of which the sum is seen."""
    a = vipl.sample("a", dist.Normal(0.0, 1.0))
    b = vipl.sample("b", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(a + b, 0.3), obs=y)


def save(axes, name: str) -> None:
    """Write the figure that some Axes are of."""
    IMAGES.mkdir(exist_ok=True)
    np.ravel(axes)[0].figure.savefig(IMAGES / name, dpi=110)


def main() -> None:
    """Fit, and draw."""
    random = np.random.default_rng(0)
    x = jnp.asarray(random.uniform(-0.63, 1.37, 200))
    y = 1.0 + 2.0 * x + jnp.asarray(0.5 * random.normal(size=200))
    model = line(x, y)
    posterior = vipl.infer(model, guides.MeanField(), key=jax.random.key(0), num_steps=2000, progress=False)
    save(posterior.plot_objective(), "objective.png")
    reference = posterior.check_against_nuts(jax.random.key(3)).draws
    save(posterior.plot_density(reference=reference), "densities.png")
    options = {"optimizer": optax.adam(0.02), "num_steps": 500, "progress": False}
    calibration = vipl.sbc(total(0.0), guides.MeanField(), key=jax.random.key(0), **options)
    save(calibration.plot(), "calibration.png")


if __name__ == "__main__":
    main()
