"""Checking values that are handed to a program: the addresses, the shapes, the supports."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp

from vipl._core.errors import AddressError, SupportError, did_you_mean
from vipl.distributions.drawn_support import drawn_support
from vipl.distributions.support import describe_constraint, is_within
from vipl.lang.known import known_support
from vipl.lang.observation import as_array, check_shape
from vipl.tracing.relaxed import is_relaxed
from vipl.tracing.survey import Survey
from vipl.tracing.trace import Trace


def check_choices(surveyed: Survey, choices, source) -> tuple[dict, set]:
    """Check values against a program's latent sites.

    Returns:
        The values by address, indices of plates included, and the addresses known to lie in their support.
    """
    where = f"vipl.log_density of {surveyed.program.name}, {source}"
    trace = choices if isinstance(choices, Trace) else None
    if trace is None and not isinstance(choices, Mapping):
        raise AddressError(
            f"choices are a dict or a Trace, and got {type(choices).__name__}.",
            where=where,
            fix='vipl.log_density(program, {"x": 0.0}), or with a Trace of vipl.simulate',
        )
    values = dict(trace.choices if trace is not None else choices)
    inside = set()
    if trace is not None:
        _refuse_foreign_observations(surveyed, trace, where)
        values |= {name: i for name, i in trace.indices.items() if name in surveyed.indices}
    for address in values:
        if address not in surveyed.latents and address not in surveyed.indices:
            raise _unexpected(surveyed, address, trace, where)
    for address, group in surveyed.latents.items():
        if address not in values:
            raise _missing(surveyed, address, values, where)
        statement = group[0].statement
        values[address] = as_array(values[address], address, where)
        place = f"{statement}; {where}{_sampled_at(trace, address)}"
        shape = group[0].full_shape
        fix = (
            None
            if trace is None
            else f"guide and model must agree: a site {address!r} of shape {shape}, plates included"
        )
        check_shape(values[address], shape, address, place, fix=fix)
        if trace is not None and (
            _support_is_within(surveyed, trace.sites[address], group, place) or is_relaxed(trace.sites[address])
        ):
            inside.add(address)
    for name, group in surveyed.indices.items():
        if name in values:
            values[name] = jnp.asarray(values[name])
            check_shape(values[name], group[0].full_shape, name, f"{group[0].statement}; value given at {source}")
    return values, inside


def _unexpected(surveyed, address, trace, where) -> AddressError:
    if address in surveyed.observed:
        return AddressError(
            f"{address!r} is observed by {surveyed.program.name} and must not be among the choices"
            + (": the guide samples an observed site." if trace is not None else "."),
            where=f"{surveyed.observed[address][0].statement}; {where}{_sampled_at(trace, address)}",
            fix="exactly the latent sites: " + ", ".join(map(repr, surveyed.latents)),
        )
    return AddressError(
        f"{surveyed.program.name} has no latent site {address!r}." + did_you_mean(str(address), surveyed.latents),
        where=f"site {address!r}{_sampled_at(trace, address)}; {where}",
        fix="correct the address"
        + (
            "; auxiliary sites of a guide are integrated out by vipl.marginal(guide, keep=[…])"
            if trace is not None
            else ""
        ),
    )


def _sampled_at(trace, address) -> str:
    return "" if trace is None else f"; sampled at {trace.place(address)}"


def _missing(surveyed, address, values, where) -> AddressError:
    unknown = [a for a in values if a not in surveyed.latents]
    hint = did_you_mean(address, unknown) if unknown else ""
    return AddressError(
        f"no value for the latent site {address!r} of {surveyed.program.name}.{hint}",
        where=f"{surveyed.latents[address][0].statement}; {where}",
        fix=f"a value for {address!r} among the choices; a guide needs vipl.sample({address!r}, …); "
        f"data are observed with obs= or program | {{{address!r}: value}}",
    )


def _name(trace) -> str:
    return getattr(trace._origin.value, "__name__", "another program")


def _refuse_foreign_observations(surveyed, trace, where) -> None:
    """A guide that observes would put its likelihood into the density that is subtracted."""
    if trace.observed and not trace.is_of(surveyed.program):
        address = next(iter(trace.observed))
        raise AddressError(
            f"{_name(trace)} observes {address!r}: its trace is not a draw of the latent sites alone.",
            where=f"site {address!r}, {trace.place(address)}; {where}",
            fix="remove obs= from the guide; the model alone observes. "
            "The posterior of a conditioned program is a program by vipl.normalize(program, …)",
        )


def _support_is_within(surveyed, site, group, where) -> bool:
    """Return whether the draw is known to lie in the support; refuse if the draws are known to reach beyond."""
    if isinstance(site.distribution, tuple) or len(group) > 1:
        return False
    statement, inner = group[0].statement, drawn_support(site.distribution)
    outer = known_support(group[0], surveyed.staged)
    within = None if outer is None else is_within(inner, outer)
    if within is False:
        raise SupportError(
            f"site {statement.address!r}: the draws lie in {describe_constraint(inner)}, which "
            f"reaches beyond {describe_constraint(outer)}, the support in {surveyed.program.name}.",
            where=where,
            fix="a guide distribution on the same support, such as dist.LogNormal for positive values or "
            "dist.TransformedDistribution(dist.Normal(…), dist.biject_to(support))",
        )
    return bool(within)
