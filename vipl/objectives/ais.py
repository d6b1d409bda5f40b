"""Annealed importance sampling, differentiably: a bound that draws are moved for."""

from __future__ import annotations

import jax.numpy as jnp
from numpyro.distributions import Normal

from vipl._core.errors import AddressError, did_you_mean
from vipl._core.source import user_source
from vipl.lang.sample import sample
from vipl.objectives.annealing import anneal
from vipl.objectives.annealing_options import checked_persistence, checked_schedule, checked_steps
from vipl.objectives.coordinates import coordinates_of
from vipl.objectives.made_by import made_by
from vipl.objectives.particles import draw, with_shared_subsamples
from vipl.objectives.requirements import refuse_evidence
from vipl.objectives.unmarked import unmarked_log_density
from vipl.tracing.choices import check_choices
from vipl.tracing.survey import survey
from vipl.transform.expectation import Expectation


def ais(num_steps: int, step_size, schedule=None, persistence=0.0) -> Expectation:
    """Annealed importance-sampling bound, differentiable: E log w, w the weight of a moved draw, in nats; maximised.

    A draw of the guide takes M leapfrog steps towards the posterior, the m-th with the gradient of
    (1 − β_m) log q + β_m log p and a momentum that is refreshed; no step is accepted or rejected. So the end is a
    smooth function of normal noise, and the gradient in all parameters, those of this bound too, is pathwise and
    unbiased. It is a lower bound of the log evidence whatever the steps are, since E w = p(y): loose, and in the end
    not a number, where they are too large for the posterior's curvature, and close to the evidence where they are many
    and small. Prefer it where a simple guide is far from the posterior in many dimensions, and `iwelbo` would want too
    many particles: the guide is where draws begin, and learns to be a good start. Cost: M + 1 gradients of both
    densities, and again of these for a gradient.

    Args:
        num_steps: M, at least 1.
        step_size: of the leapfrog steps, in unconstrained coordinates, a positive number or a scalar array; or
            `{address: array}` for all sites, each broadcast to the site's coordinates.
        schedule: β_1 … β_M, `(num_steps,)`, rising in [0, 1]; None for m/M.
        persistence: γ, what a step keeps of the last one's momentum, in [0, 1): ρ' = γρ + √(1 − γ²) ε. 0 takes a
            new one; near 1, paths go on in one direction.

    Returns:
        An Expectation, called as `ais(8, 0.1)(key, model, guide)`. Make it inside the function that is
        differentiated to learn `step_size`, `schedule` and `persistence`. The momenta are sites `"ais/momentum/…"`.

    Requirements: a guide that samples exactly the model's latent sites, continuous ones by `Reparam`; densities
    whose first derivative is continuous, which Laplace distributions, `abs` and `relu` do not have; `vipl.continuous`
    vouches for a function that has. A constrained site is moved in the coordinates `biject_to(support)` of the guide's
    support. Observations may be in a subsampled plate: it is then the bound of the subsample's scaled density.

    Raises:
        ParameterError: an argument is not one of these.
        AddressError: the guide's sites are not the model's latent sites; the guide observes, or has a factor; a step
            size is for another site.
        SupportError: a guide site reaches beyond the support of the model's.
        EstimatorError: a latent site is discrete, in a minibatch or in exclusive branches, or its support has no
            coordinates; a choice is not by `Reparam`, or the gradient of a density jumps.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def model(y):
        ...     x = vipl.sample("x", dist.Normal(0.0, 1.0))
        ...     vipl.sample("y", dist.Normal(x, 1.0), obs=y)
        >>> @vipl.program
        ... def guide(loc):
        ...     vipl.sample("x", dist.Normal(loc, 1.0))
        >>> def bound(step_size, loc, key):
        ...     return objectives.ais(8, step_size)(key, model(1.0), guide(loc))
        >>> [gradient.shape for gradient in jax.grad(bound, argnums=(0, 1))(0.3, -2.0, jax.random.key(0))]
        [(), ()]

    Source: Geffner and Domke 2021, arXiv 2107.04150; Zhang et al. 2021, arXiv 2107.10211; after Neal 2001, Stat.
    Comput. 11.
    """
    step_size = checked_steps(num_steps, step_size, "ais")
    schedule = checked_schedule(schedule, num_steps, "ais")
    persistence = checked_persistence(persistence, "ais")

    def objective(model, guide):
        model, guide = with_shared_subsamples(model, guide)
        trace = draw(guide)
        refuse_evidence(guide, "guide", "its density would not be that of a draw", "a guide that only samples")
        check_choices(survey(model), trace, user_source())
        coordinates = coordinates_of(guide, trace, "ais")

        def log_density(program):
            def density(free):
                choices, volume = coordinates.constrained(free)
                return unmarked_log_density(program, choices) + volume

            return density

        start = coordinates.free(trace.choices)
        noises = {address: _momenta(address, free, num_steps) for address, free in start.items()}
        betas = jnp.arange(1, num_steps + 1) / num_steps if schedule is None else jnp.asarray(schedule)
        sizes = _step_sizes(step_size, start)
        end, gathered = anneal(log_density(guide), log_density(model), start, noises, betas, sizes, persistence)
        _, volume = coordinates.constrained(start)
        return log_density(model)(end) - trace.log_density - volume + gathered

    return made_by(ais, objective, pathwise_only=True)


def _momenta(address: str, free, num_steps: int):
    shape = (num_steps, *free.shape)
    return sample(f"ais/momentum/{address}", Normal(jnp.zeros(shape, free.dtype), jnp.ones(shape, free.dtype)))


def _step_sizes(step_size, start) -> dict:
    if not isinstance(step_size, tuple):
        return dict.fromkeys(start, step_size)
    given = dict(step_size)
    for address in {**given, **start}:
        if address not in start or address not in given:
            what = "no step size for" if address in start else "a step size for"
            hint = "" if address in start else did_you_mean(str(address), start)
            raise AddressError(
                f"ais has {what} {address!r}; the guide's sites are {', '.join(map(repr, start))}.{hint}",
                where=f"objectives.ais, {user_source()}",
                fix="one for each latent site, or a single number for all",
            )
    return {address: jnp.asarray(size) for address, size in given.items()}
