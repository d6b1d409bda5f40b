"""The divergence from the model to the guide, for models that can be drawn from."""

from __future__ import annotations

from vipl.objectives.requirements import refuse_evidence
from vipl.tracing.log_density import log_density
from vipl.tracing.simulate import simulate
from vipl.transform.expectation import expectation


@expectation
def forward_kl(model, guide):
    """Minus the forward divergence, −KL(p‖q) = E[log q(z) − log p(z)] over draws z of the model, in nats; maximised.

    At most 0, and 0 when the guide is the model. Prefer it to fit a program to another that can be drawn from, such as
    a simulator: the guide covers all that the model does, and the gradient in its parameters is that of a plain maximum
    likelihood fit to the draws.

    Args:
        model: a Program that observes nothing.
        guide: a Program that samples exactly the model's sites.

    Returns:
        Called as `forward_kl(key, model, guide)`: an unbiased estimate, a scalar.

    Raises:
        AddressError: the model observes, or has a factor: its posterior cannot be drawn from; the sites differ.
        SupportError: a model site reaches beyond the support of the guide's.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def model():
        ...     vipl.sample("x", dist.Gamma(3.0, 1.0))
        >>> @vipl.program
        ... def guide(loc):
        ...     vipl.sample("x", dist.LogNormal(loc, 0.7))
        >>> objectives.forward_kl(jax.random.key(0), model(), guide(0.5)).shape
        ()

    Source: Kullback and Leibler 1951; Bornschein and Bengio 2015, arXiv 1406.2751, §2.2, as the sleep phase.
    """
    refuse_evidence(model, "model", "forward_kl draws from the model, and cannot draw from its posterior", _FIX)
    trace = simulate(model)
    return log_density(guide, trace) - trace.log_density


_FIX = "a model without obs= and vipl.factor; of a conditioned one, iwelbo or cubo fit a guide that covers it"
