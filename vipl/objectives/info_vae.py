"""The evidence lower bound with a penalty on codes that, all together, are not like the prior."""

from __future__ import annotations

import jax.numpy as jnp

from vipl._core.errors import AddressError, did_you_mean
from vipl._core.source import user_source
from vipl.lang.program import Program
from vipl.objectives.made_by import made_by
from vipl.objectives.mmd import squared_mmd
from vipl.objectives.options import check_num_particles, check_scalar
from vipl.objectives.particles import draw, over_particles, with_shared_subsamples
from vipl.tracing.simulate import simulate
from vipl.tracing.site_terms import site_terms
from vipl.tracing.survey import survey
from vipl.transform.expectation import Expectation


def info_vae(address: str, weight, bandwidth, num_particles: int = 2, beta=1.0) -> Expectation:
    """InfoVAE: E[log p(y | z) − β (log q(z) − log p(z))] − weight · MMD²(aggregate of q, prior), in nats; maximised.

    z are the codes, one for each datum: a site in a plate of the data, or of a minibatch of them. The penalty compares
    their aggregate over the plate, the mean of the codes' laws, with that of the prior: codes may tell much of their
    data, and be like the prior all together. Prefer it to `elbo` and `beta_elbo` for autoencoders whose strong decoder
    would ignore the codes, where draws of the prior must decode well. Other latent sites count as in `elbo`. With β
    of at least 1 it is a lower bound of the log evidence; with less it need not be. Cost: K evaluations of the model,
    the guide and the prior, and the kernel of all pairs of the codes.

    Args:
        address: that of the codes, a latent site; what is not its event counts as a plate. Without a plate, the
            aggregate is the code's own law.
        weight: of the penalty, at least 0, a number or a scalar array. In the paper, whose objective is for one of N
            data, it is N (α + λ − 1).
        bandwidth: of the Gaussian kernel, see `squared_mmd`; a positive number or a scalar array.
        num_particles: K, at least 2: the pairs are of different draws, so that the penalty is unbiased.
        beta: β, of the codes alone, at least 0; in the paper it is 1 − α, and 0 gives its "MMD-VAE".

    Returns:
        An Expectation, called as `info_vae("z", 50.0, 1.0)(key, model, guide)`. Particles share the indices of
        subsampled plates: the aggregate is that of the minibatch, whose penalty is on average a little larger than
        that of all data.

    Requirements: a guide that samples exactly the model's latent sites; no site in a `while_loop`. The prior is what
    the model draws at the address, upstream sites included.

    Raises:
        ParameterError: an argument is not one of these.
        AddressError: the guide has no such site, its sites are not the model's latent sites, or it observes.
        SupportError: a guide site reaches beyond the support of the model's.
        EstimatorError: an estimator needs too many values.

    Example:
        >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def model(y):
        ...     with vipl.plate("data", y.shape[0]):
        ...         z = vipl.sample("z", dist.Normal(0.0, 1.0))
        ...         vipl.sample("y", dist.Normal(2.0 * z, 1.0), obs=y)
        >>> @vipl.program
        ... def guide(y, slope):
        ...     with vipl.plate("data", y.shape[0]):
        ...         vipl.sample("z", dist.Normal(slope * y, 0.5))
        >>> y = jnp.array([0.3, -1.0, 2.0])
        >>> objectives.info_vae("z", weight=50.0, bandwidth=1.0)(jax.random.key(0), model(y), guide(y, 0.4)).shape
        ()

    Source: Zhao, Song and Ermon 2017, arXiv 1706.02262.
    """
    check_scalar(weight, "info_vae", "weight", "weight=50.0")
    check_scalar(bandwidth, "info_vae", "bandwidth", "bandwidth=1.0", positive=True)
    check_scalar(beta, "info_vae", "beta", "beta=1.0; 0.0 leaves the penalty alone")
    check_num_particles(num_particles, "info_vae", 2)

    def objective(model, guide):
        event_dim = _event_dim(guide, address)
        model, guide = with_shared_subsamples(model, guide)

        def particle():
            trace = draw(guide)
            terms = {name: jnp.sum(term) for name, (_, term) in site_terms(model, trace).items()}
            bound = sum(terms.values()) - trace.log_density
            excess = jnp.sum(trace.sites[address].log_prob) - terms[address]
            return bound + (1 - beta) * excess, trace.choices[address], simulate(model).choices[address]

        bounds, *codes = over_particles(particle, num_particles)
        ours, priors = (c.reshape(num_particles, -1, *c.shape[c.ndim - event_dim :]) for c in codes)
        return jnp.mean(bounds) - weight * squared_mmd(ours, priors, bandwidth)

    return made_by(info_vae, objective)


def _event_dim(guide: Program, address: str) -> int:
    latents = survey(guide).latents
    if address not in latents:
        raise AddressError(
            f"the guide has no site {address!r} for the codes." + did_you_mean(str(address), latents),
            where=f"objectives.info_vae, {user_source()}",
            fix="the address of a latent site of model and guide, the first argument of info_vae",
        )
    return latents[address][0].statement.event_dim
