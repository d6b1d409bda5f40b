"""`strategy`: which estimators serve a distribution, and which one `Auto` takes."""

from __future__ import annotations

import dataclasses
import inspect
import warnings

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Distribution

from vipl import estimators
from vipl._core.errors import BiasWarning, EstimatorError, ProgramError
from vipl.distributions.mended import mended
from vipl.lang.sample import sample
from vipl.transform.expectation import expectation
from vipl.transform.explain import explain_plan


@dataclasses.dataclass(frozen=True)
class Strategy:
    """How the derivative of an expectation passes through a choice of one distribution.

    Attributes:
        distribution: name of its class.
        picked: the estimator that `Auto` takes where the objective is smooth and treats elements separately; None
            where there is none.
        why: why this one, or why none.
        served: names of all estimators that serve it.
        refused: why not, by the names of the others.

    Example:
        >>> import vipl.distributions as dist
        >>> from vipl.testing import strategy
        >>> coin = strategy(dist.Bernoulli(0.3))
        >>> coin.picked, "Reparam" in coin.refused
        ('Enumerate', True)
    """

    distribution: str
    picked: str | None
    why: str
    served: tuple[str, ...]
    refused: dict[str, str]


def strategy(distribution: Distribution) -> Strategy:
    """Say which estimators serve a distribution as the distribution of a choice.

    All its floating-point parameters count as differentiated, so that a support that they move has no score.

    Args:
        distribution: an instance; of its parameters only which there are matters.

    Returns:
        A `Strategy`.

    Example:
        >>> import vipl.distributions as dist
        >>> from vipl import testing
        >>> found = testing.strategy(dist.Poisson(2.0))
        >>> found.picked, "MeasureValued" in found.served, found.refused["Reparam"]
        ('ScoreFunction', True, 'its values are discrete, so that a draw has no derivative')
    """
    leaves, structure = jax.tree.flatten(mended(distribution))
    leaves = [np.asarray(leaf) for leaf in leaves]
    traced = [jnp.issubdtype(leaf.dtype, np.floating) for leaf in leaves]

    def objective(moving):
        moving = iter(moving)
        given = [next(moving) if is_traced else leaf for leaf, is_traced in zip(leaves, traced, strict=True)]
        return jnp.sum(sample("x", jax.tree.unflatten(structure, given)) * 1.0)

    name = type(distribution).__name__
    moving = [jnp.asarray(leaf) for leaf, is_traced in zip(leaves, traced, strict=True) if is_traced]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BiasWarning)
            plan = expectation(objective)._plan((moving,), {})
    except (EstimatorError, ProgramError) as error:
        return Strategy(name, None, error.what.replace("site 'x'", "a site"), (), {})
    (row,), (path,) = explain_plan(plan).choices, plan.estimators
    refusals = {n: e.refusal(plan.located(path).statement) for n, e in _all_estimators().items()}
    served = tuple(n for n, reason in refusals.items() if reason is None)
    refused = {n: reason for n, reason in refusals.items() if reason is not None}
    return Strategy(name, row.estimator.split("(")[0], row.reason, served, refused)


_ARGUMENTS = {
    "GumbelSoftmax": {"biased": True},
    "StraightThrough": {"biased": True},
    "Unscored": {"biased": True},
    "RELAX": {"function": jnp.sin},
}


def _all_estimators() -> dict[str, estimators.Estimator]:
    """Return an instance of every estimator, by name."""
    found = {name: getattr(estimators, name) for name in estimators.__all__}
    return {
        name: cls(**_ARGUMENTS.get(name, {}))
        for name, cls in found.items()
        if inspect.isclass(cls)
        and issubclass(cls, estimators.Estimator)
        and cls.weigh is not estimators.Estimator.weigh
    }
