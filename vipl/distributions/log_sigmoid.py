"""The logarithm of the logistic function, with a derivative as short as by hand.

>>> import jax
>>> from vipl.distributions.log_sigmoid import log_sigmoid
>>> jax.grad(log_sigmoid)(0.0).item()
0.5
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.custom_jvp
def log_sigmoid(x):
    """Return log(1 / (1 + exp(−x))): no overflow for any x, right at ±inf, its derivative too, at every order.

    `jax.nn.log_sigmoid` takes twice the time on a CPU: it guards each end with selects of its own.
    """
    x = jnp.asarray(x, jnp.result_type(float, x))
    return jnp.minimum(x, 0) - jnp.log1p(jnp.exp(-jnp.abs(x)))


log_sigmoid.defjvps(lambda tangent, result, x: tangent * lax.logistic(-x))
