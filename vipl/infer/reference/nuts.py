"""NumPyro's NUTS on a vipl program."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.errors import DensityError
from vipl._core.source import user_source
from vipl.guides.unconstrained import Unconstrained
from vipl.infer.draws.predict import recorded

TRIES = 16  # places where a chain may start
_WITHIN = 2.0  # of zero, in unconstrained coordinates


@dataclasses.dataclass(frozen=True, eq=False)
class Chains:
    """What NUTS drew.

    Attributes:
        draws: by address, latent and deterministic values, `(num_chains, num_samples, …)`.
        num_divergences: of all transitions that were kept.
    """

    draws: dict
    num_divergences: int


def run_nuts(target: Unconstrained, guide_draws: dict, key, *, num_warmup, num_samples, num_chains) -> Chains:
    """Sample a posterior with NUTS, half of the chains from draws of a guide and half from anywhere.

    Args:
        target: the model in unconstrained coordinates.
        guide_draws: draws of the guide, `16 num_chains` of them, by address.
        key: a key.
        num_warmup: transitions in which the step size and the metric are found, dropped.
        num_samples: transitions that are kept, of each chain.
        num_chains: how many chains.

    Raises:
        DensityError: the density is zero wherever a chain might start.
    """
    from numpyro.infer import MCMC, NUTS

    key_start, key_run, key_values = jax.random.split(key, 3)
    starts = _starts(target, guide_draws, key_start, num_chains)
    kernel = NUTS(potential_fn=lambda vector: -target.log_density_of_vector(vector))
    options = {"num_warmup": num_warmup, "num_samples": num_samples, "num_chains": num_chains}
    sampler = MCMC(kernel, **options, chain_method="vectorized", progress_bar=False)
    sampler.run(key_run, init_params=starts[0] if num_chains == 1 else starts, extra_fields=("diverging",))
    vectors = sampler.get_samples(group_by_chain=True)
    draws = _values(target, jax.random.split(key_values, vectors.shape[:2]), vectors)
    return Chains(jax.tree.map(np.asarray, draws), int(np.sum(sampler.get_extra_fields()["diverging"])))


@jax.jit
def _values(target, keys, vectors):
    def one(key, vector):
        return recorded(target.program, target.coordinates.constrain(vector)[0], key)

    return jax.vmap(jax.vmap(one))(keys, vectors)


def _starts(target, guide_draws, key, num_chains):
    shape = (num_chains * TRIES, target.coordinates.size)
    anywhere = jax.random.uniform(key, shape, target.coordinates.dtype, -_WITHIN, _WITHIN)
    from_guide = jax.vmap(lambda choices: target.coordinates.unconstrain(choices)[0])(guide_draws)
    groups = [np.asarray(vectors)[np.asarray(_is_fine(target, vectors))] for vectors in (from_guide, anywhere)]
    if not any(map(len, groups)):
        raise DensityError(
            f"NUTS finds no place to start: the density of {target.program.name} is zero, or its gradient not finite, "
            "at draws of the guide and near zero.",
            where=user_source(),
            fix="data inside of the supports; posterior.diagnose() names a term that is always -inf",
        )
    groups = [group for group in groups if len(group)]
    return jnp.stack([groups[i % len(groups)][i % len(groups[i % len(groups)])] for i in range(num_chains)])


@jax.jit
def _is_fine(target, vectors):
    values, gradients = jax.vmap(jax.value_and_grad(target.log_density_of_vector))(vectors)
    return jnp.isfinite(values) & jnp.all(jnp.isfinite(gradients), axis=-1)
