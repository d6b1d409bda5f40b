"""`lazy_rows`: of the params of a subsampled plate's elements, a step touches those of the subsample alone.

A dense optimiser moves all rows at each step, since its averages of gradients fade; for a million elements that is
most of the time. A lazy one lets the rows of a step alone have their gradient, their state and their update.
"""

from __future__ import annotations

import dataclasses

import jax

from vipl._core.errors import ParameterError
from vipl._core.source import user_source
from vipl.distributions.subsample import subsample_indices
from vipl.guides.family import FamilyGuide
from vipl.lang.program import Program
from vipl.tracing.survey import survey


@dataclasses.dataclass(frozen=True)
class LazyRows:
    """An optimiser that updates rows; see `lazy_rows`."""

    optimizer: object

    @property
    def init(self):
        """The optimiser's own."""
        return self.optimizer.init  # pyright: ignore[reportAttributeAccessIssue] an optax optimiser

    @property
    def update(self):
        """The optimiser's own."""
        return self.optimizer.update  # pyright: ignore[reportAttributeAccessIssue] an optax optimiser


def lazy_rows(optimizer) -> LazyRows:
    """Return an optimiser for `vipl.infer` that updates only the rows of the elements that a step looks at.

    For guides that a family makes of a model with `vipl.plate(name, size, subsample_size=…)` around latent sites. The
    cost of a step does not grow with `size`. A row's averages of its gradient do not fade while it is not looked at, so
    the path is another one than that of the dense optimiser, as that of "lazy Adam" or "sparse Adam" is.

    Args:
        optimizer: an optax optimiser, such as `optax.adam(0.01)`.

    Raises:
        ParameterError: in `vipl.infer`, where there are no such rows.

    Example:
        >>> import jax, jax.numpy as jnp, optax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model(y):
        ...     with vipl.plate("unit", len(y), subsample_size=10) as index:
        ...         z = vipl.sample("z", dist.Normal(0.0, 1.0))
        ...         vipl.sample("y", dist.Normal(z, 1.0), obs=y[index])
        >>> optimizer = vipl.lazy_rows(optax.adam(0.05))
        >>> posterior = vipl.infer(
        ...     model(jnp.ones(1000)), optimizer=optimizer, key=jax.random.key(0), num_steps=500, progress=False
        ... )
        >>> posterior.params["z.loc"].shape
        (1000,)
    """
    return LazyRows(optimizer)


@dataclasses.dataclass(frozen=True)
class Rows:
    """Which params have rows; static.

    Attributes:
        params: of each such param, by name, the address of the plate and its axis.
        plates: of each plate, by address, its size and how many of its elements are looked at.
    """

    params: tuple[tuple[str, tuple[str, int]], ...]
    plates: tuple[tuple[str, tuple[int, int]], ...]

    def draw(self, key) -> dict:
        """Return the indices of a step, by plate."""
        keys = [key] if len(self.plates) == 1 else jax.random.split(key, len(self.plates))
        return {address: subsample_indices(k, *sizes) for k, (address, sizes) in zip(keys, self.plates, strict=True)}

    def take(self, params: dict, indices: dict) -> dict:
        """Return params with the rows that are looked at in place of all."""
        return params | {name: params[name][_index(indices, place)] for name, place in self.params}

    def put(self, params: dict, rows: dict, indices: dict) -> dict:
        """Return params with some rows put back."""
        return rows | {name: _set(params[name], rows[name], indices, place) for name, place in self.params}

    def take_state(self, optimizer, state, params: dict, indices: dict):
        """Return an optimiser's state with the rows that are looked at in place of all."""
        places = dict(self.params)
        return jax.tree.map(
            lambda name, leaf: leaf[_index(indices, places[name])] if name in places else leaf,
            _names(optimizer, state, params),
            state,
        )

    def put_state(self, optimizer, state, rows, params: dict, indices: dict):
        """Return an optimiser's state with some rows put back."""
        places = dict(self.params)
        return jax.tree.map(
            lambda name, leaf, row: _set(leaf, row, indices, places[name]) if name in places else row,
            _names(optimizer, state, params),
            state,
            rows,
        )

    def of_problem(self, problem, indices: dict):
        """Return a function of params with rows that gives the programs of a problem, with indices drawn before."""
        problem = dataclasses.replace(problem, guide=Program(problem.guide.fn.of_rows()))

        def programs(params, batch):
            return tuple(_given(program, indices) for program in problem.programs(params, batch))

        return programs


def rows_of(problem, *, required: bool) -> Rows | None:
    """Return which params of a problem have rows; None where none has, or some are of several plates.

    Raises:
        ParameterError: they are required, and there would be None.
    """
    guide = problem.guide
    found = guide.fn.rest.rows() if guide is not None and isinstance(guide.fn, FamilyGuide) else {}
    if not required and (not found or any(len(plates) > 1 for plates in found.values())):
        return None
    if not found:
        raise ParameterError(
            "lazy_rows updates the params of a subsampled plate's elements, and there are none.",
            where=user_source(),
            fix="a plate with subsample_size around latent sites, and a guide family: guides.MeanField()",
        )
    for name, plates in found.items():
        if len(plates) > 1:
            raise ParameterError(
                f"lazy_rows serves one subsampled plate around a site, and param {name!r} is in {len(plates)}.",
                where=user_source(),
                fix="the optimiser itself, without lazy_rows",
            )
    plates = {one.address: (one.size, one.length) for (one,) in found.values()}
    params = tuple((name, (one.address, one.axis)) for name, (one,) in found.items())
    return Rows(params, tuple(plates.items()))


def _index(indices, place):
    address, axis = place
    return (slice(None),) * axis + (indices[address],)


def _set(whole, rows, indices, place):
    return whole.at[_index(indices, place)].set(rows, unique_indices=True, mode="promise_in_bounds")


def _names(optimizer, state, params):
    """Return a tree like an optimiser's state, of the names of the params that its leaves belong to, or ""."""
    import optax

    names = {name: name for name in params}
    return optax.tree_utils.tree_map_params(
        optimizer, lambda _, name: name, state, names, transform_non_params=lambda _: ""
    )


def _given(program: Program, indices: dict) -> Program:
    own = {address: indices[address] for address in survey(program).indices if address in indices}
    return program | own if own else program
