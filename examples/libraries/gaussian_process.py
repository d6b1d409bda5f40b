"""A kernel of tinygp: its Gaussian process is a distribution like any other, with latent hyperparameters."""

import jax
import numpy as np
import tinygp

import vipl
import vipl.distributions as dist
from vipl import guides


def process(amplitude, length, noise, x):
    kernel = amplitude**2 * tinygp.kernels.Matern32(length)
    return tinygp.GaussianProcess(kernel, x, diag=noise**2)


@vipl.program
def model(x, y=None):
    amplitude = vipl.sample("amplitude", dist.LogNormal(0.0, 0.5))
    length = vipl.sample("length", dist.LogNormal(0.0, 0.5))
    noise = vipl.sample("noise", dist.LogNormal(-1.5, 0.5))
    prior = process(amplitude, length, noise, x)
    vipl.sample("y", dist.MultivariateNormal(prior.mean, prior.covariance), obs=y)


random = np.random.default_rng(0)
x = np.sort(random.uniform(0.0, 6.0, 40)).astype(np.float32)
y = (np.sin(2.0 * x) + 0.2 * random.normal(size=40)).astype(np.float32)

posterior = vipl.infer(model(x, y), guides.FullRank(), key=jax.random.key(0), num_steps=2000, progress=False)
print(posterior.summary())
means = {name: float(values.mean()) for name, values in posterior.sample(jax.random.key(1), 1000).items()}
fitted = process(**means, x=x).condition(y, np.array([1.0, 3.0], np.float32)).gp
for at, mean, sd in zip((1.0, 3.0), fitted.loc, np.sqrt(fitted.variance), strict=True):
    print(f"at {at}: {mean:.2f} ± {sd:.2f}, true {np.sin(2 * at):.2f}")
