"""Flows that flowjax makes, as bijections with params."""

from __future__ import annotations

import functools

import jax
import numpy as np

from vipl._core.compat import x64_enabled
from vipl._core.errors import ParameterError
from vipl._core.optional import optional
from vipl._core.source import user_source
from vipl.transform.soundness.continuous import continuous

_PACE = 0.02  # of the weights, beside that of other parameters
_WHAT = "guides.Flow(flow=…)"


def check_flow(make) -> None:
    """Refuse what makes no flow.

    Raises:
        ParameterError: it is no function.
        MissingPackageError: flowjax is not installed.
    """
    optional("flowjax.bijections", "flows", _WHAT)
    if not callable(make):
        raise ParameterError(
            f"flow is {make!r}; it is a function of the number of coordinates that returns a flow of flowjax.",
            where=user_source(),
            fix="flow=lambda d: coupling_flow(jax.random.key(0), base_dist=StandardNormal((d,)), invert=False)",
        )


def initial_weights(make, size: int) -> dict:
    """Return where the weights of a flow start, by name."""
    trained, _ = _parts(make, size)
    return {name: np.asarray(leaf) / _PACE for name, leaf in _by_name(trained).items()}


def push_and_pull(make, weights: dict, size: int):
    """Return the functions of a flow: of the noise, and of a vector; each also gives the log Jacobian determinant."""
    import equinox
    import paramax

    trained, rest = _parts(make, size)
    leaves = [_PACE * weights[name] for name in _by_name(trained)]
    filled = jax.tree.unflatten(jax.tree.structure(trained), leaves)
    bijection = paramax.unwrap(equinox.combine(filled, rest))

    def pull(vector):
        noise, log_jacobian = bijection.inverse_and_log_det(vector)
        return noise, -log_jacobian

    return continuous(bijection.transform_and_log_det), continuous(pull)


def _parts(make, size: int):
    """Return what is trained of a flow, and the rest."""
    return _parts_in(make, size, x64_enabled())


@functools.lru_cache(maxsize=64)  # flowjax makes no flow inside of a transformation, where the law is asked for
def _parts_in(make, size, wide):
    import equinox
    import paramax

    del wide  # the types of the arrays depend on it
    frozen = paramax.NonTrainable
    bijection = _bijection(make(size), size)
    return equinox.partition(bijection, equinox.is_inexact_array, is_leaf=lambda node: isinstance(node, frozen))


def _bijection(flow, size):
    from flowjax.bijections import AbstractBijection
    from flowjax.distributions import AbstractTransformed, StandardNormal

    if isinstance(flow, AbstractTransformed):
        merged = flow.merge_transforms()
        flow = merged.bijection if isinstance(merged.base_dist, StandardNormal) else merged.base_dist
    if not isinstance(flow, AbstractBijection) or flow.shape != (size,) or flow.cond_shape is not None:
        raise ParameterError(
            f"flow({size}) returns {type(flow).__name__} of shape {getattr(flow, 'shape', None)}; it is to be a "
            f"bijection of ({size},), without a condition, or one with a standard normal base.",
            where=user_source(),
            fix=f"base_dist=StandardNormal(({size},))",
        )
    return flow


def _by_name(trained) -> dict:
    leaves = jax.tree_util.tree_leaves_with_path(trained)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}
