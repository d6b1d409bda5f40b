"""Evaluation of a planned objective: one unbiased estimate, whose ordinary derivative is unbiased too."""

from __future__ import annotations

from vipl._core.interpreter import interpret
from vipl._core.statement import over_lanes
from vipl.distributions.base_noise import transport
from vipl.distributions.subsample import subsample_indices
from vipl.lang.plate import IndicesStatement
from vipl.tracing.noise import draw_noise, noise_in_loop
from vipl.transform.plan import Plan


def evaluate(plan: Plan, key):
    """Run a planned objective.

    Args:
        plan: the plan.
        key: a typed key.

    Returns:
        The result of the objective program.
    """
    results, _ = interpret(plan.staged.jaxpr, plan.staged.consts, [], Evaluate(), draw_noise(key, plan.random))
    return plan.staged.out.fill(results)


class Evaluate:
    """Gives every choice its value, from its noise."""

    rebinds = False

    def __call__(self, path, statement, operands, given):
        """Return the value of a choice or of a plate's indices."""
        if isinstance(given, tuple):
            given = noise_in_loop(*given, statement)
        if isinstance(statement, IndicesStatement):
            draw = over_lanes(
                lambda key: subsample_indices(key, statement.size, statement.shape[0]), statement.lanes, extra=1
            )
            return draw(given), None

        def one(*xs):
            return transport(statement.distribution(xs[:-1]), xs[-1])[0]

        return over_lanes(one, statement.lanes, extra=1)(*operands, given), None

    def at_iteration(self, given, iteration):
        """Return the key of a choice in a `while_loop` with the round."""
        return (given, iteration)
