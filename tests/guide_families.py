"""Every family of guides, by name; the laws of guides are run on all of them.

To add a family, add a line; one that is found directly, or that has no density, says so.
"""

import jax
import numpy as np

import vipl
from vipl import guides
from vipl.tracing.survey import survey

FAMILIES = {
    "asvi": guides.ASVI(0.5),
    "delta": guides.Delta(),
    "flow_autoregressive": guides.Flow("autoregressive", num_layers=2, width=4, init_scale=0.5),
    "flow_coupling": guides.Flow("coupling", num_layers=2, width=4, init_scale=0.5),
    "flow_splines": guides.Flow("coupling", num_layers=2, width=4, num_bins=3, init_scale=0.5),
    "full_rank": guides.FullRank(0.5),
    "full_rank_noncentered": guides.FullRank(0.5, noncentered=True),
    "laplace": guides.Laplace(0.5),
    "low_rank": guides.LowRank(init_scale=0.5),
    "mean_field": guides.MeanField(0.5),
    "mixture": guides.Mixture(3, init_scale=0.5),
    "mixture_diagonal": guides.Mixture(2, full_rank=False, init_scale=0.5),
    "pathfinder": guides.Pathfinder(3),
    "structured": guides.Structured(0.5),
}
POINTS = ("delta",)  # they have no density
DIRECT = ("laplace", "pathfinder")  # they are found without gradients of the evidence lower bound
VARIANTS = (
    "flow_coupling",
    "full_rank",
    "laplace",
    "mixture_diagonal",
    "pathfinder",
)  # others have all that there is in them
WITHOUT_VARIANTS = [name for name in FAMILIES if name not in VARIANTS]
TRAINED = [name for name in FAMILIES if name not in (*POINTS, *DIRECT)]


def built(family, model, *, spread=0.3, seed=0):
    """Return a guide for a model, and params a little away from where they start."""
    guide, params = family.build(survey(model))
    random = np.random.default_rng(seed)

    def moved(param):
        width = max(1, *param.shape[-1:]) if param.ndim > 1 else 1  # a random triangle is nearly singular
        return param + (spread * width**-0.5 * random.standard_normal(param.shape)).astype(param.dtype)

    return guide, jax.tree.map(moved, params)


def guide_of(family, model, **options):
    """Return such a guide with such params."""
    return vipl.with_params(*built(family, model, **options))
