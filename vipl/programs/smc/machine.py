"""One program that particles run through in lockstep: its state, and what a move of all particles puts out."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax

from vipl._core.compat import Literal, open_jaxpr
from vipl._core.interpreter import interpret
from vipl.programs.particle import Particle, over_particles, params_in, split_total, values_of
from vipl.programs.segments import Segments


@dataclasses.dataclass(frozen=True)
class Move:
    """What a move of all particles gave: an axis of particles is in front of each.

    Attributes:
        handed_on: values for what comes after.
        values: of the sites, by name.
        log_sites: log density of these sites, `(N,)`.
        log_rest: log density of all else, `(N,)`.
    """

    handed_on: list
    values: dict
    log_sites: jax.Array
    log_rest: jax.Array


jax.tree_util.register_dataclass(Move)


class Machine:
    """Runs the segments of a program for N particles.

    Args:
        parts: the program in segments.
        inputs: values of the inputs of its body.
        handler: the handler of the walk around.
        count: N.
    """

    def __init__(self, parts: Segments, inputs, handler, count: int):
        self.parts, self.handler, self.count = parts, handler, count
        body = parts.body
        opened = body.jaxpr.jaxpr
        self.known = dict(zip(opened.invars, [*body.consts, *inputs], strict=True))
        results, outputs = parts.shared.run([self.known[v] for v in parts.shared.reads], Particle(handler), {})
        self.known.update(zip(parts.shared.hands_on, results, strict=True))
        self.params = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (count, *leaf.shape)), params_in(outputs))
        self.own = (*parts.before.hands_on,)  # what particles have of their own, besides the carry

    def before(self, noise, values=None) -> Move:
        """Run what is before the scan."""
        piece = self.parts.before

        def lane(walker, given, mine):
            return piece.run(self._read(piece.reads, mine), walker, given)

        return self._move(lane, noise, values, [])

    def carry(self, own) -> list:
        """Return the initial carry of all particles."""
        num_consts, num_carry = self.parts.split
        atoms = self.parts.scan.invars[num_consts : num_consts + num_carry]
        avals = self.parts.scan.params["jaxpr"].in_avals[num_consts : num_consts + num_carry]
        names = set(self.own)
        lanes = dict(zip(self.own, own, strict=True))

        def of(atom, aval):
            if not isinstance(atom, Literal) and atom in names:
                return jnp.asarray(lanes[atom], aval.dtype)
            value = jnp.asarray(self._shared(atom), aval.dtype)
            return jnp.broadcast_to(value, (self.count, *value.shape))

        return [of(atom, aval) for atom, aval in zip(atoms, avals, strict=True)]

    def slices(self) -> list:
        """Return the operands that the scan slices and that all particles share."""
        return [self._shared(atom) for atom in self._sliced() if not self._is_own(atom)]

    def step(self, carry, own, slices, index, noise, values=None) -> Move:
        """Run a step of the scan: hands on the new carry, and what the step stacks."""
        num_consts, _ = self.parts.split

        def lane(walker, given, mine):
            carry, own = mine
            lanes, shared = dict(zip(self.own, own, strict=True)), iter(slices)
            consts = [self._value(atom, lanes) for atom in self.parts.scan.invars[:num_consts]]
            at = lambda x: lax.dynamic_index_in_dim(x, index, keepdims=False)  # noqa: E731
            xs = [at(lanes[a]) if self._is_own(a) else next(shared) for a in self._sliced()]
            jaxpr, constants = open_jaxpr(self.parts.scan.params["jaxpr"])
            return interpret(jaxpr, constants, [*consts, *carry, *xs], walker, given, self.parts.scan_path)

        return self._move(lane, noise, values, (carry, own))

    def after(self, own, carry, stacked, noise, values=None) -> Move:
        """Run what is after the scan."""
        piece = self.parts.after
        variables = [*self.own, *self.parts.scan.outvars]

        def lane(walker, given, mine):
            return piece.run(self._read(piece.reads, mine, variables), walker, given)

        return self._move(lane, noise, values, [*own, *carry, *stacked])

    def stacked_variables(self) -> list:
        """Return the variables that the scan stacks."""
        return list(self.parts.scan.outvars[self.parts.split[1] :])

    def stacked_needed(self) -> list[bool]:
        """Return which of the arrays that the scan stacks are read after it."""
        reads = set(self.parts.after.reads)
        return [v in reads for v in self.stacked_variables()]

    def _move(self, lane, noise, values, mine) -> Move:
        body = self.parts.body
        by_path = {} if values is None else {s.path: values[n] for n, g in body.sites.items() if n in values for s in g}

        def one(noise, fixed, mine):
            walker = Particle(self.handler, frozenset(fixed))
            handed_on, outputs = lane(walker, noise | fixed, mine)
            log_sites, log_rest = split_total(body, outputs, body.sites)
            return Move(handed_on, values_of(body, outputs), log_sites, log_rest)

        return over_particles(self.handler, self.count, one, {} if by_path else noise, by_path, mine)

    def _sliced(self):
        num_consts, num_carry = self.parts.split
        return self.parts.scan.invars[num_consts + num_carry :]

    def _is_own(self, atom) -> bool:
        return not isinstance(atom, Literal) and atom in self.own

    def _shared(self, atom):
        return atom.val if isinstance(atom, Literal) else self.known[atom]

    def _value(self, atom, lanes):
        return lanes[atom] if self._is_own(atom) else self._shared(atom)

    def _read(self, reads, mine, variables=()):
        lanes = dict(zip(variables, mine, strict=True)) if variables else {}
        return [lanes[v] if v in lanes else self.known[v] for v in reads]
