"""The sleep phase: an amortised guide learns from data that the model dreams up."""

from __future__ import annotations

import dataclasses

from vipl._core.errors import AddressError, ProgramError, did_you_mean
from vipl._core.source import user_source
from vipl.lang.program import Program
from vipl.objectives.requirements import refuse_evidence
from vipl.tracing.log_density import log_density
from vipl.tracing.propose import propose
from vipl.tracing.simulate import check_program
from vipl.tracing.survey import Survey, survey
from vipl.tracing.trace import Trace
from vipl.transform.expectation import expectation


@expectation
def sleep(model, guide):
    """Sleep phase of the guide: E[log q(z; y)] over draws (z, y) of the model, in nats; maximised.

    The guide is a function of the data that the model simulates. The draws are constants to the derivative: the
    gradient in the guide's parameters is minus that of KL(p(z | y)‖q(z; y)), averaged over p(y), whatever is discrete
    or jumps, and the model has none. Prefer it to learn, once and for all data, the posterior of a model that can be
    simulated; no weights can degenerate, and not even the density of the model is needed. Wake-sleep takes turns:
    this one for the guide, and `wake_p` (K = 1 in the original) for the model's own parameters on real data. `wake_q`
    learns from real data instead, which matter where the model is not yet like them.

    Args:
        model: a Program that observes nothing: its data are sites like all others.
        guide: a function of `{address: value}` that returns a Program. The sites of that Program are those to be
            inferred; the other sites of the model are the data. The function is called with all choices of the model,
            to see which these are, and then with the data alone.

    Returns:
        Called as `sleep(key, model, guide)`: an unbiased estimate, a scalar. Differentiate it in what the guide
        function closes over.

    Requirements: a guide that evaluates log q at given values, for which a transformed distribution needs an inverse.

    Raises:
        ProgramError: the guide is no function, or does not return a Program.
        AddressError: the model observes or has a factor, or nothing of it is data; the guide has a site that the model
            has not, reads one of its own, observes, or has a factor.
        SupportError: a model site reaches beyond the support of the guide's.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def model(y=None):
        ...     z = vipl.sample("z", dist.Normal(0.0, 1.0))
        ...     vipl.sample("y", dist.Normal(z, 1.0), obs=y)
        >>> @vipl.program
        ... def guide(y, slope):
        ...     vipl.sample("z", dist.Normal(slope * y, 0.7))
        >>> def objective(slope, key):
        ...     return objectives.sleep(key, model(), lambda data: guide(data["y"], slope))
        >>> jax.grad(objective)(0.2, jax.random.key(0)).shape
        ()

    Source: Hinton et al. 1995, Science 268; Bornschein and Bengio 2015, arXiv 1406.2751, §2.2.
    """
    check_program(model, "objectives.sleep")
    _check_function(guide)
    refuse_evidence(model, "model", "sleep draws its data from the model", _UNCONDITIONED)
    trace = propose(model)
    inferred = _inferred(survey(_guide_of(guide, trace.choices)), survey(model))
    own = {address: trace.choices[address] for address in inferred}
    data = {address: value for address, value in trace.choices.items() if address not in own}
    return log_density(_guide_of(guide, data, own), _part(trace, own))


def _part(trace: Trace, own) -> Trace:
    """Return a trace of some of the choices, which knows the supports that they were drawn from."""
    return dataclasses.replace(trace, choices=own, deterministics={}, _order=tuple(own))


_UNCONDITIONED = "the model without data, model() in place of model(y): obs=None leaves a site latent"


def _check_function(guide) -> None:
    if callable(guide) and not isinstance(guide, (Program, type)):
        return
    name = guide.name if isinstance(guide, Program) else getattr(guide, "__name__", type(guide).__name__)
    what = f"{name}, a Program" if isinstance(guide, Program) else name
    raise ProgramError(
        f"sleep needs the guide as a function of simulated data, and got {what}.",
        where=user_source(),
        fix=f'sleep(key, model, lambda data: {name}(data["y"]))',
    )


def _guide_of(guide, choices, withheld=()) -> Program:
    """Return the guide of some choices; one that it asks for and may not see is refused."""
    try:
        program = guide(dict(choices))
    except KeyError as error:
        address = error.args[0] if error.args else None
        if address in withheld:
            what = f"the guide function reads {address!r}, which its program samples: that would be known."
        elif isinstance(address, str):
            what = f"the guide function looks up {address!r}, which the model does not draw."
            what += did_you_mean(address, choices)
        else:
            raise
        raise AddressError(what, where=user_source(), fix="the address of a datum among the model's sites") from error
    if not isinstance(program, Program):
        raise ProgramError(
            f"the guide function returned {type(program).__name__} instead of a program.",
            where=user_source(),
            fix='return the program: lambda data: guide(data["y"])',
        )
    return program


def _inferred(guide: Survey, model: Survey):
    """Return the addresses that the guide samples, some of the model's."""
    refuse_evidence(guide.program, "guide", "its density would not be that of a draw", "a guide that only samples")
    for address, (located, *_) in guide.latents.items():
        if address not in model.latents:
            raise AddressError(
                f"the guide samples {address!r}, and {model.program.name} has no such site."
                + did_you_mean(address, model.latents),
                where=located.statement,
                fix="correct the address; the guide's sites are some of the model's",
            )
    if len(guide.latents) == len(model.latents):
        raise AddressError(
            f"the guide samples every site of {model.program.name}: nothing is left for data.",
            where=f"objectives.sleep, {user_source()}",
            fix="a guide of the latent sites only; forward_kl fits a guide to all sites of a model",
        )
    return guide.latents
