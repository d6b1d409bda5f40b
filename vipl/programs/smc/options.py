"""`SMC`: inference by sequential Monte Carlo."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from vipl._core import ambient
from vipl._core.errors import DensityError, ParameterError
from vipl._core.source import user_source
from vipl.estimators import Unscored
from vipl.lang.program import Program
from vipl.lang.site import SampleStatement
from vipl.programs.auxiliary import auxiliary, index_of_particle
from vipl.programs.proposals import own_proposal, users_proposal
from vipl.programs.resampling import SCHEMES
from vipl.programs.segments import segments
from vipl.programs.smc.rules import MarginalBySMC, NormalizedBySMC
from vipl.programs.staged import Relabel, as_body, bind_program, evidence, free_name, latent_sites, stage_inside


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class SMC:
    """Inference by sequential Monte Carlo, for a program with one `jax.lax.scan` whose step draws.

    The particles take each step together and are resampled before the next, so that the error of the log evidence grows
    with the number of steps and not exponentially. The estimate of the evidence has no bias. Prefer it to
    `vipl.Importance` for every state-space program.

    The ancestors are ordinary choices, at `"ancestors"`, with the exact probability of the whole vector for every
    scheme: inside an expectation they get the score function with credit, and the gradient has no bias.

    Args:
        num_particles: N, at least 1.
        proposal: a Program that draws exactly the program's latent sites (in `vipl.marginal` those that are not kept),
            with a scan of the same length whose step draws what the program's step draws; or a function that returns
            one, of the values of the kept sites. None proposes each step from the program itself.
        resampling: "multinomial", "stratified" or "systematic". The last has the least noise in the evidence, and by
            far the most in the score of the ancestors: prefer it where nothing is differentiated, or with "biased".
        threshold: resample only where the effective sample size is below this share of N, in (0, 1]. None resamples
            before each step. The decision is a jump: with a threshold the particles of an objective get the score
            function, unless told otherwise.
        gradient: "unbiased"; or "biased", which leaves the derivative of the ancestors' probabilities out, as is
            common, for less noise: `explain` marks it and a strict expectation refuses it.

    Raises:
        ParameterError: an argument is not one of these.
        ProgramError: the program, or the proposal, has no scan with latent sites, or several; or their lengths differ.

    Example:
        >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def walk(y):
        ...     def step(x, y):
        ...         x = vipl.sample("x", dist.Normal(x, 1.0))
        ...         vipl.sample("y", dist.Normal(x, 0.5), obs=y)
        ...         return x, None
        ...     jax.lax.scan(step, 0.0, y)
        >>> smoothed = vipl.normalize(walk(jnp.array([0.3, 0.8, 1.5])), vipl.SMC(64))
        >>> vipl.simulate(smoothed, jax.random.key(0))["x"].shape
        (3,)

    Source: Andrieu, Doucet and Holenstein 2010, "Particle Markov chain Monte Carlo methods", §2.2 for the evidence and
    §4.3 for the conditional filter; Naesseth et al. 2018, arXiv 1705.11140, for the bound that it makes.
    """

    num_particles: int = dataclasses.field(metadata={"static": True})
    proposal: Any = None
    resampling: str = dataclasses.field(default="multinomial", metadata={"static": True})
    threshold: float | None = dataclasses.field(default=None, metadata={"static": True})
    gradient: str = dataclasses.field(default="unbiased", metadata={"static": True})

    def __post_init__(self):
        number, threshold = self.num_particles, self.threshold
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise _wrong(f"SMC needs at least one particle, and got num_particles={number!r}.", "vipl.SMC(64)")
        if self.resampling not in tuple(SCHEMES):
            raise _wrong(
                f"resampling={self.resampling!r} is no scheme.", "resampling= one of " + ", ".join(map(repr, SCHEMES))
            )
        if threshold is not None and (type(threshold) not in (int, float) or not 0 < threshold <= 1):
            raise _wrong(
                f"threshold={threshold!r} is no share of the particles.", "a number above 0, at most 1; None for always"
            )
        if self.gradient not in ("unbiased", "biased"):
            raise _wrong(f"gradient={self.gradient!r} is none of SMC's.", 'gradient="unbiased" or "biased"')

    def integrate(self, program, keep):
        """Run the marginal of a program in the program that is being staged; returns what the program returns."""
        staged, here = stage_inside(program, "vipl.marginal"), ambient.current().scope
        kept = {here + name for name in keep}

        def integrated(statement):
            return isinstance(statement, SampleStatement) and not statement.observed and statement.address not in kept

        return self._bind(MarginalBySMC, staged, keep, integrated, "vipl.marginal")

    def posterior(self, program):
        """Run the posterior of a program in the program that is being staged; returns what the program returns."""
        staged, here = stage_inside(program, "vipl.normalize"), ambient.current().scope
        names = tuple(dict.fromkeys(s.statement.address.removeprefix(here) for s in latent_sites(staged)))
        speaks = {located.statement.address for located in evidence(staged)}
        return self._bind(
            NormalizedBySMC, staged, names, lambda statement: statement.address in speaks, "vipl.normalize"
        )

    def _bind(self, kind, staged, names, hides, purpose):
        here, count = ambient.current().scope, self.num_particles
        for located in staged.statements:
            if located.statement.hidden:
                raise DensityError(
                    f"{purpose} by vipl.SMC: the density of {located.statement.address!r} is itself an estimate.",
                    where=located.statement,
                    fix="vipl.Importance(…); or a state-space program without a marginal or normalized one inside",
                )
        keep = names if kind is MarginalBySMC else ()
        inputs = self.proposal is not None and not isinstance(self.proposal, Program)
        rule = kind(count, 0, self.threshold, names, inputs, bool(evidence(staged)))
        own = self.proposal is None
        particles = free_name(staged, here, "particles")
        weighed = particles if own else free_name(staged, here, "weighed")
        copy = own_proposal(staged, rule, keep, weighed, drawn=own)
        rule.length = segments(_within(copy, rule), f"{purpose} by vipl.SMC").scan.params["length"]
        scheme, estimator = SCHEMES[self.resampling], Unscored(biased=True) if self.gradient == "biased" else None
        weights = jax.ShapeDtypeStruct((count,), jnp.result_type(float))
        integer, flag = jax.ShapeDtypeStruct((), jnp.result_type(int)), jax.ShapeDtypeStruct((), bool)
        address = free_name(staged, here, "ancestors").removesuffix("/")
        conditional = free_name(staged, here, "conditional")
        bodies = [
            as_body(staged, Relabel(rule, here, hides, here)),
            copy,
            auxiliary(rule, address, scheme.law, [weights, flag], estimator),
            auxiliary(rule, conditional + "ancestors", scheme.conditional, [weights, integer, flag], estimator),
            auxiliary(rule, conditional + "slot", _anywhere(count), []),
            index_of_particle(rule, free_name(staged, here, "index").removesuffix("/"), count),
        ]
        if not own:
            bodies.append(users_proposal(self.proposal, staged, rule, keep, particles, purpose))
        return bind_program(rule, staged, bodies)


def _anywhere(count):
    return lambda: dist.Categorical(probs=jnp.full(count, 1 / count))


def _within(body, rule):
    return dataclasses.replace(body, of=rule)


def _wrong(message, fix) -> ParameterError:
    return ParameterError(message, where=user_source(), fix=fix)
