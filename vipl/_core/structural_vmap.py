"""`vmap` as a construct of programs: it keeps its body, so that an interpreter can go inside.

`jax.vmap` dissolves its function: afterwards a `cond` whose predicate differs between the lanes has become a
select of both branches. `vmap` here binds the body as one equation instead. Interpreters first give the body
its meaning and vectorise the result, so every site draws independently in each lane and a branch counts only
in the lanes that take it.
"""

from __future__ import annotations

import functools

import jax
import jax.core
import jax.extend.core
from jax.interpreters import ad, batching, mlir

from vipl._core.compat import Primitive, open_jaxpr
from vipl._core.errors import ProgramError

vmap_p = Primitive("vipl_vmap")
vmap_p.multiple_results = True


def structural_vmap(fn, in_axes, axis_size: int):
    """Return `fn` of flat arrays, mapped at axis 0 where `in_axes` says 0, as one equation."""

    def mapped(*operands):
        lane = [
            jax.ShapeDtypeStruct(x.shape[1:] if axis == 0 else x.shape, x.dtype)
            for x, axis in zip(operands, in_axes, strict=True)
        ]
        body, shapes = jax.make_jaxpr(fn, return_shape=True)(*lane)
        jaxpr, consts = open_jaxpr(body)
        if not _speaks(jaxpr):  # an ordinary function, which may be differentiated
            outs = jax.vmap(jax.extend.core.jaxpr_as_fun(body), tuple(in_axes), axis_size=axis_size)(*operands)
            return jax.tree.unflatten(jax.tree.structure(shapes), outs)
        outs = vmap_p.bind(
            *consts,
            *operands,
            jaxpr=close_over(jaxpr),
            in_axes=(None,) * len(consts) + tuple(in_axes),
            size=axis_size,
        )
        return jax.tree.unflatten(jax.tree.structure(shapes), outs)

    return mapped


def _speaks(jaxpr) -> bool:
    """Return whether there is a statement inside."""
    return any(
        eqn.primitive.name == "vipl_statement"
        or any(_speaks(open_jaxpr(inner)[0]) for inner in jax.extend.core.jaxprs_in_params(eqn.params))
        for eqn in jaxpr.eqns
    )


def close_over(jaxpr):
    """Return the body as a function of its constants and its arguments; constants become operands."""
    return jax.extend.core.ClosedJaxpr(jaxpr.replace(constvars=[], invars=[*jaxpr.constvars, *jaxpr.invars]), [])


@vmap_p.def_abstract_eval
def _abstract_eval(*operands, jaxpr, in_axes, size):
    del operands, in_axes
    return [jax.core.ShapedArray((size, *aval.shape), aval.dtype) for aval in jaxpr.out_avals]


def _evaluate(*operands, jaxpr, in_axes, size):
    body = jax.extend.core.jaxpr_as_fun(jaxpr)
    return jax.vmap(body, in_axes=in_axes, axis_size=size)(*operands)


def _batch(axis_data, operands, dims, *, jaxpr, in_axes, size):
    """An outer `jax.vmap`: batch the body, keep the equation."""
    operands = [x if dim is None else jax.numpy.moveaxis(x, dim, 0) for x, dim in zip(operands, dims, strict=True)]
    outer = [None if dim is None else 0 for dim in dims]
    # The operand's axes are now (outer, inner, …); the body is mapped over `inner`, so bring that one to the front.
    operands = [
        jax.numpy.swapaxes(x, 0, 1) if o == 0 and i == 0 else x
        for x, o, i in zip(operands, outer, in_axes, strict=True)
    ]
    body = jax.vmap(jax.extend.core.jaxpr_as_fun(jaxpr), in_axes=outer, axis_size=axis_data.size)
    outs = structural_vmap(body, in_axes, size)(*operands)
    return outs, [1] * len(outs)


def _refuse_derivative(primals, tangents, **params):
    del primals, tangents, params
    raise ProgramError(
        "a derivative is taken inside the program, through vipl.vmap.",
        fix="differentiate vipl.log_density or an expectation of the program from outside, or use jax.vmap there",
    )


batching.fancy_primitive_batchers[vmap_p] = _batch
ad.primitive_jvps[vmap_p] = _refuse_derivative
vmap_p.def_impl(_evaluate)
mlir.register_lowering(vmap_p, mlir.lower_fun(functools.partial(_evaluate), multiple_results=True))
