"""The particle filter: particles move in lockstep, and before each step of the scan they are resampled.

With a *retained* path it is the conditional one: one particle, in a slot that wanders, keeps that path's values.

    Ẑ = Π_t mean_n w_t^n, over the steps before which it resampled and the end
    E[Ẑ] = p(y), and E[1/Ẑ] = 1/p(y) where x ~ p(x|y) is retained
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from vipl._core.estimated_density import Body
from vipl.programs.particle import log_mean_exp, run_particle
from vipl.programs.smc.machine import Machine, Move


@dataclasses.dataclass(frozen=True)
class Result:
    """What a filter leaves behind.

    Attributes:
        log_weights: of the particles at the end, `(N,)`.
        log_evidence: log Ẑ.
        before, steps, after: values of the sites by name, `(N, …)`, `(T, N, …)` and `(N, …)`.
        ancestors: `(T, N)`.
        reverse: whether the scan runs backwards.
    """

    log_weights: jax.Array
    log_evidence: jax.Array
    before: dict
    steps: dict
    after: dict
    ancestors: jax.Array
    reverse: bool

    def path(self, particle) -> dict:
        """Return the values of one particle at the end and of its ancestors, by name."""
        root, at = trace_back(self.ancestors, particle, self.reverse)
        steps = jax.tree.map(lambda leaf: jax.vmap(lambda row, i: row[i])(leaf, at), self.steps)
        pick = lambda values, index: jax.tree.map(lambda leaf: leaf[index], values)  # noqa: E731
        return pick(self.before, root) | steps | pick(self.after, particle)


@dataclasses.dataclass(frozen=True)
class Filter:
    """A particle filter in a walk.

    Attributes:
        machines: the program, observed where its sites are kept; and before it the proposal, if there is one.
        handler: the handler of the walk around.
        count: N.
        resampling: draws ancestors; inputs are the log weights and whether to resample.
        conditional: draws ancestors and the slot of the retained particle; inputs are the log weights, the slot so far
            and whether to resample.
        threshold: resample where the effective sample size is below this share of N; None is always.
        noise: what is given, by path.
    """

    machines: tuple[Machine, ...]
    handler: Any
    count: int
    resampling: Body
    conditional: Body
    threshold: float | None
    noise: dict

    @property
    def params(self) -> dict:
        """What the params of a user's proposal put out."""
        return self.machines[0].params if len(self.machines) > 1 else {}

    def run(self, retained: dict | None = None, slot=None) -> Result:
        """Run it.

        Args:
            retained: values of the retained path by name, or None.
            slot: where it starts.
        """
        model = self.machines[-1]
        before, scanned, last = self._noise_in_parts()
        names = self._names_in_parts()
        moves, log_weights = self._move(lambda m, noise, v: m.before(noise, v), before, _some(retained, names[0]), slot)
        own = [move.handed_on for move in moves]
        state = ([m.carry(o) for m, o in zip(self.machines, own, strict=True)], own, log_weights, slot)
        length, reverse = model.parts.scan.params["length"], model.parts.scan.params["reverse"]
        weighted = bool(model.parts.before.jaxpr.eqns)
        sliced = ([m.slices() for m in self.machines], scanned, _some(retained, names[1]), jnp.arange(length))
        local = {p: g for p, g in self.noise.items() if _within(p, (self.resampling.path, self.conditional.path))}

        def step(state, xs):
            slices, noise, given, index, local = xs
            first = index == (length - 1 if reverse else 0)
            ancestors, slot, evidence, state = self._resample(state, local, weighted | ~first)
            carry, own, log_weights = state

            def move(machine, noise, values):
                i = self.machines.index(machine)
                return machine.step(carry[i], own[i], slices[i], index, noise, values)

            moves, increments = self._move(move, noise, given, slot)
            sizes = [m.parts.split[1] for m in self.machines]
            carry = [move.handed_on[:n] for move, n in zip(moves, sizes, strict=True)]
            stacked = [move.handed_on[n:] for move, n in zip(moves, sizes, strict=True)]
            kept = [
                [x for x, needed in zip(arrays, m.stacked_needed(), strict=True) if needed]
                for arrays, m in zip(stacked, self.machines, strict=True)
            ]
            return (carry, own, log_weights + increments, slot), (moves[0].values, ancestors, kept, evidence)

        state, (values, ancestors, kept, evidence) = lax.scan(
            step, state, (*sliced, local), length=length, reverse=reverse
        )
        carry, own, log_weights, slot = state
        stacked = [self._stacked(i, ancestors, arrays, reverse) for i, arrays in enumerate(kept)]

        def move(machine, noise, values):
            i = self.machines.index(machine)
            return machine.after(own[i], carry[i], stacked[i], noise, values)

        finals, increments = self._move(move, last, _some(retained, names[2]), slot)
        log_weights = log_weights + increments
        log_evidence = jnp.sum(evidence) + log_mean_exp(log_weights)
        return Result(log_weights, log_evidence, moves[0].values, values, finals[0].values, ancestors, reverse)

    def _move(self, move, noise, retained, slot):
        """Draw all particles, put the retained one in its slot, and weigh; the moves, the proposal's first."""
        drawn: Move = move(self.machines[0], noise, None)
        if slot is not None and drawn.values:
            mine = jnp.arange(self.count) == slot
            fixed = {name: _where(mine, retained[name], value) for name, value in drawn.values.items()}
            scored = move(self.machines[0], noise, fixed)
            drawn = jax.tree.map(lambda one, other: _where(mine, one, other), scored, drawn)
        if len(self.machines) == 1:
            return [drawn], drawn.log_rest
        weighed = move(self.machines[1], {}, drawn.values)
        return [drawn, weighed], weighed.log_sites + weighed.log_rest - drawn.log_sites - drawn.log_rest

    def _resample(self, state, local, may):
        carry, own, log_weights, slot = state
        flag = may
        if self.threshold is not None:
            weights = jax.nn.softmax(jnp.where(jnp.isfinite(jnp.max(log_weights)), log_weights, 0.0))
            flag = flag & (1 / jnp.sum(weights**2) < self.threshold * self.count)
        some = jnp.isfinite(jnp.max(log_weights) if slot is None else log_weights[slot])
        logits = jnp.where(some, log_weights, 0.0)
        if slot is None:
            (ancestors,), _ = run_particle(self.resampling, self.handler, {}, local, [logits, flag])
        else:
            (both,), _ = run_particle(self.conditional, self.handler, {}, local, [logits, slot, flag])
            ancestors, slot = both[:-1], both[-1]
        moved = jax.tree.map(lambda leaf: leaf[ancestors], (carry, own))
        evidence = jnp.where(flag, log_mean_exp(log_weights), 0.0)
        return ancestors, slot, evidence, (*moved, jnp.where(flag, 0.0, log_weights))

    def _stacked(self, i, ancestors, arrays, reverse):
        """Return what the scan stacked, for each particle at the end along its own path."""
        at = jax.vmap(lambda n: trace_back(ancestors, n, reverse)[1])(jnp.arange(self.count))
        arrays, found = iter(arrays), []
        for variable, needed in zip(
            self.machines[i].stacked_variables(), self.machines[i].stacked_needed(), strict=True
        ):
            if needed:
                own = next(arrays)
                found.append(jax.vmap(lambda path, own=own: jax.vmap(lambda row, n: row[n])(own, path))(at))
            else:
                found.append(jnp.zeros((self.count, *variable.aval.shape), variable.aval.dtype))
        return found

    def _noise_in_parts(self):
        scans = tuple(m.parts.scan_path for m in self.machines)
        noise = {p: g for p, g in self.noise.items() if _within(p, (self.machines[0].parts.body.path,))}
        scanned = {p: g for p, g in noise.items() if _within(p, scans)}
        rest = {p: g for p, g in noise.items() if p not in scanned}
        at = self.machines[0].parts.position
        before = {p: g for p, g in rest.items() if p[len(self.machines[0].parts.body.path)] < at}
        last = {p: g for p, g in rest.items() if p not in before}
        return before, jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), scanned), last

    def _names_in_parts(self):
        parts = self.machines[0].parts
        depth = len(parts.body.path)
        groups: tuple = (set(), set(), set())
        for path, name in parts.body.names.items():
            groups[(path[depth] > parts.position) - (path[depth] < parts.position) + 1].add(name)
        return groups


def trace_back(ancestors, particle, reverse: bool):
    """Return a particle's ancestor before the scan, and its ancestor at each step, `(T,)`."""

    def step(at, row):
        return row[at], at

    return lax.scan(step, jnp.asarray(particle, ancestors.dtype), ancestors, reverse=not reverse)


def _some(values, names):
    return {} if values is None else {name: value for name, value in values.items() if name in names}


def _where(mine, retained, drawn):
    return jnp.where(jnp.reshape(mine, mine.shape + (1,) * (drawn.ndim - 1)), retained, drawn)


def _within(path, prefixes) -> bool:
    return any(path[: len(prefix)] == prefix for prefix in prefixes)
