"""How the weights of choices leave the construct in which they were drawn: as arrays that JAX's control flow threads.

An `Export` is zero where the choice did not run, as `cond` fills in for the branch not taken: every value then has the
same weight, and all weights together are one.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp

from vipl.transform.evaluation.weights import ChoiceWeights, Layout


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Export:
    """The weights of one choice, without what tells them apart from those of a choice that did not run.

    Attributes:
        excess: the weights, or their logarithms, minus those of equally likely values.
        control: the estimator's control variate, or None.
        layout: how the weights lie in their array.
        count: how many values the choice has.
    """

    excess: jax.Array
    control: jax.Array | None
    layout: Layout = dataclasses.field(metadata={"static": True})
    count: int = dataclasses.field(metadata={"static": True})

    @property
    def neutral(self) -> float:
        """The weight of each of `count` equally likely values, or its logarithm."""
        return -math.log(self.count) if self.layout.log else 1 / self.count


def export(choice, weights: ChoiceWeights, sizes: dict, control=None) -> Export:
    """Return what leaves a construct for one choice."""
    count = sizes[choice] if choice in weights.samples else 1
    layout = Layout(weights.samples, weights.log, weights.joint, weights.dependence)
    exported = Export(weights.array, control, layout, count)
    return exported if count == 1 and weights.log else dataclasses.replace(exported, excess=_minus(exported))


def _minus(exported: Export):
    return exported.excess - exported.neutral


def arrived(exported: Export, outer: tuple, axis: bool) -> ChoiceWeights:
    """Return the weights of a choice as they stand outside of a construct.

    Args:
        exported: what came out; axes `(*outer, steps or lanes, *samples, *batch)`.
        outer: the sample axes over which the construct was mapped.
        axis: whether the construct adds an axis, of its steps or lanes.
    """
    layout, array = exported.layout, exported.excess
    if not (exported.count == 1 and layout.log):
        array = array + exported.neutral
    return ChoiceWeights(
        (*outer, *layout.samples),
        layout.log,
        tuple(a + 1 for a in layout.joint) if axis else layout.joint,
        layout.dependence,
        array=behind(array, len(outer), len(layout.samples)) if axis else array,
    )


def behind(array, position: int, count: int):
    """Move the axis at a position behind the `count` axes that follow it."""
    return jnp.moveaxis(array, position, position + count) if count else array
