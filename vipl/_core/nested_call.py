"""A call of a nested expectation: its body in one equation, for the transformation to look into.

What makes the equation more than a call is that an interpreter may take the expectation over the choices inside before
anything outside sees a value.
"""

from __future__ import annotations

import functools

import jax
import jax.core
import jax.extend.core
from jax.interpreters import ad, batching, mlir

from vipl._core.compat import Primitive, open_jaxpr
from vipl._core.errors import ProgramError
from vipl._core.structural_vmap import close_over, structural_vmap

expect_p = Primitive("vipl_expect")
expect_p.multiple_results = True


def bind_expectation(jaxpr, name: str, estimators: tuple) -> list:
    """Put a jaxpr of no inputs, whose first result is the scalar, into what is being staged, as one equation.

    Args:
        jaxpr: the jaxpr, with its constants.
        name: what to call it in errors.
        estimators: pairs of address glob and estimator.
    """
    opened, consts = open_jaxpr(jaxpr)
    return expect_p.bind(*consts, jaxpr=close_over(opened), name=name, estimators=estimators)


@expect_p.def_abstract_eval
def _abstract_eval(*operands, jaxpr, name, estimators):
    del operands, name, estimators
    return [jax.core.ShapedArray(aval.shape, aval.dtype) for aval in jaxpr.out_avals]


def _batch(axis_data, operands, dims, *, jaxpr, name, estimators):
    operands = [x if dim is None else jax.numpy.moveaxis(x, dim, 0) for x, dim in zip(operands, dims, strict=True)]
    axes = [None if dim is None else 0 for dim in dims]
    lanes = structural_vmap(jax.extend.core.jaxpr_as_fun(jaxpr), axes, axis_data.size)  # each draws on its own
    outs = bind_expectation(jax.make_jaxpr(lambda: lanes(*operands))(), name, estimators)
    return outs, [0] * len(outs)


def _evaluate(*operands, jaxpr, name, estimators):
    del name, estimators
    return jax.extend.core.jaxpr_as_fun(jaxpr)(*operands)


def _refuse_derivative(primals, tangents, *, name, **params):
    del primals, tangents, params
    raise ProgramError(
        f"a derivative is taken inside the objective, through the nested expectation {name}.",
        fix="differentiate the outer expectation from outside",
    )


batching.fancy_primitive_batchers[expect_p] = _batch
ad.primitive_jvps[expect_p] = _refuse_derivative
expect_p.def_impl(_evaluate)
mlir.register_lowering(expect_p, mlir.lower_fun(functools.partial(_evaluate), multiple_results=True))
