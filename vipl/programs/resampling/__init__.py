"""Resampling: the laws of the particles' ancestors, with exact log probabilities, also given a retained particle.

>>> import jax, jax.numpy as jnp
>>> law = SCHEMES["systematic"].law(jnp.log(jnp.array([0.5, 0.25, 0.25])))
>>> law.sample(jax.random.key(0)).shape, bool(jnp.isfinite(law.log_prob(law.sample(jax.random.key(0)))))
((3,), True)
"""

from vipl.programs.resampling.multinomial import ConditionalMultinomialAncestors, MultinomialAncestors
from vipl.programs.resampling.schemes import SCHEMES, Scheme
from vipl.programs.resampling.stratified import ConditionalStratifiedAncestors, StratifiedAncestors
from vipl.programs.resampling.systematic import ConditionalSystematicAncestors, SystematicAncestors

__all__ = [
    "SCHEMES",
    "ConditionalMultinomialAncestors",
    "ConditionalStratifiedAncestors",
    "ConditionalSystematicAncestors",
    "MultinomialAncestors",
    "Scheme",
    "StratifiedAncestors",
    "SystematicAncestors",
]
