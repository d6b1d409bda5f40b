"""`sample`: an addressed random value, the statement that everything else is about."""

from __future__ import annotations

from typing import Any

import jax
from numpyro.distributions import Distribution

from vipl._core import ambient
from vipl._core.errors import ProgramError
from vipl._core.source import user_source
from vipl._core.staging import note_draw
from vipl._core.statement import bind
from vipl.distributions.mended import mended
from vipl.lang.captured import check_functions
from vipl.lang.expansion import within_plates
from vipl.lang.observation import check_observation
from vipl.lang.parameter_checks import check_parameters, support_of
from vipl.lang.program import Program, ProgramFunction
from vipl.lang.site import is_estimator, site_statement


def sample(address: str, distribution_or_program, *, obs=None, estimator: Any = None):
    """Draw a value at an address, or observe one there.

    Args:
        address: its name; unique in the program. Scopes and enclosing programs put `prefix/` in front.
        distribution_or_program: a distribution of `vipl.distributions`, or a `Program`, whose sites get
            addresses `"address/inner"`.
        obs: the observed value, of exactly the distribution's shape (plates included); None leaves the site latent.
        estimator: a `vipl.estimators` estimator for when the site is drawn inside an expectation.

    Returns:
        The value, of shape `batch_shape + event_shape`; for a Program, its return value.

    Raises:
        ProgramError: outside of a program and expectation, or not a distribution.
        ShapeError: the distribution does not fit its plates, or the observation the distribution.
        SupportError: a parameter or the observation lies where it must not, or is NaN.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model():
        ...     mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        ...     with vipl.plate("n", 3):
        ...         return vipl.sample("x", dist.Normal(mu, 1.0))
        >>> vipl.simulate(model(), jax.random.key(0))["x"].shape
        (3,)
    """
    source, here = user_source(), ambient.current()
    if not isinstance(address, str) or not address:
        raise ProgramError(
            f"an address is a non-empty string, and got {_brief(address)}.",
            where=source,
            fix='the address comes first: vipl.sample("x", dist.Normal(0.0, 1.0))',
        )
    if here is None:
        raise ProgramError(
            f"vipl.sample({address!r}, …) runs outside of a program.",
            where=source,
            fix="decorate the function with @vipl.program and run it with vipl.simulate(program, key)",
        )
    if isinstance(distribution_or_program, Program):
        from vipl.lang.nesting import sample_program

        return sample_program(address, distribution_or_program, obs, estimator, source)
    full = here.scope + address
    distribution = _as_distribution(full, distribution_or_program, source)
    distribution = within_plates(distribution, here.plates, full, source)
    leaves = jax.tree.leaves(distribution)
    if obs is not None:
        obs = check_observation(obs, distribution, full, source, here.plates)
    elif is_estimator(estimator):
        estimator = estimator.at(distribution)
        leaves += jax.tree.leaves(estimator)
    statement = site_statement(full, source, distribution, here, obs, estimator if obs is None else None)
    value = bind(leaves if obs is None else [*leaves, obs], statement)
    if obs is None:
        note_draw(full, value)
    return value


def _brief(value) -> str:
    return repr(value) if isinstance(value, (str, int, float, type(None))) else type(value).__name__


def _given(value) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__


def _example(value) -> str:
    is_class = isinstance(value, type) and issubclass(value, Distribution) and value.__name__ != "Normal"
    return f"dist.{value.__name__}(…)" if is_class else "dist.Normal(0.0, 1.0)"


def _as_distribution(address, distribution, source) -> Distribution:
    where = f"site {address!r}, {source}"
    if isinstance(distribution, ProgramFunction):
        name = distribution.fn.__name__
        raise ProgramError(
            f"site {address!r} got the function {name} instead of a program.",
            where=where,
            fix=f"call it with its arguments: vipl.sample({address!r}, {name}(…))",
        )
    if not isinstance(distribution, Distribution):
        raise ProgramError(
            f"site {address!r} needs a distribution or a program, and got {_given(distribution)}.",
            where=where,
            fix=f"vipl.sample({address!r}, {_example(distribution)})",
        )
    check_parameters(distribution, support_of(distribution), address, where)
    check_functions(distribution, address, where)
    return mended(distribution)
