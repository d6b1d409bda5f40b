"""An equation that diffrax solves inside of a program: a gradient passes through the solver to the rates."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import vipl
import vipl.distributions as dist
from vipl import guides

TIMES = np.linspace(0.0, 8.0, 17, dtype=np.float32)


def growth(rate, capacity, start):
    """Return a population that grows at a rate until there is no more room."""
    return diffrax.diffeqsolve(
        diffrax.ODETerm(lambda time, size, args: rate * size * (1.0 - size / capacity)),
        diffrax.Tsit5(),
        t0=TIMES[0],
        t1=TIMES[-1],
        dt0=0.1,
        y0=start,
        saveat=diffrax.SaveAt(ts=jnp.asarray(TIMES)),
    ).ys


@vipl.program
def model(sizes=None):
    rate = vipl.sample("rate", dist.LogNormal(0.0, 0.5))
    capacity = vipl.sample("capacity", dist.LogNormal(2.0, 0.5))
    start = vipl.sample("start", dist.LogNormal(0.0, 0.5))
    noise = vipl.sample("noise", dist.LogNormal(-2.0, 0.5))
    with vipl.plate("time", len(TIMES)):
        vipl.sample("size", dist.LogNormal(jnp.log(growth(rate, capacity, start)), noise), obs=sizes)


truth = {"rate": 0.9, "capacity": 9.0, "start": 0.7}
exact = np.asarray(growth(**truth))
sizes = exact * np.exp(0.1 * np.random.default_rng(1).normal(size=len(TIMES))).astype(np.float32)

posterior = vipl.infer(model(sizes), guides.FullRank(), key=jax.random.key(0), num_steps=1500, progress=False)
draws = posterior.sample(jax.random.key(1), 1000)
for name, value in truth.items():
    print(f"{name}: {draws[name].mean():.2f} ± {draws[name].std():.2f}, true {value}")
