"""What variational inference needs and NumPyro lacks: one-hot categories, their relaxation, log gammas."""

from vipl.distributions.extra.log_gamma import LogGamma
from vipl.distributions.extra.one_hot import OneHotCategorical, OneHotCategoricalLogits, OneHotCategoricalProbs
from vipl.distributions.extra.relaxed_one_hot import RelaxedOneHotCategorical, RelaxedOneHotCategoricalLogits

__all__ = [
    "LogGamma",
    "OneHotCategorical",
    "OneHotCategoricalLogits",
    "OneHotCategoricalProbs",
    "RelaxedOneHotCategorical",
    "RelaxedOneHotCategoricalLogits",
]
