"""Finding the site whose term has a gradient that is not finite, though the objective is. Runs only when that happened.

>>> import jax.numpy as jnp
>>> import jax
>>> bool(jnp.isnan(jax.grad(lambda x: jnp.where(x > 0, jnp.sqrt(x), 0.0))(0.0)))
True
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from vipl.tracing.simulate import simulate
from vipl.tracing.site_terms import site_terms
from vipl.transform.expectation import expectation


@dataclasses.dataclass(frozen=True)
class BadGradient:
    """A term whose gradient is not finite.

    Attributes:
        role: whose term, "guide" or "model".
        address: that of its site.
        param: the path of the parameter, such as "['loc']".
        value: the first entry of the gradient that is not finite.
    """

    role: str
    address: str
    param: str
    value: float


@expectation
def _guide_term(model, guide, address):
    del model
    return jnp.sum(simulate(guide).sites[address].log_prob)


@expectation
def _model_term(model, guide, address):
    return jnp.sum(site_terms(model, simulate(guide))[address][1])


def find_bad_gradient(programs, params, key, guide_addresses, model_addresses) -> BadGradient | None:
    """Return the first term, of the guide and then of the model, whose gradient is not finite; None if there is none.

    Args:
        programs: function of params that returns model and guide.
        params: where to differentiate.
        key: a key.
        guide_addresses: the terms of the guide.
        model_addresses: those of the model.
    """
    for role, term, addresses in (("guide", _guide_term, guide_addresses), ("model", _model_term, model_addresses)):
        for address in addresses:
            gradient = jax.grad(_of_params(term, programs, key, address))(params)
            for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
                bad = ~np.isfinite(np.asarray(leaf))
                if np.any(bad):
                    return BadGradient(role, address, jax.tree_util.keystr(path), float(np.asarray(leaf)[bad].flat[0]))
    return None


def _of_params(term, programs, key, address):
    return lambda params: term(key, *programs(params), address)
