"""Guides that vipl makes from a model: families of distributions over its latent sites.

Give one to `vipl.infer(model, guides.MeanField(), …)`. A family is configuration only; it looks at the model, and
makes a Program with `vipl.param` statements, and says where these start. A guide of one's own is any
Program, and needs no family.
"""

from typing import TYPE_CHECKING

from vipl._core.on_first_use import on_first_use

if TYPE_CHECKING:
    from vipl.guides.asvi import ASVI
    from vipl.guides.delta import Delta
    from vipl.guides.family import GuideFamily
    from vipl.guides.flow import Flow
    from vipl.guides.full_rank import FullRank
    from vipl.guides.laplace import Laplace
    from vipl.guides.low_rank import LowRank
    from vipl.guides.mean_field import MeanField
    from vipl.guides.mixture import Mixture
    from vipl.guides.pathfinder import Pathfinder
    from vipl.guides.structured import Structured

__all__ = [
    "ASVI",
    "Delta",
    "Flow",
    "FullRank",
    "GuideFamily",
    "Laplace",
    "LowRank",
    "MeanField",
    "Mixture",
    "Pathfinder",
    "Structured",
]

__getattr__ = on_first_use(
    globals(),
    {
        "ASVI": "vipl.guides.asvi",
        "Delta": "vipl.guides.delta",
        "Flow": "vipl.guides.flow",
        "FullRank": "vipl.guides.full_rank",
        "GuideFamily": "vipl.guides.family",
        "Laplace": "vipl.guides.laplace",
        "LowRank": "vipl.guides.low_rank",
        "MeanField": "vipl.guides.mean_field",
        "Mixture": "vipl.guides.mixture",
        "Pathfinder": "vipl.guides.pathfinder",
        "Structured": "vipl.guides.structured",
    },
)


def __dir__():
    return __all__
