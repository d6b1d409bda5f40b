"""`Importance`: inference by importance sampling."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax

from vipl._core import ambient
from vipl._core.errors import ParameterError
from vipl._core.source import user_source
from vipl.lang.program import Program
from vipl.lang.site import SampleStatement
from vipl.programs.auxiliary import index_of_particle
from vipl.programs.importance.marginal import MarginalByImportance
from vipl.programs.importance.normalize import NormalizedByImportance
from vipl.programs.proposals import own_proposal, users_proposal
from vipl.programs.staged import Relabel, as_body, bind_program, evidence, free_name, latent_sites, stage_inside


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Importance:
    """Inference by importance sampling, with particles from a proposal.

    In `vipl.marginal` the particles are of the sites that are integrated out, in `vipl.normalize` of all latent sites;
    there one of them is drawn, at address `"index"`, enumerated inside an expectation unless told otherwise.

    Args:
        proposal: a Program that samples exactly these sites; in `vipl.marginal` it may be a function that returns one,
            of the values of the kept sites by address. None proposes from the program itself: from the distribution of
            each site given those before it.
        num_particles: at least 1. The error of the log density falls as its inverse.

    Raises:
        ParameterError: the number of particles is not a positive int.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model():
        ...     x = vipl.sample("x", dist.Normal(0.0, 1.0))
        ...     vipl.sample("y", dist.Normal(x, 1.0), obs=1.0)
        >>> @vipl.program
        ... def proposal(loc):
        ...     vipl.sample("x", dist.Normal(loc, 1.0))
        >>> posterior = vipl.normalize(model(), vipl.Importance(proposal(0.5), num_particles=8))
        >>> list(vipl.simulate(posterior, jax.random.key(0)))
        ['x']

    Source: Burda et al. 2016, arXiv 1509.00519; Becker et al. 2024, arXiv 2406.15742, §5.
    """

    proposal: Any = None
    num_particles: int = dataclasses.field(default=10, metadata={"static": True})

    def __post_init__(self):
        number = self.num_particles
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ParameterError(
                f"Importance needs at least one particle, and got num_particles={number!r}.",
                where=user_source(),
                fix="vipl.Importance(num_particles=10)",
            )

    def integrate(self, program, keep):
        """Run the marginal of a program in the program that is being staged; returns what the program returns."""
        staged, here = stage_inside(program, "vipl.marginal"), ambient.current().scope
        rule = MarginalByImportance(
            self.num_particles, not isinstance(self.proposal, Program), keep, bool(evidence(staged))
        )
        kept = {here + name for name in keep}

        def integrated(statement):
            return isinstance(statement, SampleStatement) and not statement.observed and statement.address not in kept

        model = as_body(staged, Relabel(rule, here, integrated, here))
        return bind_program(rule, staged, [model, *self._proposals(staged, rule, keep, "vipl.marginal")])

    def posterior(self, program):
        """Run the posterior of a program in the program that is being staged; returns what the program returns."""
        staged, here = stage_inside(program, "vipl.normalize"), ambient.current().scope
        names = tuple(dict.fromkeys(s.statement.address.removeprefix(here) for s in latent_sites(staged)))
        rule = NormalizedByImportance(self.num_particles, names)
        speaks = {located.statement.address for located in evidence(staged)}
        model = as_body(staged, Relabel(rule, here, lambda statement: statement.address in speaks, here))
        index = index_of_particle(rule, free_name(staged, here, "index").removesuffix("/"), self.num_particles)
        proposal, *weighed = self._proposals(staged, rule, (), "vipl.normalize")
        return bind_program(rule, staged, [model, proposal, index, *weighed])

    def _proposals(self, staged, rule, keep, purpose):
        """Return the program that proposes, and the copy that weighs its draws, if it is the user's."""
        here = ambient.current().scope
        particles = free_name(staged, here, "particles")
        if self.proposal is None:
            return [own_proposal(staged, rule, keep, particles)]
        weighed = own_proposal(staged, rule, keep, free_name(staged, here, "weighed"), drawn=False)
        return [users_proposal(self.proposal, staged, rule, keep, particles, purpose), weighed]
