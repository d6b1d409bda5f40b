"""`expectation`: an objective program as a function whose value and gradient are unbiased estimates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, overload

import jax
import jax.numpy as jnp

from vipl._core import ambient
from vipl._core.compat import varying_axes
from vipl._core.errors import ProgramError, RandomnessError, ShapeError
from vipl._core.keys import as_key
from vipl._core.source import user_source
from vipl._core.staging import stage
from vipl._core.static import FunctionKey, StaticValue, partition
from vipl.distributions.validation import validation_off

if TYPE_CHECKING:
    from vipl.transform.evaluation.estimate import Estimate
    from vipl.transform.explain import Explanation
    from vipl.transform.plan import Plan


class Expectation:
    """The expectation of a scalar that a program of random choices computes.

    Calling it with a key and arguments returns an unbiased estimate, and the ordinary derivatives of that
    (`jax.grad`, `jax.value_and_grad`) are unbiased estimates of the derivatives. It is plain JAX: `jax.jit`,
    `jax.vmap` and `jax.lax.scan` work on it.

    Attributes:
        fn: the objective program.
        num_samples: how many independent estimates are averaged.
        estimators: pairs of address glob and estimator that override the sites' own.
        strict: whether suspected bias is an error.
        has_aux: whether `fn` returns `(scalar, auxiliary)`.
        pathwise_only: whether the derivative is right only if every choice is by `Reparam`; others are refused.
        own_baseline: whether `fn` takes a baseline from its scores itself; one of the other samples would add to that.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.expectation
        ... def square(p):
        ...     return (vipl.sample("x", dist.Bernoulli(p)) - p) ** 2
        >>> isinstance(square, vipl.Expectation)
        True
        >>> value, slope = jax.value_and_grad(square, argnums=1)(jax.random.key(0), 0.3)
        >>> round(float(value), 2), round(float(slope), 2)  # both values of x are summed: exact
        (0.21, 0.4)
    """

    def __init__(
        self,
        fn,
        *,
        num_samples=1,
        estimators=(),
        strict=False,
        has_aux=False,
        pathwise_only=False,
        own_baseline=False,
    ):
        if not callable(fn):
            raise ProgramError(
                f"vipl.expectation decorates a function, and got {fn!r}.",
                where=user_source(),
                fix="@vipl.expectation above `def objective(…):`",
            )
        if not isinstance(num_samples, int) or num_samples < 1:
            raise ShapeError(
                f"num_samples is {num_samples!r}; it must be a positive int.",
                where=user_source(),
                fix="num_samples=1",
            )
        self.fn, self.num_samples, self.strict, self.has_aux = fn, num_samples, strict, has_aux
        self.pathwise_only, self.own_baseline = pathwise_only, own_baseline
        self.estimators = tuple(estimators.items() if isinstance(estimators, Mapping) else estimators)
        self._source = user_source()
        self.__name__ = getattr(fn, "__name__", "expectation")
        self.__doc__ = getattr(fn, "__doc__", None) or type(self).__doc__
        self.__wrapped__ = fn
        flags = (strict, has_aux, pathwise_only, own_baseline)
        self._key = (FunctionKey(fn), num_samples, StaticValue(self.estimators), *flags)

    def __call__(self, key, *args, **kwargs):
        """Return one unbiased estimate: a scalar, or `(scalar, auxiliary)` with `has_aux`.

        With `num_samples` n > 1 the scalar is a mean, and the arrays of the auxiliary have a leading axis n.

        Raises:
            RandomnessError: the key is missing or is no key.
            ShapeError: the objective does not return a floating-point scalar.
            EstimatorError: an estimator cannot serve its site.
        """
        return self._estimate(key, args, kwargs).result

    def value_and_credits(self, key, *args, **kwargs):
        """Return the estimate, and what each choice by `ScoreFunction` is credited with: what baselines learn from.

        Its derivative is that of the estimate: `jax.value_and_grad(objective.value_and_credits, has_aux=True, …)`.

        Returns:
            A pair of what a call returns and a dict by address, with the sum of the costs that the score is multiplied
            by, element by element, without derivative; of the shape of the choice's batch, behind an axis n with
            `num_samples` n > 1. An address that occurs several times has a tuple of them.

        Example:
            >>> import jax, vipl, vipl.distributions as dist
            >>> from vipl import estimators
            >>> @vipl.expectation(estimators={"x": estimators.ScoreFunction()})
            ... def cost(p):
            ...     return 3.0 + 0.0 * vipl.sample("x", dist.Bernoulli(p))
            >>> value, credits = cost.value_and_credits(jax.random.key(0), 0.5)
            >>> credits["x"].shape
            ()
        """
        return tuple(self._estimate(key, args, kwargs, with_credits=True))

    def _estimate(self, key, args, kwargs, *, with_credits=False) -> Estimate:
        if ambient.current() is not None:
            raise RandomnessError(
                f"{self.__name__} is an expectation, called with a key inside another program.",
                where=user_source(),
                fix=f"vipl.expect({self.__name__}, …) without a key, in another expectation",
            )
        key = as_key(key, self.__name__)
        from vipl.transform.evaluation.estimate import estimate  # on first use, as below: `import vipl` stays quick

        plan = self._plan(args, kwargs, varying_axes(key))
        if self.num_samples == 1:
            return estimate(plan, key, with_credits=with_credits)

        others = None if self.own_baseline else _SAMPLES

        def one(key):
            return estimate(plan, key, others=others, with_credits=with_credits)

        estimates = _map(one, jax.random.split(key, self.num_samples))
        value, aux = estimates.result if self.has_aux else (estimates.result, None)
        return estimates._replace(result=(jnp.mean(value), aux) if self.has_aux else jnp.mean(value))

    def explain(self, *args, **kwargs) -> Explanation:
        """Return the plan as a table: every choice, its estimator and why, and what it is credited with.

        Args:
            *args: the arguments of the objective, without a key; nothing is drawn.
            **kwargs: likewise.
        """
        from vipl.transform.explain import explain_plan

        return explain_plan(self._plan(args, kwargs))

    def _plan(self, args, kwargs, varying=()) -> Plan:
        from vipl.transform.plan import make_plan

        with validation_off():  # vipl's own checks name the site
            run = lambda: self.fn(*args, **kwargs)  # noqa: E731
            staged = stage(run, kind="expectation", varying=varying, relaxed=self.relaxed)
        self.check_result(staged.out.fill([v.aval for v in staged.jaxpr.outvars]))
        pathwise_only = self.__name__ if self.pathwise_only else None
        return make_plan(staged, self.estimators, self._source, strict=self.strict, pathwise_only=pathwise_only)

    @property
    def relaxed(self) -> tuple[str, ...]:
        """The globs that this expectation gives relaxing estimators to."""
        return tuple(pattern for pattern, estimator in self.estimators if getattr(estimator, "relaxed", False))

    def check_result(self, result) -> None:
        """Refuse a result of the objective that is no floating-point scalar, with an auxiliary if that is due."""
        if self.has_aux and not (isinstance(result, tuple) and len(result) == 2):
            raise ShapeError(
                f"{self.__name__} has has_aux=True and does not return a pair.",
                where=self._source,
                fix="return value, auxiliary",
            )
        value = result[0] if self.has_aux else result
        shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", type(value).__name__)
        if shape != () or not jnp.issubdtype(dtype, jnp.floating):
            raise ShapeError(
                f"{self.__name__} returns {dtype} of shape {shape}; an expectation is a floating-point scalar.",
                where=self._source,
                fix="sum or average the result; with has_aux=True return (scalar, auxiliary)",
            )

    def with_estimators(self, estimators: Mapping) -> Expectation:
        """Return this expectation with estimators for addresses (globs allowed), over the sites' own."""
        return self._replace(estimators=(*self.estimators, *estimators.items()))

    def with_num_samples(self, num_samples: int) -> Expectation:
        """Return this expectation averaged over `num_samples` independent estimates."""
        return self._replace(num_samples=num_samples)

    def _replace(self, **changes):
        fields = {name: getattr(self, name) for name in _OPTIONS}
        return Expectation(self.fn, **(fields | changes))

    def __eq__(self, other):
        return type(other) is Expectation and self._key == other._key

    def __hash__(self):
        return hash(self._key)

    def __repr__(self):
        return f"<vipl.expectation {self.__name__}>"


_SAMPLES = "samples of a vipl.expectation"
_OPTIONS = ("num_samples", "estimators", "strict", "has_aux", "pathwise_only", "own_baseline")


def _map(fn, keys):
    """Map a function over keys; the arrays of its result get a leading axis, the rest stays as it is."""
    skeletons = []

    def arrays(key):
        found, skeleton = partition(fn(key))
        skeletons.append(skeleton)
        return found

    found = jax.vmap(arrays, axis_name=_SAMPLES)(keys)
    return skeletons[-1].fill(found)


@overload
def expectation(
    fn: Callable, *, num_samples: int = 1, estimators=None, strict: bool = False, has_aux: bool = False
) -> Expectation: ...


@overload
def expectation(
    fn: None = None, *, num_samples: int = 1, estimators=None, strict: bool = False, has_aux: bool = False
) -> Callable[[Callable], Expectation]: ...


def expectation(
    fn=None, *, num_samples: int = 1, estimators=None, strict: bool = False, has_aux: bool = False
) -> Expectation | Callable[[Callable], Expectation]:
    """Turn an objective program into an `Expectation`: an unbiased estimator of its value and gradient.

    Args:
        fn: a function of any pytrees that returns a scalar. Inside, `vipl.simulate(program)` and
            `vipl.sample(address, distribution)` make random choices, without keys.
        num_samples: how many independent estimates to average.
        estimators: `{address or glob: estimator}`.
        strict: raise `BiasError` where a bias is only suspected.
        has_aux: `fn` returns `(scalar, auxiliary)`, as in `jax.value_and_grad`.

    Returns:
        An `Expectation`, called as `objective(key, *args)`; without `fn`, a decorator.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.expectation
        ... def second_moment(loc):
        ...     return vipl.sample("x", dist.Normal(loc, 1.0)) ** 2
        >>> value, grad = jax.value_and_grad(second_moment, argnums=1)(jax.random.key(0), 3.0)
        >>> value.shape, grad.shape
        ((), ())

    Source: Becker et al. 2024 (PLDI), arXiv 2406.15742, §3; Lew et al. 2023 (POPL), ADEV.
    """
    options = {
        "num_samples": num_samples,
        "estimators": estimators or (),
        "strict": strict,
        "has_aux": has_aux,
    }
    return (lambda fn: Expectation(fn, **options)) if fn is None else Expectation(fn, **options)
