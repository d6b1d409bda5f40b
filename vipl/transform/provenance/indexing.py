"""Rules for primitives that read or write at indices, which may themselves depend on choices.

A window that spans a whole axis can only start at 0 (elsewhere it is clamped, or dropped altogether), so it
keeps that axis in line.
"""

from __future__ import annotations

from vipl.transform.provenance.alignment import JOINT, Along
from vipl.transform.provenance.moving import identity, rank, whole_axes


def _dynamic_slice(eqn):
    return whole_axes(eqn, eqn.params["slice_sizes"])


def _dynamic_update_slice(eqn):
    operand, update, *starts = eqn.invars
    sizes = zip(operand.aval.shape, update.aval.shape, strict=True)
    spans = tuple(Along(axis) if old == new else JOINT for axis, (old, new) in enumerate(sizes))
    return [identity(operand), spans, *[() for _ in starts]]


def _gather(eqn):
    """Batching axes, whole windows and the axes of the indices keep their order; indexed axes are moved."""
    operand, indices = eqn.invars
    numbers, sizes = eqn.params["dimension_numbers"], eqn.params["slice_sizes"]
    batch_out = [axis for axis in range(rank(eqn.outvars[0])) if axis not in numbers.offset_dims]
    batching = list(numbers.operand_batching_dims)
    gone = {*numbers.collapsed_slice_dims, *batching}
    kept = [axis for axis in range(rank(operand)) if axis not in gone]

    def operand_axis(axis):
        if axis in batching:
            return Along(batch_out[numbers.start_indices_batching_dims[batching.index(axis)]])
        if axis in kept and sizes[axis] == operand.aval.shape[axis]:
            return Along(int(numbers.offset_dims[kept.index(axis)]))
        return JOINT

    of_indices = tuple(Along(axis) for axis in batch_out)
    return [tuple(map(operand_axis, range(rank(operand)))), (*of_indices, JOINT)]


def _scatter(eqn):
    """The operand stays; batching axes and whole windows of what is written are in line with it."""
    operand, indices, updates = eqn.invars
    numbers = eqn.params["dimension_numbers"]
    batching = dict(zip(numbers.scatter_indices_batching_dims, numbers.operand_batching_dims, strict=True))
    gone = {*numbers.inserted_window_dims, *numbers.operand_batching_dims}
    kept = [axis for axis in range(rank(operand)) if axis not in gone]
    windows = dict(zip(numbers.update_window_dims, kept, strict=True))
    scattered = [axis for axis in range(rank(updates)) if axis not in windows]

    def index_axis(axis):
        return Along(int(batching[axis])) if axis in batching else JOINT

    def update_axis(axis):
        if axis in scattered:
            return index_axis(scattered.index(axis))
        whole = updates.aval.shape[axis] == operand.aval.shape[windows[axis]]
        return Along(int(windows[axis])) if whole else JOINT

    return [
        identity(operand),
        tuple(map(index_axis, range(rank(indices)))),
        tuple(map(update_axis, range(rank(updates)))),
    ]


INDEXING = {
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    "gather": _gather,
    **dict.fromkeys(("scatter", "scatter-add", "scatter-sub", "scatter-mul", "scatter-min", "scatter-max"), _scatter),
}
