"""Checks of the model and the guide that `infer` is given."""

from __future__ import annotations

import warnings

from vipl._core.errors import AddressError, ParameterError, ProgramError, VIPLWarning
from vipl.guides import GuideFamily
from vipl.lang.program import Program, ProgramFunction
from vipl.tracing.survey import Survey


def check_kind(program, role: str, is_function: bool, source) -> None:
    """Refuse a model or a guide that is neither a Program, nor a family, nor a function of parameters."""
    if isinstance(program, Program) or (role == "guide" and isinstance(program, GuideFamily)):
        return
    if (isinstance(program, ProgramFunction) and not is_function) or not callable(program):
        name = getattr(program, "__name__", type(program).__name__)
        raise ProgramError(
            f"the {role} is {name}, which is not a program.",
            where=source,
            fix=f"call the program function with its arguments: {name}(…)",
        )
    if isinstance(program, type):
        raise ProgramError(f"the {role} is the class {program.__name__}.", where=source, fix=f"{program.__name__}()")


def check_returned(program, role: str, source) -> None:
    """Refuse a function of parameters that returns no program."""
    if not isinstance(program, Program):
        raise ProgramError(
            f"the {role} function returned {type(program).__name__} instead of a program.",
            where=source,
            fix=f"return the program: lambda params: {role}(data, params)",
        )


def check_trained(surveyed: Survey, role: str) -> None:
    """Refuse a `vipl.param` without a value in a program that is a function of parameters."""
    for address, (located, *_) in surveyed.params.items():
        if address not in (surveyed.program.params or {}):
            raise ParameterError(
                f"the {role} has vipl.param {address!r}, which would not be trained: params= are.",
                where=located.statement,
                fix="one way for all: only vipl.param, or only a params pytree",
            )


def refuse_shared(surveyed: Survey, shared) -> None:
    """Refuse a param of the model that the guide made for it has too."""
    for address in sorted(shared):
        raise ParameterError(
            f"param {address!r} is in {surveyed.program.name} and in the guide that is made for it.",
            where=surveyed.params[address][0].statement,
            fix=f"another address in {surveyed.program.name}",
        )


def check_evidence(surveyed: Survey, source) -> None:
    """Refuse a model that observes nothing: the usual cause is data that were not passed."""
    if not surveyed.has_evidence:
        sites = ", ".join(map(repr, surveyed.latents))
        raise AddressError(
            f"the model {surveyed.program.name} has no observed site; all are latent: {sites}.",
            where=source,
            fix='pass the data, model(x, y) with vipl.sample("y", …, obs=y), or condition: model(x) | {"y": y}',
        )


def check_guide_observes_nothing(surveyed: Survey) -> None:
    """Refuse a guide with observations."""
    for address, group in surveyed.observed.items():
        raise AddressError(
            f"the guide {surveyed.program.name} observes {address!r}.",
            where=group[0].statement,
            fix="remove obs= from the guide; the model alone observes",
        )


def warn_of_unscaled_batches(surveyed: Survey, size: int, batch_size: int | None) -> None:
    """Say that a batch stands for itself alone, where nothing counts it for the whole."""
    if batch_size is None or batch_size == size or not surveyed.latents:
        return
    observed = [located for group in surveyed.observed.values() for located in group]
    if any(located.statement.scale != 1.0 for located in observed):
        return
    latents = [located for group in surveyed.latents.values() for located in group]
    if all(_has_axis(located, batch_size) for located in latents):
        return  # each latent value belongs to a datum, so that both of its terms are scaled alike
    where = f"{observed[0].statement}" if observed else surveyed.program.name
    warnings.warn(
        f"a batch of {batch_size} of {size} data is counted as all the data there are, and the priors count in full: "
        f"{where}. With vipl.plate(name, {size}, subsample_size={batch_size}) around the observed site the log density "
        "of the batch stands for that of the whole.",
        VIPLWarning,
        stacklevel=5,
    )


def _has_axis(located, length: int) -> bool:
    return length in located.full_shape
