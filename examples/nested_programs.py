"""Programs as parts of programs: a regression line is one program, used once for each of two groups."""

import jax
import jax.numpy as jnp

import vipl
import vipl.distributions as dist


@vipl.program
def line(x):
    slope = vipl.sample("slope", dist.Normal(0.0, 5.0))
    intercept = vipl.sample("intercept", dist.Normal(0.0, 5.0))
    return intercept + slope * x


@vipl.program
def two_groups(x, y_left=None, y_right=None):
    noise = vipl.sample("noise", dist.HalfNormal(1.0))
    left = vipl.sample("left", line(x))  # sites "left/slope" and "left/intercept"; the line comes back
    right = vipl.sample("right", line(x))
    with vipl.plate("point", x.shape[0]):
        vipl.sample("y_left", dist.Normal(left, noise), obs=y_left)
        vipl.sample("y_right", dist.Normal(right, noise), obs=y_right)


x = jnp.linspace(-1.0, 1.0, 20)
truth = {"noise": 0.1, "left/slope": 2.0, "left/intercept": 0.5, "right/slope": -1.0, "right/intercept": 0.0}
data = vipl.simulate(two_groups(x) | truth, jax.random.key(0))
posterior = vipl.infer(two_groups(x, data["y_left"], data["y_right"]), key=jax.random.key(1), progress=False)
print(posterior.summary())
