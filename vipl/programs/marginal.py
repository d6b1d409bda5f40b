"""`marginal`: some sites of a program as a program."""

from __future__ import annotations

from collections.abc import Iterable

from vipl._core.errors import AddressError, ParameterError, ProgramError, did_you_mean
from vipl._core.source import user_source
from vipl.lang.program import Program
from vipl.programs.importance.options import Importance
from vipl.tracing.survey import survey


def marginal(program: Program, keep, inference=None) -> Program:
    """Return the program of some of a program's sites, the others integrated out.

    Its density is an estimate, log ŵ: `log_density` has E[ŵ] = p(kept), and the trace of `simulate` has
    E[1/ŵ | kept] = 1/p(kept). So an evidence lower bound with such a guide or model is still a lower bound. Prefer it
    for guides with auxiliary sites, mixtures above all, which the model does not have.

    Args:
        program: a Program.
        keep: addresses of the sites that are kept; those that are observed are kept anyway.
        inference: how the others are integrated out: `vipl.Importance(proposal, num_particles)`, the default, or
            `vipl.Exact()` where they are finite.

    Returns:
        A Program: it can be conditioned, nested, mapped by `vipl.vmap` and scanned, and used as model, guide or
        proposal. It returns what the program returns, with None for parts that may depend on what is integrated out.
        The sites that serve the estimate are choices too, at `"particles/…"`, whose estimators one can set there.
        `trace.sites` gives no log densities one by one.

    Raises:
        AddressError: the program has no such latent site, or the proposal samples others than it should.
        ParameterError: `inference` is none.
        ShapeError: it is inside a plate, whose elements have to be integrated out one by one: use `vipl.vmap`.
        DensityError: the program subsamples, or has sites in a `while_loop`.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def guide():
        ...     u = vipl.sample("u", dist.Uniform(0.0, 1.0))
        ...     vipl.sample("x", dist.Normal(3.0 * u, 0.5))
        >>> on_x = vipl.marginal(guide(), keep=["x"], inference=vipl.Importance(num_particles=100))
        >>> trace = vipl.simulate(on_x, jax.random.key(0))
        >>> list(trace.choices), trace.log_density.shape
        (['x'], ())

    Source: Lew et al. 2023, POPL, "Probabilistic programming with stochastic probabilities"; Becker et al. 2024,
    arXiv 2406.15742, §5; the importance-weighted guide: Sobolev and Vetrov 2019, arXiv 1910.13398, eq. 8.
    """
    source = user_source()
    check_is_program(program, "marginal", source)
    if isinstance(keep, str) or not isinstance(keep, Iterable):
        keep = (keep,)
    keep = tuple(keep)
    surveyed = survey(program)
    for address in keep:
        if address in surveyed.latents:
            continue
        observed = address in surveyed.observed
        raise AddressError(
            f"{program.name} observes {address!r}, which is kept anyway."
            if observed
            else f"{program.name} has no latent site {address!r}." + did_you_mean(str(address), surveyed.latents),
            where=f"vipl.marginal, {source}",
            fix="a list of some of " + ", ".join(map(repr, surveyed.latents)),
        )
    inference = Importance() if inference is None else inference
    check_is_inference(inference, "integrate", source)
    made = Program(marginal_program, (program, tuple(dict.fromkeys(keep)), inference))
    made.stage()
    return made


def marginal_program(program, keep, inference):
    """Run the marginal of a program."""
    return inference.integrate(program, keep)


marginal_program.title = lambda program, *_: f"the marginal of {program.name}"


def check_is_inference(inference, method: str, source) -> None:
    """Refuse what is not an inference algorithm."""
    if isinstance(inference, type) or not hasattr(inference, method):
        name = f"the class {inference.__name__}" if isinstance(inference, type) else type(inference).__name__
        raise ParameterError(
            f"an inference algorithm is needed, and got {name}.",
            where=source,
            fix="vipl.Importance(num_particles=10), or vipl.SMC(64) for a state-space program",
        )


def check_is_program(program, function: str, source) -> None:
    """Refuse what is not a Program."""
    if not isinstance(program, Program):
        name = getattr(program, "__name__", type(program).__name__)
        raise ProgramError(
            f"vipl.{function} needs a program and got {name}.",
            where=source,
            fix=f"call the program function with its arguments first: vipl.{function}({name}(…), …)",
        )
