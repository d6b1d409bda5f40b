"""A site of NumPyro, as its handlers have made it, as a site or factor of vipl.

The plates around are in the message, innermost first, and so is the product of all scales. vipl's plates scale by
themselves; a site with more scale than theirs gets the difference as a factor.
"""

from __future__ import annotations

import dataclasses
import math

import jax.numpy as jnp
import numpy as np
from numpyro.distributions import ExpandedDistribution, Independent, MaskedDistribution
from numpyro.distributions.distribution import Unit

from vipl import lang
from vipl._core import ambient
from vipl._core.compat import is_tracer
from vipl._core.errors import ProgramError, ShapeError
from vipl._core.source import user_source
from vipl.interop.numpyro.plates import refuse_taken

_SAME = 1e-6  # two products of the same sizes differ by rounding only


def make_site(msg, sizes):
    """Make the statement of vipl that a `sample` message stands for, and return its value.

    Args:
        msg: the message.
        sizes: the size of each plate, by its name and the length of its dimension.
    """
    name, distribution, value = msg["name"], msg["fn"], msg["value"]
    frames = [_frame(frame, sizes) for frame in reversed(msg["cond_indep_stack"])]
    rest = _rest_of_scale(msg["scale"], math.prod(frame.scale for frame in frames))
    here = ambient.current()
    for frame in frames:
        refuse_taken(frame.name, frame.dim)
    with ambient.surround(dataclasses.replace(here, plates=(*here.plates, *frames))):
        if _is_unit(distribution):
            log_weight = distribution.log_prob(value)
            lang.factor(name, log_weight if rest is None else _fitting(rest, log_weight, name) * log_weight)
            return value
        if value is None:
            _refuse_auxiliary(name, msg["infer"])
            _refuse_imputation(name, distribution)
        distribution, value = _of_one_shape(distribution, value, msg["kwargs"].get("sample_shape", ()))
        value = lang.sample(name, distribution, obs=value)
        if rest is not None:
            log_prob = distribution.log_prob(value)
            lang.factor(f"{name}/scale", (_fitting(rest, log_prob, name) - 1.0) * log_prob)
    return value


def _frame(frame, sizes) -> ambient.PlateFrame:
    size = sizes.get((frame.name, frame.size), frame.size)
    return ambient.PlateFrame(frame.name, ambient.current().scope + frame.name, size, frame.size, frame.dim)


def _rest_of_scale(scale, of_plates: float):
    """Return what the handlers scale by, beyond the plates, or None if that is nothing."""
    if scale is None:
        return None
    rest = scale / of_plates
    return None if not is_tracer(rest) and jnp.ndim(rest) == 0 and abs(float(rest) - 1.0) < _SAME else rest


def _fitting(scale, log_prob, name):
    """Return a scale, or refuse one that would repeat the site, as one for all steps does in a scan."""
    shape, of_site = jnp.shape(scale), jnp.shape(log_prob)
    if any(n not in (1, m) for n, m in zip(shape[::-1], of_site[::-1], strict=False)) or len(shape) > len(of_site):
        raise ShapeError(
            f"site {name!r} has batch shape {of_site} and stands inside of numpyro.handlers.scale with shape {shape}.",
            where=user_source(),
            fix="a scale that is one number, or one for each element of the site",
        )
    return scale


def _is_unit(distribution) -> bool:
    return isinstance(_base(distribution), Unit)


def _base(distribution):
    while isinstance(distribution, (ExpandedDistribution, Independent, MaskedDistribution)):
        distribution = distribution.base_dist
    return distribution


def _of_one_shape(distribution, value, sample_shape):
    """Return a distribution and its observation with the shape to which NumPyro broadcasts them."""
    batch = tuple(sample_shape) + tuple(distribution.batch_shape)
    if value is not None:
        value = value if hasattr(value, "dtype") else np.asarray(value)
        event = tuple(distribution.event_shape)
        batch_of_value = value.shape[: max(value.ndim - len(event), 0)]
        try:
            batch = jnp.broadcast_shapes(batch, batch_of_value)
        except ValueError:
            return distribution, value  # vipl.sample says what does not fit
        if value.shape != batch + event and value.shape[len(batch_of_value) :] == event:
            known = not is_tracer(value) and getattr(value, "is_fully_addressable", True)  # and so can be checked
            value = (np if known else jnp).broadcast_to(value, batch + event)
    return (distribution if batch == tuple(distribution.batch_shape) else distribution.expand(batch)), value


def _refuse_auxiliary(name, infer):
    """Refuse the joint draw of an automatic guide, whose sites are then points that depend on it."""
    if infer.get("is_auxiliary"):
        raise ProgramError(
            f"site {name!r} is auxiliary, as the draw is that NumPyro's joint automatic guides cut into the sites of "
            "the model.",
            where=user_source(),
            fix="vipl's own families, such as vipl.infer(model, guide=vipl.guides.FullRank(), …); and where an "
            "auxiliary variable is meant, vipl.marginal of a guide that has it as an ordinary site",
        )


def _refuse_imputation(name, distribution):
    """Refuse the latent half of `obs_mask`: where it is masked it has no density, and nothing to be learned."""
    if name.endswith("_unobserved") and _has_mask(distribution):
        site = name.removesuffix("_unobserved")
        raise ProgramError(
            f"site {site!r} has an obs_mask, and with it latent values that have no density where something is "
            "observed; no guide fits those.",
            where=user_source(),
            fix=f"two sites: the observed rows with obs=y[observed], and {name!r} for the missing ones alone",
        )


def _has_mask(distribution) -> bool:
    while isinstance(distribution, (ExpandedDistribution, Independent)):
        distribution = distribution.base_dist
    return isinstance(distribution, MaskedDistribution)
