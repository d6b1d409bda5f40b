"""Which families and contexts an estimator is put through."""

from __future__ import annotations

import warnings

import jax
import numpy as np

from vipl._core.errors import BiasWarning, EstimatorError, ParameterError, did_you_mean
from vipl.estimators import Estimator, Reparam
from vipl.testing.cell import Cell
from vipl.testing.contexts import CONTEXTS, Context
from vipl.testing.families import FAMILIES, Family


def check_is_estimator(estimator) -> None:
    """Refuse what is no estimator, or one whose `weigh` would never be called."""
    if not isinstance(estimator, Estimator):
        raise EstimatorError(
            f"check_estimator got {estimator!r}.",
            fix="an instance of a subclass of vipl.estimators.Estimator",
        )
    if isinstance(estimator, Reparam) and type(estimator).weigh is not Reparam.weigh:
        raise EstimatorError(
            f"{type(estimator).__name__} subclasses Reparam, which vipl takes for the plain pathwise estimator: "
            "its own weigh is never called.",
            fix="subclass Estimator, with `pathwise = True`",
        )


def families_for(estimator: Estimator, asked=None) -> tuple[list[Family], dict[str, str]]:
    """Return the families that were asked for, or all that an estimator serves; and why it refuses the others.

    Raises:
        ParameterError: an unknown name; a family whose density does not integrate to one.
        EstimatorError: it refuses every family.
    """
    if asked is not None:
        families = [_named(family, FAMILIES, Family, "family") for family in asked]
        for family in families:
            if FAMILIES.get(family.name) is not family:
                _check_mass(family)
        return families, {}
    reasons = {family.name: _refusal(estimator, family) for family in FAMILIES.values()}
    refused = {name: reason for name, reason in reasons.items() if reason is not None}
    if len(refused) == len(FAMILIES):
        raise EstimatorError(
            f"{estimator!r} refuses every family. Of {next(iter(refused))}: {next(iter(refused.values()))}",
            fix="check_estimator(…, families=[vipl.testing.Family(…)]) with a distribution that it serves; "
            "or return None from its `refusal` where it does",
        )
    return [family for family in FAMILIES.values() if family.name not in refused], refused


def contexts_for(asked=None) -> list[Context]:
    """Return the contexts that were asked for, or all."""
    return [_named(c, CONTEXTS, Context, "context") for c in (CONTEXTS if asked is None else asked)]


def _named(asked, registry: dict, kind: type, noun: str):
    if isinstance(asked, kind):
        return asked
    if asked not in registry:
        raise ParameterError(f"there is no {noun} {asked!r}." + did_you_mean(str(asked), registry))
    return registry[asked]


def _check_mass(family: Family) -> None:
    for factor in (0.5, 1.0, 1.55):
        theta = factor * np.array(family.theta)
        mass = float(family.expect(theta, lambda u: u * 0 + 1))
        if not abs(mass - 1) <= 1e-3:
            raise ParameterError(
                f"the density of family {family.name!r} integrates to {mass:.4g} at {theta}, not to 1.",
                fix="its nodes, areas and log_density describe one distribution for 0.5 to 1.55 times theta",
            )


def _refusal(estimator: Estimator, family: Family) -> str | None:
    """Return why an estimator refuses a family where it stands alone, or None."""
    cell = Cell(type(estimator).__name__, estimator, family, CONTEXTS["scalar"])
    objective = cell.objective()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BiasWarning)
            jax.eval_shape(jax.value_and_grad(objective, argnums=1), jax.random.key(0), cell.theta)
    except EstimatorError as error:
        return error.what
    except Exception:  # not a refusal but a fault, which the cells will show
        return None
    return None
