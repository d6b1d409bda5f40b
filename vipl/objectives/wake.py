"""Reweighted wake-sleep, both programs at once."""

from __future__ import annotations

from vipl.objectives.options import check_num_particles
from vipl.objectives.weighted_draws import weighted_draws
from vipl.transform.expectation import Expectation


def wake(num_particles: int, plate: str | None = None) -> Expectation:
    """Reweighted wake-sleep: E Σ_k w̃_k (log p(z_k, y) + log q(z_k)) over K draws of the guide, in nats; maximised.

    The sum of `wake_p` and `wake_q` over the same particles. Each learns the parameters of one program alone, so that
    the sum trains both at once: the model by the gradient of `iwelbo(K)`, the guide towards the posterior, which it
    comes to cover. The weights w̃_k ∝ p(z_k, y)/q(z_k) and the draws are constants to the derivative, whatever is
    discrete or jumps, so that no choice needs an estimator. Prefer it to `iwelbo` and `elbo` to learn a model with
    discrete latent sites. The value is no bound: `iwelbo` says how good the fit is. Cost: that of `iwelbo`.

    Where each datum has latent sites of its own, name the plate of the data. Each of its elements n then has weights
    w̃_nk of its own, and the objective is the sum of theirs, Σ_n Σ_k w̃_nk (…), of a subsample scaled to the whole:
    unbiased for that of all data. Weighed together, the particle that is best by luck for all data at once would
    have all the weight, and that of a subsample more so.

    Args:
        num_particles: K, at least 2: with one, the gradient of the guide has mean zero.
        plate: the name of the plate of the data, which holds every site and factor of model and guide; None for one
            weight for all that a particle draws.

    Returns:
        An Expectation, called as `wake(16)(key, model, guide)`. Particles share the indices of subsampled plates; the
        plates of model and guide are the same by their name.

    Requirements: a guide that samples exactly the model's latent sites and evaluates log q at given values, for which a
    transformed distribution needs an inverse; any estimator. With `plate`: elements that are independent given the
    parameters, each a `vipl.param` or an argument; no other subsampled plate, estimated density or relaxed draw.

    Raises:
        ParameterError: K is not an int of at least 2; the plate is not a name.
        AddressError: the guide's sites are not the model's latent sites, or the guide observes; there is no such plate,
            a site or factor is outside of it, or another plate is subsampled.
        SupportError: a guide site reaches beyond the support of the model's.
        ShapeError: the plate differs between model and guide.

    Example:
        >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> data = jnp.array([0.2, 0.9, -0.4, 1.3])
        >>> @vipl.program
        ... def model(p):
        ...     with vipl.plate("datum", 4, subsample_size=2) as index:
        ...         b = vipl.sample("b", dist.Bernoulli(p))
        ...         vipl.sample("y", dist.Normal(b, 0.5), obs=data[index])
        >>> @vipl.program
        ... def guide(slope):
        ...     with vipl.plate("datum", 4, subsample_size=2) as index:
        ...         vipl.sample("b", dist.Bernoulli(logits=slope * (data[index] - 0.5)))
        >>> learn = lambda key, p, slope: objectives.wake(16, plate="datum")(key, model(p), guide(slope))
        >>> of_p, of_slope = jax.grad(learn, argnums=(1, 2))(jax.random.key(0), 0.4, 1.0)

    Source: Bornschein and Bengio 2015, arXiv 1406.2751, eqs. 7 and 9; Le et al. 2019, arXiv 1805.10469, §3.
    """
    check_num_particles(num_particles, "wake", 2)
    return weighted_draws(wake, num_particles, plate, lambda log_p, log_q: log_p + log_q)
