"""Table 4: five bounds of the log evidence. Each is an objective, a guide, where it starts, and a batch.

The hierarchical ones need no objective of their own: they are the same two, of a guide that is a marginal.
"""

import dataclasses
from collections.abc import Callable

import programs
from programs import MODEL, naive

import vipl
from vipl.objectives import elbo, iwelbo


@dataclasses.dataclass(frozen=True)
class Row:
    """One bound.

    Attributes:
        name: as in the paper.
        objective: what is maximised.
        guide: a function of the parameters, which gives a program.
        start: the parameters at the start.
        batch: samples in each step.
        paper: the value in the paper, in nats.
    """

    name: str
    objective: vipl.Expectation
    guide: Callable
    start: tuple
    batch: int
    paper: float


def expressive(num_particles):
    return lambda params: programs.expressive(params, num_particles)


N = M = 5  # particles of (x, y), and of u for each of them
ROWS = (
    Row("ELBO, naive", elbo, naive, (0.0, 0.0, 1.0, 1.0), 64, paper=-8.08),
    Row("IWELBO n=5, naive", iwelbo(N), naive, (3.0, 0.0, 1.0, 1.0), 1, paper=-7.79),
    Row("HVI, expressive", elbo, expressive(1), (0.0, 0.0), 64, paper=-9.75),
    Row("IWHVI m=5", elbo, expressive(M), (0.0, 0.0), 64, paper=-8.18),
    Row("DIWHVI m=5, n=5", iwelbo(N), expressive(M), (0.0, 0.0), 64, paper=-7.33),
)


def posterior(row, params):
    """What a row has learnt: its guide, or what an importance-weighted bound resamples from the guide's draws."""
    guide = row.guide(params)
    return guide if row.objective is elbo else vipl.normalize(MODEL, vipl.Importance(guide, num_particles=N))
