"""A program with an estimated density as one equation of the program around it: a construct like `scan` or `cond`.

The equation holds its parts as *bodies*, jaxprs with statements inside, and a *rule* that says how to run them. A walk
that binds statements again, as nesting does, rebuilds the bodies and keeps the rule.

    class Rule:
        def surroundings(self, index, around): return around          # what surrounds the statements of a body
        def run(self, bodies, handler, given, path): return results, outputs
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from typing import Any

import jax
import jax.core
import jax.extend.core
from jax.interpreters import ad, batching, mlir

from vipl._core.compat import Primitive, open_jaxpr
from vipl._core.constructs import CONSTRUCTS
from vipl._core.errors import ProgramError
from vipl._core.interpreter import Located, Walk, locate
from vipl._core.structural_vmap import close_over

estimated_p = Primitive("vipl_estimated_density")
estimated_p.multiple_results = True


@dataclasses.dataclass(frozen=True)
class Body:
    """A part of a program with an estimated density: a jaxpr with statements inside.

    Attributes:
        jaxpr: a closed jaxpr of the constants, then the inputs.
        consts: values of the constants.
        path: where it stands in the whole.
        of: stands for that program in the `parts` of statements.
        observed: values of sites that were observed when it became a part of another program, by name.
    """

    jaxpr: Any
    consts: tuple
    path: tuple[int, ...] = ()
    of: object = None
    observed: dict = dataclasses.field(default_factory=dict)

    def walk(self, handler, inputs=(), given=None):
        """Interpret it; returns its results and what its statements put out."""
        return Walk(handler)(self.jaxpr, [*self.consts, *inputs], given or {}, self.path)

    @functools.cached_property
    def statements(self) -> list[Located]:
        """Its statements, at their paths in the whole."""
        return locate(self.jaxpr, self.path)

    @functools.cached_property
    def sites(self) -> dict[str, list[Located]]:
        """The sites that it drew when it was made, by their names in it; several where exclusive branches share one.

        Those that serve programs inside of it are not its own.
        """
        found: dict[str, list[Located]] = {}
        for located in self.statements:
            name = self._name(located.statement)
            if name is not None and (not located.statement.observed or name in self.observed):
                found.setdefault(name, []).append(located)
        return found

    def _name(self, statement):
        inner = list(itertools.takewhile(lambda part: part.of is not self.of, statement.parts))
        own = hasattr(statement, "observed") and len(inner) < len(statement.parts)
        return statement.parts[len(inner)].name if own and not any(part.hidden for part in inner) else None

    @functools.cached_property
    def names(self) -> dict[tuple, str]:
        """The names of its sites, by path."""
        return {located.path: name for name, group in self.sites.items() for located in group}

    @property
    def surface(self) -> list[Located]:
        """The statements that it shows to the program around, whatever that one hides."""
        return [s for s in self.statements if not any(part.hidden for part in self._up_to_here(s.statement))]

    def _up_to_here(self, statement):
        inner = itertools.takewhile(lambda part: part.of is not self.of, statement.parts)
        return statement.parts[: len(list(inner)) + 1]


def body_of(fn, inputs=()) -> Body:
    """Return a function of flat arrays that binds statements as a body.

    Args:
        fn: the function.
        inputs: arrays or outlines of arrays.
    """
    jaxpr, consts = open_jaxpr(jax.make_jaxpr(fn)(*inputs))
    return Body(close_over(jaxpr), tuple(consts))


def bind_estimated(bodies, rule, outline, observed=None) -> list:
    """Bind a program with an estimated density.

    Args:
        bodies: its parts; the first is the program, with its surface.
        rule: how they run.
        outline: outlines of the results.
        observed: values of sites of its surface that are observed in there, by name.
    """
    observed = observed or {}
    return estimated_p.bind(
        *(const for body in bodies for const in body.consts),
        *observed.values(),
        jaxprs=tuple(body.jaxpr for body in bodies),
        splits=tuple(len(body.consts) for body in bodies),
        rule=rule,
        outline=tuple(outline),
        observed=tuple(observed),
    )


class EstimatedDensity:
    """The rule of the interpreter: run by the construct's own rule, or rebuilt."""

    def bodies(self, eqn, path, around):
        for index, jaxpr in enumerate(eqn.params["jaxprs"]):
            yield index, jaxpr, eqn.params["rule"].surroundings(index, around)

    def run(self, eqn, operands, walk, given, path):
        bodies = _parts(eqn.params, operands, path)
        if hasattr(walk.handler, "fixes"):
            return eqn.params["rule"].run(bodies, walk.handler, given, path)
        rebuilt = [_rebuilt(body, walk.handler, given) for body in bodies]
        observed = {name: given[path] for path, name in bodies[0].names.items() if path in given}
        observed = bodies[0].observed | observed
        return bind_estimated(rebuilt, eqn.params["rule"], eqn.params["outline"], observed), {}


def _rebuilt(body, handler, given):
    inputs = body.jaxpr.in_avals[len(body.consts) :]
    return body_of(lambda *xs: body.walk(handler, xs, given)[0], inputs)


def _parts(params, operands, path) -> list[Body]:
    bodies, start = [], 0
    names = params["observed"]
    observed = dict(zip(names, operands[len(operands) - len(names) :], strict=True))
    for index, (jaxpr, size) in enumerate(zip(params["jaxprs"], params["splits"], strict=True)):
        consts, on_surface = tuple(operands[start : start + size]), {} if index else observed
        bodies.append(Body(jaxpr, consts, (*path, index), params["rule"], on_surface))
        start += size
    return bodies


@estimated_p.def_abstract_eval
def _abstract_eval(*operands, outline, **params):
    del operands, params
    return [jax.core.ShapedArray(leaf.shape, leaf.dtype) for leaf in outline]


def _first_statement(jaxprs):
    return next(located.statement for jaxpr in jaxprs for located in locate(jaxpr))


def _batch(axis_data, operands, dims, *, jaxprs, **params):
    del axis_data, operands, dims, params
    statement = _first_statement(jaxprs)
    raise ProgramError(
        f"a marginal or normalized program (with site {statement.address!r}) is under jax.vmap inside of a program.",
        where=statement,
        fix="vipl.vmap(fn)(…) in place of jax.vmap(fn)(…)",
    )


def _refuse(*operands, jaxprs, **params):
    del operands, params
    statement = _first_statement(jaxprs)
    raise ProgramError(
        f"a derivative is taken inside the program, or it runs outside of one, through {statement.noun} "
        f"{statement.address!r}.",
        where=statement,
        fix="differentiate vipl.log_density or an expectation of the program from outside",
    )


batching.fancy_primitive_batchers[estimated_p] = _batch
ad.primitive_jvps[estimated_p] = lambda primals, tangents, **params: _refuse(*primals, **params)
estimated_p.def_impl(_refuse)
mlir.register_lowering(estimated_p, lambda ctx, *operands, **params: _refuse(*operands, **params))

CONSTRUCTS["vipl_estimated_density"] = EstimatedDensity()
