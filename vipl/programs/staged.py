"""A program staged inside of another as a body, with the sites that serve from inside hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from vipl._core import ambient
from vipl._core.equations import flow
from vipl._core.errors import DensityError, ShapeError
from vipl._core.estimated_density import Body, bind_estimated, body_of
from vipl._core.interpreter import has_statements, interpret, statements_inside
from vipl._core.source import user_source
from vipl._core.staging import Staged, stage
from vipl._core.statement import Part, bind_again, over_lanes, statement_p
from vipl.lang.factor import DeterministicStatement, FactorStatement
from vipl.lang.nesting import as_observed, run_inside
from vipl.lang.param import ParamStatement
from vipl.lang.plate import IndicesStatement
from vipl.lang.program import Program
from vipl.lang.site import SampleStatement


def stage_inside(program: Program, purpose: str) -> Staged:
    """Stage a program in the present surroundings.

    Args:
        program: a Program.
        purpose: what is made of it, for errors.

    Raises:
        DensityError: its density cannot be estimated: it has sites in a `while_loop`, or a subsampled plate.
        ShapeError: there is a plate around.
    """
    plates = ambient.current().plates
    if plates:
        raise ShapeError(
            f"{purpose} is inside of plate {plates[-1].name!r}: its elements would be weighed together.",
            where=f"plate {plates[-1].name!r}, {user_source()}",
            fix=f"vipl.vmap(lambda x: …, axis_size={plates[-1].size})(data) weighs each element by itself",
        )
    staged = stage(lambda: run_inside(program), kind="nested")
    for located in staged.statements:
        statement = located.statement
        if located.loop is not None and not isinstance(statement, (ParamStatement, DeterministicStatement)):
            raise DensityError(
                f"{purpose}: {statement.noun} {statement.address!r} is inside a while_loop, which runs an unknown "
                "number of times.",
                where=statement,
                fix="jax.lax.scan or fori_loop with Python-int bounds",
            )
        if isinstance(statement, IndicesStatement):
            raise DensityError(
                f"{purpose}: plate {statement.address!r} is subsampled; an unbiased estimate of a log density is a "
                "biased one of the density.",
                where=statement,
                fix=f"no subsample_size, or program | {{{statement.address!r}: indices}}",
            )
        if getattr(statement, "scale", 1.0) != 1.0:
            raise DensityError(
                f"{purpose}: {statement.noun} {statement.address!r} is scaled by a subsampled plate.",
                where=statement,
                fix="no subsample_size in this program",
            )
    return staged


class Relabel:
    """Binds the statements of a program again, as parts of a program with an estimated density.

    Deterministic values are values and no statements any more.

    Args:
        of: stands for that program.
        scope: the scope that it is in.
        hides: `hides(statement)` says whether a statement is no part of its surface.
        into: the scope that hidden statements go to; params stay, since a program and its copies share them.
        drawn: whether its sites are ever drawn; those that serve programs inside of it are.
        estimates: whether the hidden ones are drawn for the density of given values too.
    """

    rebinds = True

    def __init__(
        self, of, scope: str, hides: Callable[[Any], bool], into: str, drawn: bool = True, estimates: bool = True
    ):
        self.of, self.scope, self.hides, self.into, self.drawn = of, scope, hides, into, drawn
        self.estimates = estimates

    def __call__(self, path, statement, operands, given):
        """Bind one statement again; with a value given, as observed."""
        del path
        if isinstance(statement, DeterministicStatement):
            return over_lanes(jnp.asarray, statement.lanes)(*operands), None
        hidden = self.hides(statement)
        if given is not None:
            statement, operands = as_observed(statement, given), [*operands, given]
        name = statement.address.removeprefix(self.scope)
        stays = not hidden or isinstance(statement, ParamStatement)
        return bind_again(
            operands,
            statement,
            address=statement.address if stays else self.into + name,
            parts=(*statement.parts, Part(self.of, name, hidden, self.drawn or statement.hidden, self.estimates)),
        ), None

    def at_iteration(self, given, iteration):
        """Return what is given: loops with sites have been refused."""
        del iteration
        return given


def as_body(staged: Staged, handler: Relabel, values: dict | None = None) -> Body:
    """Return a staged program as a body.

    Args:
        staged: the program.
        handler: binds its statements again.
        values: outlines of the values of some sites, by address; they are observed, and are the inputs of the body, in
            this order.
    """
    outlines = values or {}

    def run(*inputs):
        given = dict(zip(outlines, inputs, strict=True))
        at_paths = {s.path: given[s.statement.address] for s in latent_sites(staged) if s.statement.address in given}
        return interpret(staged.jaxpr, staged.consts, [], handler, at_paths)[0]

    return body_of(run, list(outlines.values()))


def is_param(statement) -> bool:
    """Return whether a statement is a learnable value."""
    return isinstance(statement, ParamStatement)


def latent_sites(staged: Staged) -> list:
    """List the latent sites of a program, without those that serve from inside of it."""
    return [
        s
        for s in staged.statements
        if isinstance(s.statement, SampleStatement) and not s.statement.observed and not s.statement.hidden
    ]


def evidence(staged: Staged) -> list:
    """List the observed sites and the factors of a program."""
    return [
        s
        for s in staged.statements
        if not s.statement.hidden
        and (isinstance(s.statement, FactorStatement) or getattr(s.statement, "observed", False))
    ]


def depends_on_hidden(body: Body) -> list[bool]:
    """Return of each result of a body whether it may depend on sites that are hidden."""

    def step(index, eqn, incoming):
        del index
        if eqn.primitive is statement_p:
            statement = eqn.params["statement"]
            given = isinstance(statement, SampleStatement) and not statement.hidden
            return [not given and (statement.hidden or any(incoming))]
        touched = any(incoming) or (has_statements(eqn) and any(s.hidden for s in statements_inside(eqn)))
        return [touched] * len(eqn.outvars)

    jaxpr = body.jaxpr.jaxpr
    return flow(jaxpr, [], [False] * len(jaxpr.invars), lambda _: False, step)


def bind_program(rule, staged: Staged, bodies: list[Body]):
    """Bind a program with an estimated density; returns what the program returns, without what depends on hidden sites.

    Args:
        rule: how the bodies run; its `returned` becomes the positions of the results.
        staged: the program.
        bodies: its parts, the program with its surface first.
    """
    touched = depends_on_hidden(bodies[0])
    rule.returned = [i for i, depends in enumerate(touched) if not depends]
    outlines = bodies[0].jaxpr.out_avals
    results = iter(bind_estimated(bodies, rule, [outlines[i] for i in rule.returned]))
    return staged.out.fill([None if depends else next(results) for depends in touched])


def free_name(staged: Staged, scope: str, name: str) -> str:
    """Return a scope of this name that no address of a program begins with: `name/`, or `name_2/` and so on."""
    taken, number, free = {s.statement.address for s in staged.statements}, 1, f"{scope}{name}/"
    while any(address.startswith(free) for address in taken):
        number += 1
        free = f"{scope}{name}_{number}/"
    return free
