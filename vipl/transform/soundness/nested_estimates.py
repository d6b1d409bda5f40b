"""Whether estimates of nested expectations are used as estimates: linearly.

E f(estimate) is f(E) only where f is linear in the estimate. This static pass follows every nested expectation that
is not exact from its equation on, and notes the first use that is not linear; two estimates may be multiplied, since
their draws are independent.

Source: Lew et al. 2023 (POPL), ADEV, where the same is a type, that of estimated real numbers.
"""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from vipl._core.compat import equation_line
from vipl._core.equations import pass_over, pass_over_scan
from vipl._core.errors import BiasError

_LINEAR = frozenset(
    """add add_any sub neg copy reduce_sum cumsum reshape squeeze transpose broadcast_in_dim slice rev concatenate
    pad stack unstack tile expand_dims real imag split optimization_barrier device_put reduce_window_sum
    stop_gradient""".split()
)
_LINEAR_IN = {  # by operand
    "div": (0,),
    "gather": (0,),
    "dynamic_slice": (0,),
    "dynamic_update_slice": (0, 1),
    "scatter-add": (0, 2),
    "scatter": (0, 2),
    "triangular_solve": (1,),
}
_BILINEAR = frozenset("mul dot_general conv_general_dilated".split())
_CALLS = frozenset(
    """jit pjit closed_call core_call remat2 checkpoint custom_jvp_call custom_vjp_call composite vipl_vmap""".split()
)


@dataclasses.dataclass(frozen=True)
class Use:
    """How a value depends on nested estimates.

    Attributes:
        linear: paths of the nested expectations on which it depends linearly.
        misused: for those used otherwise, their names, each with the user's line.
    """

    linear: frozenset = frozenset()
    misused: tuple[tuple[str, str], ...] = ()


_NONE = Use()


def refuse_misused_estimates(plan) -> None:
    """Refuse an objective that is not linear in the estimate of a nested expectation.

    Raises:
        BiasError: it names the nested expectation and the line.
    """
    names: dict[tuple, str] = {}
    results = _Walk(plan, names).walk(plan.staged.jaxpr, [], ())
    if not results or not results[0].misused:
        return
    name, line = results[0].misused[0]
    raise BiasError(
        f"the nested expectation {name} is an estimate, and it is used in {line} as if it were exact: "
        "the mean of a function of an estimate is not the function of the mean.",
        where=line,
        fix="estimators=Enumerate() for all choices inside makes it exact; or keep to sums and products with what does "
        "not depend on it; if a bound is meant, draw its choices in this expectation and average there",
    )


def _join(*uses: Use) -> Use:
    misused = dict(pair for use in reversed(uses) for pair in use.misused)
    return Use(frozenset().union(*(use.linear for use in uses)), tuple(misused.items()))


class _Walk:
    def __init__(self, plan, names):
        self.plan, self.names = plan, names

    def walk(self, jaxpr, operands, path) -> list[Use]:
        step = lambda index, eqn, incoming: self.equation(eqn, incoming, (*path, index))  # noqa: E731
        return pass_over(jaxpr, operands, _NONE, step)

    def equation(self, eqn, operands, path) -> list[Use]:
        name = eqn.primitive.name
        if name == "vipl_expect":
            return self._nested(eqn, operands, path)
        if name in _CALLS:
            return self.walk(eqn.params["jaxpr" if "jaxpr" in eqn.params else "call_jaxpr"], operands, (*path, 0))
        if name == "cond":
            return self._cond(eqn, operands, path)
        if name == "scan":
            return self._scan(eqn, operands, path)
        if name == "while":  # the number of rounds may depend on anything
            return [self._misuse(_join(*operands), eqn)] * len(eqn.outvars)
        if name == "vipl_statement" and getattr(eqn.params["statement"], "of", self) is not self:
            return [operands[0]]  # the name of a density
        return [self._plain(eqn, name, operands)] * len(eqn.outvars)

    def _nested(self, eqn, operands, path) -> list[Use]:
        value, *others = self.walk(eqn.params["jaxpr"], operands, (*path, 0))
        inside = [c for c in self.plan.estimators if c[: len(path)] == path]
        if all(self.plan.estimators[choice].exact for choice in inside):
            return [value, *others]
        self.names[path] = eqn.params["name"]
        return [Use(value.linear | {path}, value.misused), *others]

    def _plain(self, eqn, name, operands) -> Use:
        joined = _join(*operands)
        if not joined.linear:
            return joined
        linear = name in _LINEAR or (name == "convert_element_type" and _is_real(eqn.params["new_dtype"]))
        if name in _LINEAR_IN:
            linear = not any(use.linear for i, use in enumerate(operands) if i not in _LINEAR_IN[name])
        if name in _BILINEAR:
            left, right = operands
            linear = not left.linear & right.linear
        if name == "select_n":
            linear = not operands[0].linear
        return joined if linear else self._misuse(joined, eqn)

    def _misuse(self, use: Use, eqn) -> Use:
        line = f"{eqn.primitive.name} at {equation_line(eqn)}"
        new = tuple((self.names[path], line) for path in sorted(use.linear))
        return _join(Use(misused=use.misused), Use(misused=new))

    def _cond(self, eqn, operands, path):
        predicate, *operands = operands
        branches = [self.walk(b, operands, (*path, i)) for i, b in enumerate(eqn.params["branches"])]
        asked = self._misuse(predicate, eqn)
        return [_join(asked, *results) for results in zip(*branches, strict=True)]

    def _scan(self, eqn, operands, path):
        return pass_over_scan(eqn, operands, lambda xs: self.walk(eqn.params["jaxpr"], xs, (*path, 0)), _join)


def _is_real(dtype) -> bool:
    return jnp.issubdtype(dtype, jnp.inexact)
