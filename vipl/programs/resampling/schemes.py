"""The table of resampling schemes: a scheme is the law of its ancestors and that law given a retained particle."""

from __future__ import annotations

import dataclasses

from vipl.programs.resampling import multinomial, stratified, systematic
from vipl.programs.resampling.law import AncestorLaw, ConditionalAncestorLaw


@dataclasses.dataclass(frozen=True)
class Scheme:
    """A resampling scheme.

    Attributes:
        law: called as `law(log_weights, resample)`: the law of the ancestors.
        conditional: called as `conditional(log_weights, retained, resample)`: the law of ancestors and slot.
    """

    law: type[AncestorLaw]
    conditional: type[ConditionalAncestorLaw]


SCHEMES = {
    "multinomial": Scheme(multinomial.MultinomialAncestors, multinomial.ConditionalMultinomialAncestors),
    "stratified": Scheme(stratified.StratifiedAncestors, stratified.ConditionalStratifiedAncestors),
    "systematic": Scheme(systematic.SystematicAncestors, systematic.ConditionalSystematicAncestors),
}
"""Schemes by name; a new one is a file and a line here."""
