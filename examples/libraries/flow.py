"""A flow of flowjax as a guide, trained in place of vipl's own."""

import jax
import numpy as np
from flowjax.distributions import StandardNormal
from flowjax.flows import coupling_flow

import vipl
import vipl.distributions as dist
from vipl import guides


@vipl.program
def banana(y):
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    z = vipl.sample("z", dist.Normal(x**2, 0.5))
    vipl.sample("y", dist.Normal(z, 0.5), obs=y)


def make_flow(size):
    return coupling_flow(jax.random.key(0), base_dist=StandardNormal((size,)), invert=False, flow_layers=4, nn_width=16)


model = banana(1.0)
for name, guide in (("full rank", guides.FullRank()), ("flowjax", guides.Flow(flow=make_flow))):
    posterior = vipl.infer(model, guide, key=jax.random.key(0), num_steps=3000, progress=False)
    print(f"{name}: elbo {posterior.elbo:.2f}, khat {posterior.khat:.2f}")

grid = np.linspace(-4.0, 4.0, 4001)
normal = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
given = np.exp(-((1.0 - grid**2) ** 2) / (2 * 0.5)) / np.sqrt(2 * np.pi * 0.5)
print(f"log evidence: {np.log(np.trapezoid(normal * given, grid)):.2f}")
