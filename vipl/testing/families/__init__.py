"""Families of distributions whose expectations are known exactly, by enumeration or quadrature.

To add one, write a `Family` in `discrete` or `continuous` and name it here. Nothing in this folder uses vipl but to
name the distribution whose estimator is under test.
"""

from vipl.testing.families.continuous import (
    BETA,
    DIRICHLET,
    EXPONENTIAL,
    GAMMA,
    GAMMA_RATE,
    LOG_NORMAL,
    NORMAL,
    NORMAL_MIXTURE,
    UNIFORM,
)
from vipl.testing.families.discrete import BERNOULLI, BINOMIAL, CATEGORICAL, GEOMETRIC, ONE_HOT, PAIR, POISSON
from vipl.testing.families.family import Family

FAMILIES = {
    family.name: family
    for family in (
        BERNOULLI,
        CATEGORICAL,
        PAIR,
        ONE_HOT,
        BINOMIAL,
        POISSON,
        GEOMETRIC,
        NORMAL,
        LOG_NORMAL,
        EXPONENTIAL,
        GAMMA,
        GAMMA_RATE,
        BETA,
        DIRICHLET,
        UNIFORM,
        NORMAL_MIXTURE,
    )
}

__all__ = [
    "BERNOULLI",
    "BETA",
    "BINOMIAL",
    "CATEGORICAL",
    "DIRICHLET",
    "EXPONENTIAL",
    "FAMILIES",
    "GAMMA",
    "GAMMA_RATE",
    "GEOMETRIC",
    "LOG_NORMAL",
    "NORMAL",
    "NORMAL_MIXTURE",
    "ONE_HOT",
    "PAIR",
    "POISSON",
    "UNIFORM",
    "Family",
]
