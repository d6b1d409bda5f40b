"""`normalize`: the posterior of a conditioned program as a program."""

from __future__ import annotations

from vipl._core.errors import AddressError, DensityError
from vipl._core.source import user_source
from vipl.lang.program import Program
from vipl.programs.marginal import check_is_inference, check_is_program
from vipl.tracing.survey import survey


def normalize(program: Program, inference) -> Program:
    """Return the posterior of a conditioned program as a program: what it observes is no part of it any more.

    Its draws are those of an inference algorithm, near the posterior's, and its density is an estimate of theirs:
    log ŵ with E[ŵ] = p(latents) in `log_density`, and E[1/ŵ | latents] = 1/p(latents) in the trace of `simulate`. As a
    guide of the same program it makes the evidence lower bound the importance-weighted one, or that of sequential
    Monte Carlo.

    Args:
        program: a Program that observes something, or has a factor.
        inference: `vipl.Importance(proposal, num_particles)`, `vipl.SMC(…)` or `vipl.Exact()`.

    Returns:
        A Program of the latent sites: it can be nested, mapped by `vipl.vmap` and scanned, and used as guide or
        proposal. It returns what the program returns. The sites that serve the inference are choices too, at
        `"particles/…"` and `"index"`, whose estimators one can set there.

    Raises:
        DensityError: the program observes nothing; or subsamples, or has sites in a `while_loop`.
        AddressError: the proposal misses or repeats an address, or the program has no latent site.
        ParameterError: `inference` is none.
        ShapeError: it is inside a plate, whose elements have to be normalised one by one: use `vipl.vmap`.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def model():
        ...     x = vipl.sample("x", dist.Normal(0.0, 1.0))
        ...     vipl.sample("y", dist.Normal(x, 1.0), obs=1.0)
        >>> @vipl.program
        ... def guide(loc):
        ...     vipl.sample("x", dist.Normal(loc, 1.0))
        >>> posterior = lambda loc: vipl.normalize(model(), vipl.Importance(guide(loc), num_particles=5))
        >>> objectives.elbo(jax.random.key(0), model(), posterior(0.3)).shape    # the same as iwelbo(5)
        ()

    Source: Becker et al. 2024, arXiv 2406.15742, §5; Lew et al. 2023, POPL, "Probabilistic programming with stochastic
    probabilities".
    """
    source = user_source()
    check_is_program(program, "normalize", source)
    surveyed = survey(program)
    if not surveyed.has_evidence:
        raise DensityError(
            f"{program.name} observes nothing: it is its own posterior.",
            where=f"vipl.normalize, {source}",
            fix='program | {"y": data}, or obs= in the program, before it is normalised',
        )
    if not surveyed.latents:
        raise AddressError(
            f"{program.name} has no latent site.",
            where=f"vipl.normalize, {source}",
            fix="a program that draws something",
        )
    check_is_inference(inference, "posterior", source)
    made = Program(normalized_program, (program, inference))
    made.stage()
    return made


def normalized_program(program, inference):
    """Run the posterior of a program."""
    return inference.posterior(program)


normalized_program.title = lambda program, *_: f"the posterior of {program.name}"
