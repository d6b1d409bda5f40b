"""Control flow: loops of Python, scan and cond."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro import handlers
from numpyro.contrib.control_flow import cond, scan

from numpyro_programs.case import normal


def python_loop(y):
    x = 0.0
    for t, y_t in enumerate(y):
        x = numpyro.sample(f"x_{t}", dist.Normal(0.9 * x, 0.5))
        numpyro.sample(f"y_{t}", dist.Poisson(jnp.exp(x)), obs=y_t)


def python_loop_guide(y):
    for t in range(len(y)):
        normal(f"x_{t}")


def state_space(y):
    def step(x, y_t):
        x = numpyro.sample("x", dist.Normal(0.9 * x, 0.5))
        numpyro.sample("y", dist.Normal(x, 1.0), obs=y_t)
        return x, x

    start = numpyro.sample("start", dist.Normal(0.0, 1.0))
    scan(step, start, y)


def state_space_guide(y):
    def step(x, y_t):
        x = numpyro.sample("x", dist.Normal(0.5 * (x + y_t), 0.4))
        return x, None

    scan(step, normal("start"), y)


def conditioned_scan(y):
    def step(x, _):
        x = numpyro.sample("x", dist.Normal(0.9 * x, 0.5))
        numpyro.sample("y", dist.Normal(x, 1.0))
        return x, None

    with handlers.condition(data={"y": y}), handlers.scale(scale=0.5):
        scan(step, numpyro.sample("start", dist.Normal(0.0, 1.0)), None, length=len(y))


def scaled_state_space_guide(y):
    handlers.scale(state_space_guide, scale=0.5)(y)


def branching(y):
    a = numpyro.sample("a", dist.Normal(0.0, 1.0))
    b = cond(
        y[0] > 0,
        lambda a: numpyro.sample("b", dist.Normal(a, 1.0)),
        lambda a: numpyro.sample("b", dist.Normal(-a, 2.0)),
        a,
    )
    numpyro.sample("y", dist.Normal(b, 1.0), obs=y)


def branching_guide(y):
    normal("a")
    normal("b")
