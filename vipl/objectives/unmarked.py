"""The density of a program as plain JAX, to be differentiated inside an objective."""

from __future__ import annotations

from numpyro import distributions as dist
from numpyro.distributions import transforms

from vipl._core.interpreter import interpret
from vipl.lang.program import Program
from vipl.tracing.log_density import Score
from vipl.tracing.meaning import score, total
from vipl.tracing.survey import survey
from vipl.transform.soundness.continuous import continuous


def unmarked_log_density(program: Program, values):
    """Return the log density of values inside an expectation, not named in the objective that is being staged.

    A name is a statement, and has no derivative there. The values are known to fit, and to lie in the supports.

    Args:
        program: a Program.
        values: `{address: value}` for every latent site and subsampled plate.
    """
    surveyed = survey(program)
    staged = surveyed.staged
    located = [s for group in (surveyed.latents, surveyed.indices) for many in group.values() for s in many]
    given = {s.path: values[s.statement.address] for s in located if s.statement.address in values}
    handler = _Unmarked(surveyed, frozenset(surveyed.latents))
    _, outputs = interpret(staged.jaxpr, staged.consts, [], handler, handler.given() | given)
    return total(outputs)


class _Unmarked(Score):
    """Latent sites have the values they are given; only plain log_probs come out."""

    def marked(self, statement, leaves, value, density, of=None):
        """Return the density as it is, or vouched for: its formula compares where its derivative does not jump."""
        del of
        if not _is_smooth(statement.distribution(leaves)):
            return density
        options = {"shared": statement.observed, "guard": statement.address not in self.inside}
        return continuous(lambda *xs: score(statement, xs[:-1], xs[-1], **options))(*leaves, value)


def _is_smooth(distribution) -> bool:
    """Return whether it is known that a log density has a continuous derivative in values and parameters."""
    if isinstance(distribution, (dist.Independent, dist.ExpandedDistribution, dist.MaskedDistribution, *_TRUNCATED)):
        return _is_smooth(distribution.base_dist)
    if isinstance(distribution, dist.MixtureSameFamily):
        return _is_smooth(distribution.component_distribution)
    if isinstance(distribution, dist.TransformedDistribution):
        return _is_smooth(distribution.base_dist) and all(map(_is_smooth_transform, distribution.transforms))
    return type(distribution) in _SMOOTH


def _is_smooth_transform(transform) -> bool:
    if isinstance(transform, transforms.ComposeTransform):
        return all(map(_is_smooth_transform, transform.parts))
    if isinstance(transform, transforms.IndependentTransform):
        return _is_smooth_transform(transform.base_transform)
    return type(transform) in _SMOOTH_TRANSFORMS


_TRUNCATED = (dist.LeftTruncatedDistribution, dist.RightTruncatedDistribution, dist.TwoSidedTruncatedDistribution)
# Those whose formula has no comparison need not be here; Laplace distributions, whose slope jumps, must not.
_SMOOTH = frozenset(
    getattr(dist, name)
    for name in """BernoulliLogits BernoulliProbs Beta BetaBinomial BetaProportion BinomialLogits BinomialProbs
    CategoricalLogits CategoricalProbs Cauchy Dirichlet DirichletMultinomial Gamma GammaPoisson
    GeometricLogits GeometricProbs Gumbel Kumaraswamy LKJCholesky Logistic MultinomialLogits
    MultinomialProbs MultivariateNormal NegativeBinomial2 NegativeBinomialLogits
    NegativeBinomialProbs Normal OrderedLogistic Poisson SoftLaplace StudentT""".split()
)
_SMOOTH_TRANSFORMS = frozenset(
    getattr(transforms, f"{name}Transform")
    for name in "Affine CorrCholesky Exp Identity LowerCholesky Ordered Sigmoid Softplus StickBreaking".split()
)
