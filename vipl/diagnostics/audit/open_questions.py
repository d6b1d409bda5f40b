"""Choices whose bias no alternative shows: they are left to central differences of the whole."""

from __future__ import annotations

import dataclasses

from vipl._core.errors import VIPLError
from vipl.diagnostics.audit.alternatives import plan_of, substitute
from vipl.diagnostics.audit.choices import Measured
from vipl.diagnostics.audit.report import Bias
from vipl.diagnostics.audit.variant import Variant
from vipl.estimators import Enumerate, Reparam


def wants_differences(choice: Measured, bias: Bias | None) -> bool:
    """Return whether central differences may tell more: they are sharp where the noise moves the values smoothly."""
    pathwise = all(isinstance(estimator, Reparam) for estimator in choice.estimators)
    return bias is None or (pathwise and bias.verdict in ("not shown", "not trustworthy"))


def answer(biases: dict[str, Bias | None], differences: Bias, jumped: set) -> dict[str, Bias]:
    """Return what central differences of the whole say of choices.

    Args:
        biases: of the choices that they are asked about, as known so far.
        differences: what they say.
        jumped: choices that reach the objective through a jump: where there are some, a bias is theirs.
    """
    if differences.verdict != "biased":
        return {address: _sharper(bias, differences) for address, bias in biases.items()}
    suspects = [address for address in biases if address in jumped] or list(biases)
    if len(suspects) > 1:
        differences = dataclasses.replace(differences, remark=f"one or more of {', '.join(suspects)}")
    remark = f"central differences show a bias, of {', '.join(suspects)}"
    unknown = Bias("not shown", differences.reference, resolution=float("inf"), num_draws=differences.num_draws)
    return {
        address: differences if address in suspects else dataclasses.replace(bias or unknown, remark=remark)
        for address, bias in biases.items()
    }


def _sharper(bias: Bias | None, differences: Bias) -> Bias:
    """Return the verdict that says more."""
    if bias is None or differences.verdict == "none":
        return differences
    blunt = bias.resolution is None or (differences.resolution or float("inf")) < bias.resolution
    return differences if differences.verdict == "not shown" and blunt else bias


def without_the_biased(base: Variant, choices, biases: dict[str, Bias | None], present: dict, args: tuple) -> Variant:
    """Return the expectation with trustworthy estimators where bias was found, and exact ones where these serve.

    What is left are the choices whose bias is not known yet; the less noise the others add, the sooner it shows.
    """
    biased, exact = {}, {}
    for choice in choices:
        bias = biases[choice.address]
        if bias is not None and choice.reference is not None:
            estimator = choice.reference[0].estimator
            if bias.verdict == "biased":
                biased[choice.address] = estimator
            elif type(estimator) is Enumerate:
                exact[choice.address] = estimator
    for changes in (biased | exact, biased):
        if not changes:
            return base
        expectation = substitute(changes, present, base.expectation)
        try:
            plan_of(expectation, args)
        except VIPLError:  # the exact ones are too many together
            continue
        return dataclasses.replace(base, expectation=expectation)
    return base
