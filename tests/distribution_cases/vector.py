"""Distributions of vectors and matrices."""

import jax.numpy as jnp
import numpy as np
import scipy.stats as st

import vipl.distributions as dist
from distribution_cases.case import BAD_MATRIX, COVARIANCE, MATRIX, SIMPLEX, TWO, Case, V


def _state_space(scale):
    return dist.GaussianStateSpace(3, jnp.eye(2), scale_tril=scale[..., None, None] * jnp.eye(2))


CASES = {
    "CAR": Case(lambda loc, tau: dist.CAR(loc, 0.5, tau, np.ones((3, 3)) - np.eye(3)), (V([0.0, 1.0, 2.0]), V(1.5))),
    "CirculantNormal": Case(
        lambda loc: dist.CirculantNormal(loc, covariance_row=jnp.array([2.0, 0.5, 0.2, 0.5])),
        (np.arange(4.0),),
    ),
    "Dirichlet": Case(dist.Dirichlet, (V([[0.7, 1.5, 2.0], [3.0, 2.0, 1.0]]),), V([0.5, 0.4, 0.3])),
    "GaussianRandomWalk": Case(lambda s: dist.GaussianRandomWalk(s, 3), (TWO,)),
    "GaussianStateSpace": Case(_state_space, (V(0.7),)),
    "InverseWishart": Case(lambda s: dist.InverseWishart(4.0, scale_tril=s), (MATRIX,), BAD_MATRIX),
    "InverseWishartCholesky": Case(
        lambda s: dist.InverseWishartCholesky(4.0, scale_tril=s), (MATRIX,), V([[1.0, 0.5], [0.0, 1.0]])
    ),
    "LKJ": Case(lambda c: dist.LKJ(2, c), (TWO,), BAD_MATRIX),
    "LKJCholesky": Case(lambda c: dist.LKJCholesky(2, c), (TWO,), V([[1.0, 0.0], [0.5, 0.5]])),
    "LowRankMultivariateNormal": Case(
        dist.LowRankMultivariateNormal, (np.zeros(3), V([[0.5], [1.0], [0.2]]), V([0.7, 1.0, 1.6]))
    ),
    "MatrixNormal": Case(
        lambda loc, row, column: dist.MatrixNormal(loc, row, column), (np.zeros((2, 2)), MATRIX, MATRIX)
    ),
    "MultivariateNormal": Case(
        lambda loc, s: dist.MultivariateNormal(loc, scale_tril=s),
        (V([0.5, -1.0]), MATRIX),
        None,
        lambda d: st.multivariate_normal(d.loc, COVARIANCE),
    ),
    "MultivariateNormal-covariance": Case(dist.MultivariateNormal, (np.zeros((3, 2)), COVARIANCE)),
    "MultivariateStudentT": Case(
        lambda df, loc, s: dist.MultivariateStudentT(df, loc, s),
        (V(4.0), V([0.5, -1.0]), MATRIX),
        None,
        lambda d: st.multivariate_t(d.loc, COVARIANCE, df=4.0),
    ),
    "ProjectedNormal": Case(dist.ProjectedNormal, (V([0.5, 1.0, 0.2]),), V([1.0, 1.0, 1.0])),
    "RelaxedOneHotCategoricalLogits": Case(
        dist.RelaxedOneHotCategoricalLogits, (V(0.7), np.log(SIMPLEX)), V([0.5, 0.4, 0.3])
    ),
    "SineBivariateVonMises": Case(
        lambda loc: dist.SineBivariateVonMises(loc, 0.5, 2.0, 3.0, 1.0), (V(0.3),), V([0.0, 4.0])
    ),
    "Wishart": Case(
        lambda s: dist.Wishart(4.0, scale_tril=s),
        (MATRIX,),
        BAD_MATRIX,
        lambda d: st.wishart(4.0, COVARIANCE),
    ),
    "WishartCholesky": Case(lambda s: dist.WishartCholesky(4.0, scale_tril=s), (MATRIX,), V([[1.0, 0.5], [0.0, 1.0]])),
    "ZeroSumNormal": Case(lambda s: dist.ZeroSumNormal(s, (4,)), (V(0.7),), V([1.0, 1.0, 1.0, 1.0])),
}
