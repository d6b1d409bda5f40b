"""The bound of variational sequential Monte Carlo."""

from __future__ import annotations

from vipl.objectives.made_by import made_by
from vipl.tracing.log_density import log_density
from vipl.transform.expectation import Expectation


def vsmc(
    num_particles: int, resampling: str = "multinomial", threshold: float | None = None, gradient: str = "unbiased"
) -> Expectation:
    """Variational sequential Monte Carlo: E log Ẑ, the particle filter's log evidence, in nats; maximised.

    A lower bound on the log evidence of a state-space model, whose gap grows with the number of steps and not
    exponentially, as that of `iwelbo` does. The guide is the proposal, step by step. Prefer it to learn the parameters
    of a state-space model, with or without a guide's. It is the evidence lower bound with
    `vipl.normalize(model, vipl.SMC(num_particles, guide))` as guide.

    Args:
        num_particles: N, at least 1.
        resampling: "multinomial", "stratified" or "systematic"; the first has the least noise in the gradient.
        threshold: see `vipl.SMC`.
        gradient: "unbiased", the score function of the ancestors with credit; or "biased", which leaves it out, as is
            common: less noise, and the gradient of no objective. A strict expectation refuses that.

    Returns:
        An Expectation, called as `vsmc(64)(key, model, guide)`; the guide None proposes from the model itself.

    Requirements: a model with one `jax.lax.scan` whose step draws; a guide with a scan of the same length that draws
    the same sites.

    Raises:
        ParameterError: an argument is not one of these.
        ProgramError: the model, or the guide, has no such scan.
        AddressError: the guide's sites are not the model's latent sites.
        DensityError: the guide observes.

    Example:
        >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def walk(y, scale):
        ...     def step(x, y):
        ...         x = vipl.sample("x", dist.Normal(x, scale))
        ...         vipl.sample("y", dist.Normal(x, 0.5), obs=y)
        ...         return x, None
        ...     jax.lax.scan(step, 0.0, y)
        >>> y = jnp.array([0.3, 0.8, 1.5])
        >>> objectives.vsmc(16)(jax.random.key(0), walk(y, 1.0), None).shape
        ()

    Source: Naesseth et al. 2018, arXiv 1705.11140, §3; Maddison et al. 2017 (FIVO), arXiv 1705.09279; Le et al. 2018
    (AESMC), arXiv 1705.10306.
    """
    from vipl.programs import SMC, marginal  # most programs need no filter, and `import vipl` stays quick

    SMC(num_particles, None, resampling, threshold, gradient)  # refuses what it cannot take, at once

    def objective(model, guide):
        return log_density(marginal(model, [], SMC(num_particles, guide, resampling, threshold, gradient)), {})

    return made_by(vsmc, objective)
