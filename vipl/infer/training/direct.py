"""Fits of families that are found directly, without a training loop."""

from __future__ import annotations

from typing import cast

import jax

from vipl._core.errors import ParameterError
from vipl._core.source import user_source
from vipl.guides.direct import DirectFamily
from vipl.infer.posterior import Posterior
from vipl.infer.problem.pose import pose
from vipl.infer.problem.problem import Problem
from vipl.tracing.survey import survey


def solve(model, guide: DirectFamily, key, num_steps: int, objective, **options) -> Posterior:
    """Return the posterior of a family that is found directly.

    Args:
        model: a conditioned Program.
        guide: the family.
        key: a key.
        num_steps: how many steps it may make.
        objective: the Expectation that its bound is measured by.
        options: options of `infer` that it has no use for, by name, None where they are not given.

    Raises:
        ParameterError: one of them is given.
    """
    for name, value in options.items():
        if value is not None:
            raise ParameterError(
                f"{type(guide).__name__} is found without a training loop, and {name}= is given.",
                where=user_source(),
                fix=f"leave {name}= out; or guides.FullRank()",
            )
    problem, params = cast(tuple[Problem, dict], pose(model, guide, None, key))
    own = {name: params[name] for name in problem.model_params}
    filled = model.replace(params=(model.params or {}) | own) if own else model
    solution = guide.solve(survey(filled), filled, jax.random.fold_in(key, 1), num_steps)
    steps = len(solution.history)
    params = params | solution.params
    return Posterior(problem, params, solution.history, solution.status, key, steps, objective=objective)
