"""`sample`: an addressed random value, the statement that everything else is about."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Distribution, ExpandedDistribution, Independent, MaskedDistribution

from vipl._core import ambient
from vipl._core.compat import staging_depth
from vipl._core.errors import ProgramError
from vipl._core.source import user_source
from vipl._core.staging import note_draw
from vipl._core.statement import Statement, bind
from vipl.distributions.base_noise import Noise, noise_of
from vipl.distributions.finite import num_support_points, support_moves
from vipl.lang.observation import check_observation
from vipl.lang.parameter_checks import check_parameters
from vipl.lang.plate import within_plates
from vipl.lang.program import Program, ProgramFunction


@dataclasses.dataclass(frozen=True, eq=False)
class SampleStatement(Statement):
    """A site.

    Operands are the leaves of its distribution, and then the observation if there is one.

    Attributes:
        structure: the tree structure of the distribution.
        observed: whether the last operand is an observation.
        scale: factor of its log density, from subsampled plates.
        noise: the parameter-free noise that a draw is made from.
        reparameterised: whether the distribution has a differentiable sampler.
        discrete: whether its support is.
        support_size: number of points of a finite support, or None.
        support_moves: whether the support depends on parameters.
        event_dim: how many of the last axes of its value belong to one event.
        distribution_name: the class of its distribution.
        estimator: the gradient estimator that the site asks for, or None.
        token: stands for the draw, to say which choice a log density is of.
    """

    structure: object = None
    observed: bool = False
    scale: float = 1.0
    noise: Noise | None = None
    reparameterised: bool = False
    discrete: bool = False
    support_size: int | None = None
    support_moves: bool = False
    event_dim: int = 0
    distribution_name: str = ""
    estimator: object = None
    token: object = None

    noun = "site"

    @property
    def draws(self):
        """A latent site needs randomness of its own in every lane."""
        return not self.observed

    def distribution(self, leaves) -> Distribution:
        """Return the distribution with these leaves."""
        return jax.tree.unflatten(self.structure, leaves)


def sample(address: str, distribution_or_program, *, obs=None, estimator=None):
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
    leaves, structure = jax.tree.flatten(distribution)
    shape = tuple(distribution.shape())
    if obs is not None:
        obs = check_observation(obs, distribution, full, source, here.plates)
    statement = SampleStatement(
        full,
        source,
        staging_depth() - here.depth,
        shape,
        jnp.result_type(obs) if obs is not None else value_dtype(distribution),
        structure=structure,
        observed=obs is not None,
        scale=float(np.prod([frame.scale for frame in here.plates])),
        noise=noise_of(distribution),
        reparameterised=bool(distribution.has_rsample),
        discrete=bool(distribution.is_discrete),
        support_size=num_support_points(distribution),
        support_moves=support_moves(distribution),
        event_dim=len(distribution.event_shape),
        distribution_name=_name(distribution),
        estimator=estimator,
        token=object(),
    )
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
    check_parameters(distribution, address, where)
    return distribution


def value_dtype(distribution: Distribution):
    """Return the dtype of a distribution's draws, without drawing."""
    leaves, structure = jax.tree.flatten(distribution)
    return _value_dtype(structure, tuple((np.shape(x), jnp.result_type(x)) for x in leaves), jax.config.jax_enable_x64)


@functools.lru_cache(maxsize=4096)
def _value_dtype(structure, avals, x64):
    del x64  # part of the cache's key

    def draw(*leaves):  # the key is made here, lest the program that is being staged gets an equation for it
        return jax.tree.unflatten(structure, leaves).sample(jax.random.key(0))

    leaves = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in avals]
    try:
        return jax.eval_shape(draw, *leaves).dtype
    except NotImplementedError as error:
        name = type(jax.tree.unflatten(structure, leaves)).__name__
        raise ProgramError(
            f"{name} cannot be sampled from ({error}).", where=user_source(), fix="vipl.factor adds a log density alone"
        ) from error


def _name(distribution) -> str:
    while isinstance(distribution, (ExpandedDistribution, Independent, MaskedDistribution)):
        distribution = distribution.base_dist
    return type(distribution).__name__
