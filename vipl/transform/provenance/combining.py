"""Rules for primitives that combine elements: along some axes they mix, along the others they keep order."""

from __future__ import annotations

from vipl.transform.provenance.alignment import JOINT, Along
from vipl.transform.provenance.moving import drop, keep, rank


def _cumulative(eqn):
    """An element sees those before it; in reverse, those after it, which no alignment says."""
    axis, reverse = eqn.params["axis"], eqn.params["reverse"]
    along = JOINT if reverse else Along(axis, causal=True)
    return [tuple(along if a == axis else Along(a) for a in range(rank(eqn.invars[0])))]


def _dot_general(eqn):
    (contract_left, contract_right), (batch_left, batch_right) = eqn.params["dimension_numbers"]
    left, right = eqn.invars
    free_left = [a for a in range(rank(left)) if a not in (*contract_left, *batch_left)]
    free_right = [a for a in range(rank(right)) if a not in (*contract_right, *batch_right)]
    order_left = [*batch_left, *free_left]
    order_right = [*batch_right, *[None] * len(free_left), *free_right]

    def places(order, atom):
        return tuple(Along(order.index(axis)) if axis in order else JOINT for axis in range(rank(atom)))

    return [places(order_left, left), places(order_right, right)]


def _convolution(eqn):
    """The batch, the kernel's output features and, for a kernel of size 1, space keep their order."""
    numbers, params = eqn.params["dimension_numbers"], eqn.params
    left, right = eqn.invars
    maps_left: list[Along | None] = [JOINT] * rank(left)
    maps_right: list[Along | None] = [JOINT] * rank(right)
    if params["batch_group_count"] == 1:
        maps_left[numbers.lhs_spec[0]] = Along(numbers.out_spec[0])
    maps_right[numbers.rhs_spec[0]] = Along(numbers.out_spec[1])
    for i, (axis, to) in enumerate(zip(numbers.lhs_spec[2:], numbers.out_spec[2:], strict=True)):
        size = right.aval.shape[numbers.rhs_spec[2 + i]]
        if _stays(size, params["window_strides"][i], params["padding"][i], params["lhs_dilation"][i]):
            maps_left[axis] = Along(to)
    return [tuple(maps_left), tuple(maps_right)]


def _stays(size, stride, padding, dilation) -> bool:
    """Whether a window along an axis sees one element at a time, each at its own place."""
    return (size, stride, tuple(padding), dilation) == (1, 1, (0, 0), 1)


def _windows(eqn):
    params = eqn.params
    dilations = params.get("base_dilation", (1,) * len(params["window_dimensions"]))
    settings = zip(params["window_dimensions"], params["window_strides"], params["padding"], dilations, strict=True)
    return keep(eqn, {axis for axis, window in enumerate(settings) if not _stays(*window)})


def _batched(core: int):
    """Return the rule of a function of the last `core` axes of its first operand; the others are a batch."""

    def rule(eqn):
        batch = rank(eqn.invars[0]) - core
        return [tuple(Along(a) if a < batch else JOINT for a in range(rank(atom))) for atom in eqn.invars]

    return rule


def _triangular_solve(eqn):
    """Each column (on the right side: each row) of the right-hand side is solved for by itself."""
    maps_matrix, maps_right = _batched(2)(eqn)
    free = rank(eqn.invars[1]) - (1 if eqn.params["left_side"] else 2)
    return [
        maps_matrix,
        tuple(Along(axis) if axis == free else entry for axis, entry in enumerate(maps_right)),
    ]


COMBINING = {
    **dict.fromkeys(
        "reduce_sum reduce_max reduce_min reduce_prod reduce_and reduce_or reduce_xor argmax argmin".split(),
        lambda eqn: drop(eqn, eqn.params["axes"]),
    ),
    "reduce": lambda eqn: drop(eqn, eqn.params["dimensions"]),
    **dict.fromkeys("cumsum cumprod cummax cummin cumlogsumexp".split(), _cumulative),
    "sort": lambda eqn: keep(eqn, {eqn.params["dimension"]}),
    "top_k": lambda eqn: keep(eqn, {eqn.params.get("axis", rank(eqn.invars[0]) - 1)}),
    "approx_top_k": lambda eqn: keep(eqn, {eqn.params["reduction_dimension"] % rank(eqn.invars[0])}),
    "dot_general": _dot_general,
    "conv_general_dilated": _convolution,
    **dict.fromkeys(
        """reduce_window reduce_window_sum reduce_window_max reduce_window_min select_and_gather_add
        select_and_scatter_add""".split(),
        _windows,
    ),
    **dict.fromkeys(
        "cholesky lu qr householder_product svd eigh eig schur hessenberg tridiagonal".split(), _batched(2)
    ),
    "triangular_solve": _triangular_solve,
    **dict.fromkeys(("lu_pivots_to_permutation", "tridiagonal_solve"), _batched(1)),
    "fft": lambda eqn: _batched(len(eqn.params["fft_lengths"]))(eqn),
}
