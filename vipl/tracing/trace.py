"""`Trace`: what happened in one run of a program."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import jax
import numpy as np

from vipl._core.compat import is_tracer
from vipl._core.errors import AddressError, DensityError, did_you_mean
from vipl._core.source import user_source
from vipl._core.static import StaticValue


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Site:
    """A site as it ran.

    Attributes:
        distribution: its distribution. Inside `scan` and `vmap` its arrays have leading axes: map over them.
            A tuple where exclusive branches share the address.
        value: its value.
        log_prob: log density of the value in nats, of batch shape, scaled by subsampled plates.
        ran: False where a branch that holds the site was not taken.
        observed: whether the value was observed.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model():
        ...     vipl.sample("y", dist.Normal(0.0, 1.0), obs=2.0)
        >>> site = vipl.simulate(model(), jax.random.key(0)).sites["y"]
        >>> round(float(site.log_prob), 3), site.observed
        (-2.919, True)
    """

    distribution: object
    value: jax.Array
    log_prob: jax.Array
    ran: jax.Array
    observed: bool = dataclasses.field(metadata={"static": True})


class Places(dict):
    """The user's line of each site, for errors. Traces that differ in nothing else are of one structure."""

    def __eq__(self, other):
        return type(other) is Places

    def __hash__(self):
        return hash(Places)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Trace(Mapping):
    """The values of one run, by address. Iterating gives the addresses in program order.

    A trace is a pytree. Values of sites inside `scan` and `vmap` have those axes in front.

    Attributes:
        choices: values of the latent sites.
        observed: values of the observed sites.
        deterministics: recorded values.
        indices: indices of subsampled plates.
        sites: a `Site` for every address in `choices` and `observed`.
        value: what the program returned.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model():
        ...     vipl.sample("x", dist.Normal(0.0, 1.0))
        >>> trace = vipl.simulate(model(), jax.random.key(0))
        >>> list(trace), trace["x"].shape
        (['x'], ())
    """

    choices: dict
    observed: dict
    deterministics: dict
    indices: dict
    sites: dict
    value: object
    _log_density: jax.Array
    _order: tuple = dataclasses.field(metadata={"static": True})
    _unrecorded: tuple = dataclasses.field(metadata={"static": True})
    _origin: StaticValue = dataclasses.field(metadata={"static": True})
    _places: Places = dataclasses.field(metadata={"static": True})

    @property
    def log_density(self):
        """Joint log density of the choices and the observed sites: a scalar, in nats.

        Raises:
            DensityError: a site ran inside a `while_loop`; or sites of a marginal were integrated out without regard to
                what is observed.
        """
        if self._unrecorded:
            where, why, fix = self._unrecorded[0]
            raise DensityError(f"the trace has no log density: {why}.", where=where, fix=fix)
        return self._log_density

    def is_of(self, program) -> bool:
        """Return whether this is a run of a program, whatever its arguments."""
        return self._origin == StaticValue(program.fn)

    def place(self, address) -> str:
        """Return the user's line at which an address was drawn or observed."""
        return self._places[address]

    def _values(self):
        return self.choices | self.observed | self.deterministics

    def __getitem__(self, address):
        values = self._values()
        if address not in values:
            raise AddressError(
                f"the trace has no {address!r}." + did_you_mean(str(address), values),
                where=user_source(),
                fix="correct the address; list(trace) has them all",
            )
        return values[address]

    def get(self, address, default=None):
        """Return the value at an address, or `default`."""
        return self._values().get(address, default)

    def __contains__(self, address):
        return address in self._order

    def __iter__(self):
        return iter(self._order)

    def __len__(self):
        return len(self._order)

    def __repr__(self):
        kinds = [
            (self.choices, "latent"),
            (self.observed, "observed"),
            (self.deterministics, "deterministic"),
        ]
        kind = {address: name for values, name in kinds for address in values}
        rows = [(a, kind[a], self._distribution_name(a), show_array(self[a])) for a in self._order]
        widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
        lines = [
            "  " + "  ".join(text.ljust(w) for text, w in zip(row, (*widths, 0), strict=True)).rstrip() for row in rows
        ]
        density = "none" if self._unrecorded else show_array(self._log_density)
        return "\n".join([f"Trace, log_density {density}", *lines])

    def _distribution_name(self, address) -> str:
        if address not in self.sites:
            return ""
        distribution = self.sites[address].distribution
        return "/".join(
            type(d).__name__ for d in (distribution if isinstance(distribution, tuple) else (distribution,))
        )


def show_array(value) -> str:
    """Return an array in a few characters."""
    shape = list(getattr(value, "shape", ()))
    if is_tracer(value) or not hasattr(value, "dtype"):
        return f"{getattr(value, 'dtype', type(value).__name__)}{shape}"
    if np.size(value) <= 4:
        return np.array2string(np.asarray(value), precision=4, separator=", ").replace("\n", "")
    return f"{value.dtype}{shape}"
