"""`expect`: the expectation of one objective program as a number inside another."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from vipl._core import ambient
from vipl._core.errors import ProgramError, RandomnessError
from vipl._core.interpreter import locate
from vipl._core.nested_call import bind_expectation
from vipl._core.source import user_source
from vipl._core.static import partition
from vipl.lang.vmap import vmap
from vipl.transform.candidates import check_overrides
from vipl.transform.expectation import Expectation


def expect(expectation: Expectation, *args, **kwargs):
    """Return the value of an expectation inside another one.

    The choices of `expectation` are summed out before anything outside sees its value, so that it stands for a number,
    as the expectation itself does. If all its choices are enumerated it is that number, and any function of it is
    right. Else it is an unbiased estimate, with fresh draws at each call: sums, and products with what does not depend
    on it, are unbiased in value and derivative, and any other use is refused, since E f(estimate) is not f(E).

    Args:
        expectation: an `Expectation`. Its `num_samples`, `estimators` and `has_aux` hold; overrides of the outer
            expectation by address hold over them.
        *args: its arguments, without a key.
        **kwargs: likewise.

    Returns:
        A scalar; with `has_aux` a pair of it and the auxiliary.

    Raises:
        RandomnessError: outside of an expectation; there, call it with a key.
        BiasError: (when the outer expectation is called) an estimate is used in a function that is not linear in it.

    Example:
        >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation(estimators={"x": estimators.Enumerate()})
        ... def heads(p):
        ...     return jnp.float32(vipl.sample("x", dist.Bernoulli(p)))
        >>> @vipl.expectation
        ... def surprise(p):
        ...     return -jnp.log(vipl.expect(heads, p))  # exact, since x is enumerated
        >>> print(f"{surprise(jax.random.key(0), 0.25):.4f}")
        1.3863

    Source: Lew et al. 2023 (POPL), ADEV: the type of estimated real numbers, of which only linear use is sound.
    """
    source = user_source()
    if not isinstance(expectation, Expectation):
        raise ProgramError(
            f"vipl.expect takes an expectation, and got {expectation!r}.",
            where=source,
            fix="decorate the function with @vipl.expectation",
        )
    around = ambient.current()
    if around is None or around.kind != "expectation":
        raise RandomnessError(
            f"vipl.expect({expectation.__name__}, …) stands outside of an expectation.",
            where=source,
            fix=f"{expectation.__name__}(key, …) for an estimate of its own",
        )
    name, skeleton = f"{expectation.__name__}, {source}", []

    def one():
        arrays, rest = partition(expectation.fn(*args, **kwargs))
        arrays = [jnp.asarray(x) for x in arrays]
        expectation.check_result(rest.fill(arrays))
        skeleton[:] = [rest]
        return arrays

    def all_samples():
        if expectation.num_samples == 1:
            return one()
        value, *others = vmap(one, axis_size=expectation.num_samples)()
        return [jnp.mean(value), *others]

    with ambient.surround(
        dataclasses.replace(around, scope="", plates=(), relaxed=(*around.relaxed, *expectation.relaxed))
    ):
        jaxpr = jax.make_jaxpr(all_samples)()
    check_overrides(expectation.estimators, {s.statement.address for s in locate(jaxpr)}, source)
    return skeleton[0].fill(bind_expectation(jaxpr, name, expectation.estimators))
