"""Draws of discrete sites that lie between the points of the support, as relaxing estimators make them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import jax.numpy as jnp

from vipl._core import ambient
from vipl.tracing.survey import Survey, survey


def with_relaxed(surveyed: Survey, choices) -> Survey:
    """Return the survey of a program whose discrete sites take the floating-point values that they are given.

    Only inside an expectation: nothing else relaxes a draw.

    Args:
        surveyed: the program.
        choices: the values, by address.
    """
    here = ambient.current()
    if here is None or here.kind != "expectation" or not isinstance(choices, Mapping):
        return surveyed
    found = tuple(
        address
        for address, (located, *_) in surveyed.latents.items()
        if address in choices and _between(located.statement, choices[address])
    )
    if not found:
        return surveyed
    with ambient.surround(dataclasses.replace(here, relaxed=(*here.relaxed, *found))):
        return survey(surveyed.program)


def is_relaxed(site) -> bool:
    """Return whether a site of a trace is discrete, and its value of a floating-point type."""
    discrete = not isinstance(site.distribution, tuple) and site.distribution.is_discrete
    return discrete and jnp.issubdtype(jnp.result_type(site.value), jnp.floating)


def _between(statement, value) -> bool:
    floating = jnp.issubdtype(getattr(value, "dtype", type(value)), jnp.floating)
    return statement.discrete and floating and not jnp.issubdtype(statement.dtype, jnp.floating)
