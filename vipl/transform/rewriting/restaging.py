"""Staging a jaxpr anew, with some of its equations changed and every statement as it is."""

from __future__ import annotations

import dataclasses

import jax

from vipl._core.compat import at_line_of, open_jaxpr, rebind
from vipl._core.constructs import CONSTRUCTS
from vipl._core.equations import flow
from vipl._core.interpreter import locate
from vipl._core.staging import Staged


class Restaging:
    """Runs a jaxpr while another is being staged; serves the constructs as their walk. Subclasses change equations.

    Args:
        changed: by id, the equations to change, and those around them.
    """

    rebinds = True

    def __init__(self, changed):
        self.changed, self.handler = changed, self

    def restage(self, staged: Staged) -> Staged:
        """Return a staged objective with the changes."""
        closed = jax.make_jaxpr(lambda: self.run(staged.jaxpr, staged.consts, []))()
        jaxpr, consts = open_jaxpr(closed)
        return dataclasses.replace(staged, jaxpr=jaxpr, consts=consts, statements=locate(jaxpr))

    def __call__(self, body, operands, given, path):
        """Run a jaxpr inside a construct."""
        jaxpr, consts = open_jaxpr(body)
        return self.run(jaxpr, consts, operands), {}

    def run(self, jaxpr, consts, operands) -> list:
        """Run a jaxpr; returns its results."""

        def step(_, eqn, values):
            with at_line_of(eqn):
                return self.equation(eqn, values) if id(eqn) in self.changed else rebind(eqn, values)

        return flow(jaxpr, consts, operands, lambda literal: literal.val, step)

    def equation(self, eqn, values) -> list:
        """Run an equation that changes, or holds one that does."""
        if eqn.primitive.name in ("jit", "pjit"):
            return self._jit(eqn, values)
        return CONSTRUCTS[eqn.primitive.name].run(eqn, values, self, {}, ())[0]

    def _jit(self, eqn, values) -> list:
        """Stage a call under its old name, which may say something to others."""
        function = lambda *values: self(eqn.params["jaxpr"], values, {}, ())[0]  # noqa: E731
        function.__name__ = eqn.params["name"]
        return jax.jit(function)(*values)
