"""Rules for primitives whose result has, at each place, what the operands have there."""

from __future__ import annotations

from vipl.transform.provenance.alignment import JOINT, Along

ARITHMETIC = """
    abs acos acosh add add_any and asin asinh atan atan2 atanh bessel_i0e bessel_i1e bitcast_convert_type
    cbrt ceil clamp clz complex conj convert_element_type copy cos cosh digamma div eq erf erf_inv erfc exp
    exp2 expm1 floor ge gt igamma igamma_grad_a igammac imag integer_pow is_finite le le_to lgamma log log1p
    log2 logistic lt lt_to max min mul ne neg nextafter not or polygamma polynomial population_count pow
    real reduce_precision regularized_incomplete_beta rem round rsqrt select_n sharding_constraint
    shift_left shift_right_arithmetic shift_right_logical sign sin sinh sqrt square stop_gradient sub tan
    tanh xor zeta"""

# A key is one element; the numbers or keys made from it have their own axes after it.
RANDOM = """
    random_bits random_clone random_fold_in random_gamma random_seed random_split random_unwrap random_wrap"""


def elementwise(eqn):
    """Axes count from the left and keep their place, unless they are of size 1 and stretched, or dropped."""
    shape = eqn.outvars[0].aval.shape

    def along(axis, size):
        return Along(axis) if axis < len(shape) and size == shape[axis] else JOINT

    return [tuple(along(axis, size) for axis, size in enumerate(atom.aval.shape)) for atom in eqn.invars]


ELEMENTWISE = dict.fromkeys((ARITHMETIC + RANDOM).split(), elementwise)
