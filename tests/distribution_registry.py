"""One small instance of every distribution, for the laws that hold for all of them.

`CASES` maps a name to a `Case`: how to build it (from float parameters, so that derivatives can be taken), a
value outside its support, and what SciPy calls it. `EXCLUDED` says which names of
`numpyro.distributions` are no instances, and why.
"""

import functools

import jax
import numpy as np
from distribution_cases import compound, discrete, scalar, vector

CASES = {**scalar.CASES, **discrete.CASES, **vector.CASES, **compound.CASES}

FUNCTIONS = "a function that returns one of the classes here"
EXCLUDED = {
    "Distribution": "the abstract base",
    "biject_to": "not a distribution",
    "constraints": "not a distribution",
    "kl_divergence": "not a distribution",
    "transforms": "not a distribution",
    **dict.fromkeys(
        [
            "Bernoulli",
            "Binomial",
            "Categorical",
            "Geometric",
            "HurdleDistribution",
            "Mixture",
            "Multinomial",
            "NegativeBinomial",
            "OneHotCategorical",
            "RelaxedBernoulli",
            "RelaxedOneHotCategorical",
            "TruncatedCauchy",
            "TruncatedDistribution",
            "TruncatedGamma",
            "TruncatedNormal",
            "ZeroInflatedDistribution",
        ],
        FUNCTIONS,
    ),
}


@functools.cache
def sampled(name):
    """Draw three of a case by NumPyro's own sampler, made once for all tests; shape `(3, *batch, *event)`."""
    return np.asarray(CASES[name].make().sample(jax.random.key(3), (3,)))
