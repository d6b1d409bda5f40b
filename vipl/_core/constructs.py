"""How to walk inside each JAX construct: the rule table of the interpreter.

A rule says two things: `bodies`, the jaxprs inside with what surrounds them there, and `run`, which runs the
construct on new operands with its statements interpreted, threading `given` in and outputs out. There,
`walk(body, operands, given, path)` interprets a jaxpr inside and `walk.handler` is the handler. To support
another construct, write one class and add it to `CONSTRUCTS`.
"""

from __future__ import annotations

import jax
import jax.extend.core
import jax.numpy as jnp
from jax import lax

from vipl._core.compat import scan_split
from vipl._core.nested_call import bind_expectation
from vipl._core.structural_vmap import structural_vmap


class Inline:
    """A construct that only wraps a function: `jit`, `custom_jvp`, `custom_vjp`, a closed call.

    A custom derivative rule speaks of a function without sites; with a site inside, the body is
    differentiated as it stands.
    """

    def __init__(self, parameter):
        self.parameter = parameter

    def bodies(self, eqn, path, around):
        yield 0, eqn.params[self.parameter], around

    def run(self, eqn, operands, walk, given, path):
        return walk(eqn.params[self.parameter], operands, given, (*path, 0))


class Remat(Inline):
    """`jax.checkpoint`: keeps its policy."""

    def run(self, eqn, operands, walk, given, path):
        params = eqn.params

        def body(operands, given):
            return walk(params["jaxpr"], operands, given, (*path, 0))

        return jax.checkpoint(body, prevent_cse=params["prevent_cse"], policy=params["policy"])(operands, given)


class Scan:
    """`lax.scan`, and `fori_loop` and `map` with it: what is given and put out has the steps as leading axis."""

    def bodies(self, eqn, path, around):
        axes = (*around.get("axes", ()), eqn.params["length"])
        yield 0, eqn.params["jaxpr"], {**around, "axes": axes}

    def run(self, eqn, operands, walk, given, path):
        params = eqn.params
        num_consts, num_carry = scan_split(params)
        consts, init = operands[:num_consts], operands[num_consts : num_consts + num_carry]

        def step(carry, slices):
            xs, given = slices
            results, outputs = walk(params["jaxpr"], [*consts, *carry, *xs], given, (*path, 0))
            return results[:num_carry], (results[num_carry:], outputs)

        carry, (ys, outputs) = lax.scan(
            step,
            with_types(init, params["jaxpr"].in_avals[num_consts:]),
            (operands[num_consts + num_carry :], given),
            length=params["length"],
            reverse=params["reverse"],
            unroll=params["unroll"],
        )
        return [*carry, *ys], outputs


class Vmap:
    """`vipl.vmap`: the body is interpreted, then vectorised."""

    def bodies(self, eqn, path, around):
        axes = (*around.get("axes", ()), eqn.params["size"])
        yield 0, eqn.params["jaxpr"], {**around, "axes": axes}

    def run(self, eqn, operands, walk, given, path):
        params = eqn.params
        leaves, structure = jax.tree.flatten(given)
        shapes = []

        def body(*flat):
            inside = jax.tree.unflatten(structure, flat[len(operands) :])
            out = walk(params["jaxpr"], flat[: len(operands)], inside, (*path, 0))
            flat_out, out_structure = jax.tree.flatten(out)
            shapes[:] = [out_structure]
            return flat_out

        in_axes = (*params["in_axes"], *[0] * len(leaves))
        mapped = structural_vmap if walk.handler.rebinds else jax.vmap
        options = {"axis_size": params["size"]}
        flat_out = mapped(body, in_axes, **options)(*map(jnp.asarray, operands), *leaves)
        return jax.tree.unflatten(shapes[0], flat_out)


class Nested(Inline):
    """A nested expectation: it stays one equation, and says which estimators it wants inside."""

    def bodies(self, eqn, path, around):
        estimators = (*eqn.params["estimators"], *around.get("estimators", ()))
        yield 0, eqn.params["jaxpr"], {**around, "estimators": estimators}

    def run(self, eqn, operands, walk, given, path):
        params = eqn.params
        inside = jax.make_jaxpr(lambda: walk(params["jaxpr"], operands, given, (*path, 0))[0])()
        return bind_expectation(inside, params["name"], params["estimators"]), {}


class Conditional:
    """What a statement inside a branch put out, with `ran`: whether the branch was taken."""

    def __init__(self, output, ran):
        self.output, self.ran = output, ran


jax.tree_util.register_pytree_node(
    Conditional, lambda c: ((c.output, c.ran), None), lambda _, children: Conditional(*children)
)


class Cond:
    """`lax.cond` and `lax.switch`: outputs of the branches not taken are zeros, with `ran` False."""

    def bodies(self, eqn, path, around):
        outer = around.get("branches", ())
        for index, branch in enumerate(eqn.params["branches"]):
            yield index, branch, {**around, "branches": (*outer, (path, index))}

    def run(self, eqn, operands, walk, given, path):
        index, *operands = operands

        def branch_function(i, branch):
            def run(operands, given):
                results, outputs = walk(branch, operands, given, (*path, i))
                marked = {
                    p: o if isinstance(o, Conditional) else Conditional(o, jnp.array(True)) for p, o in outputs.items()
                }
                return [jnp.asarray(r) for r in results], marked

            return run

        staged, outlines = [], []
        for i, branch in enumerate(eqn.params["branches"]):
            closed, (_, outline) = jax.make_jaxpr(branch_function(i, branch), return_shape=True)(operands, given)
            staged.append(closed)
            outlines.append(outline)
        everything = {p: o for outline in outlines for p, o in outline.items()}

        def padded(closed, outline):
            structure = jax.tree.structure((list(eqn.outvars), outline))

            def run(*leaves):
                flat = jax.extend.core.jaxpr_as_fun(closed)(*leaves)
                results, outputs = jax.tree.unflatten(structure, flat)
                return results, {p: outputs[p] if p in outputs else _zeros(o) for p, o in everything.items()}

            return run

        leaves = jax.tree.leaves((operands, given))
        branches = [padded(c, o) for c, o in zip(staged, outlines, strict=True)]
        return lax.switch(index, branches, *leaves)


class While:
    """`lax.while_loop`: statements run, and what they put out is not kept; the loop's length is not known."""

    def bodies(self, eqn, path, around):
        for located_in, step in (("cond_jaxpr", 0), ("body_jaxpr", 1)):
            yield step, eqn.params[located_in], {**around, "loop": path}

    def run(self, eqn, operands, walk, given, path):
        params = eqn.params
        n, m = params["cond_nconsts"], params["body_nconsts"]
        predicate_consts, body_consts, init = operands[:n], operands[n : n + m], operands[n + m :]

        lanes = params["cond_jaxpr"].out_avals[0].shape

        def going(carry):
            return walk(params["cond_jaxpr"], [*predicate_consts, *carry], {}, (*path, 0))[0][0]

        def body(state):
            iteration, carry = state
            now = {p: walk.handler.at_iteration(g, iteration) for p, g in given.items()}
            results, _ = walk(params["body_jaxpr"], [*body_consts, *carry], now, (*path, 1))
            if lanes:  # under jax.vmap: lanes that are done keep what they have
                on = going(carry)
                ranked = [jnp.reshape(on, on.shape + (1,) * (jnp.ndim(r) - on.ndim)) for r in results]
                results = [jnp.where(*three) for three in zip(ranked, results, carry, strict=True)]
            return iteration + 1, results

        init = with_types(init, params["body_jaxpr"].in_avals[m:])
        return lax.while_loop(lambda state: jnp.any(going(state[1])), body, (jnp.int32(0), init))[1], {}


def _zeros(outline):
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), outline)


def with_types(values, avals):
    """Return values with the dtypes that staging settled on: an integer may have been given for a float."""
    return [
        v if jnp.result_type(v) == a.dtype else jnp.asarray(v, a.dtype) for v, a in zip(values, avals, strict=False)
    ]


CONSTRUCTS = {
    "jit": Inline("jaxpr"),
    "pjit": Inline("jaxpr"),
    "closed_call": Inline("call_jaxpr"),
    "core_call": Inline("call_jaxpr"),
    "custom_jvp_call": Inline("call_jaxpr"),
    "custom_vjp_call": Inline("call_jaxpr"),
    "custom_vjp_call_jaxpr": Inline("fun_jaxpr"),
    "remat2": Remat("jaxpr"),
    "checkpoint": Remat("jaxpr"),
    "scan": Scan(),
    "vipl_vmap": Vmap(),
    "vipl_expect": Nested("jaxpr"),
    "cond": Cond(),
    "while": While(),
}
