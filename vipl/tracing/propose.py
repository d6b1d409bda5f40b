"""`propose`: a draw of a program as a proposal, in whose distribution nothing is differentiated."""

from __future__ import annotations

from jax import lax

from vipl.tracing.meaning import score
from vipl.tracing.record import run
from vipl.tracing.simulate import Choose, check_program, choose
from vipl.tracing.survey import survey
from vipl.tracing.trace import Trace


def propose(program) -> Trace:
    """Return a draw inside an expectation, as `simulate` does, whose derivative is that of its density at fixed values.

    The parameters that each site is drawn with are stopped, those that the program reaches by closure too, so that any
    estimator serves: none has anything to differentiate. The density at the values drawn keeps its derivative.

    Args:
        program: a Program.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl.tracing.propose import propose
        >>> @vipl.program
        ... def guide(loc):
        ...     vipl.sample("x", dist.Normal(loc, 1.0))
        >>> value = vipl.expectation(lambda loc: propose(guide(loc))["x"] ** 2)
        >>> jax.grad(value, argnums=1)(jax.random.key(0), 3.0).item()
        0.0
    """
    check_program(program, "simulate")
    surveyed = survey(program)
    return run(surveyed, Propose(surveyed, record=True), {})


class Propose(Choose):
    """Latent sites become choices of stopped distributions."""

    def latent(self, path, statement, leaves, given):
        """Bind the site again with its parameters stopped, and score the value with them as they are."""
        value, _ = choose(statement, lax.stop_gradient(leaves), object(), scored=False)
        # not the choice's own density: its derivative has no mean of zero here, and is wanted
        return value, self.marked(statement, leaves, value, score(statement, leaves, value, guard=False))
