"""Tables: arrays whose axes have names, of variables and of plates."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of log weights.

    Attributes:
        variables: numbers of the variables whose states the first axes are.
        plates: plates whose elements the other axes are.
        array: the log weights.
    """

    variables: tuple[int, ...]
    plates: tuple[int, ...]
    array: jax.Array

    def over(self, variables, plates) -> jax.Array:
        """Return the array with the axes asked for, in order; of size one where it has none."""
        axes = [*[("variable", i) for i in self.variables], *[("plate", p) for p in self.plates]]
        wanted = [*[("variable", i) for i in variables], *[("plate", p) for p in plates]]
        moved = jnp.transpose(self.array, [axes.index(axis) for axis in wanted if axis in axes])
        return jnp.expand_dims(moved, [n for n, axis in enumerate(wanted) if axis not in axes])

    def multiplied(self, plates) -> Table:
        """Return the product over the elements of some plates: the sum of their log weights."""
        axes = tuple(len(self.variables) + self.plates.index(plate) for plate in plates if plate in self.plates)
        if not axes:
            return self
        rest = tuple(plate for plate in self.plates if plate not in plates)
        return Table(self.variables, rest, jnp.sum(self.array, axes))

    def summed(self, variables) -> Table:
        """Return the sum over the states of some variables."""
        axes = tuple(self.variables.index(i) for i in variables)
        rest = tuple(i for i in self.variables if i not in variables)
        return Table(rest, self.plates, log_sum_exp(self.array, axes)) if axes else self


def product(tables: list[Table]) -> Table:
    """Return the product of tables, over all their axes."""
    variables = tuple(sorted({i for table in tables for i in table.variables}))
    plates = tuple(sorted({plate for table in tables for plate in table.plates}))
    total = tables[0].over(variables, plates)
    for table in tables[1:]:
        total = total + table.over(variables, plates)
    return Table(variables, plates, total)


def log_sum_exp(array, axes):
    """Return log Σ exp over some axes; −inf, with derivative zero, where all is −inf."""
    top = lax.stop_gradient(jnp.max(array, axes, keepdims=True))
    some = jnp.isfinite(top)
    excess = jnp.where(some, array - jnp.where(some, top, 0.0), 0.0)
    total = jnp.log(jnp.sum(jnp.exp(excess), axes, keepdims=True))
    return jnp.squeeze(jnp.where(some, total + top, top), axes)
