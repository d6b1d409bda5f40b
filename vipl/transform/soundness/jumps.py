"""Where a pathwise derivative would be silently wrong: values that reach the output through a jump.

The derivative of a jump is zero almost everywhere, so what a reparameterised value does through a comparison, a
rounding, a sign, an index or a branch is lost from the gradient, without a trace. This static pass follows each
pathwise choice through the objective and notes the first jump on its way. Continuous piecewise functions
(relu, abs, max, clip, …), the support masks of densities, and whatever `continuous` vouches for pass.
"""

from __future__ import annotations

import dataclasses

import jax

from vipl._core.compat import equation_line, is_from_library
from vipl._core.equations import pass_over, pass_over_scan
from vipl._core.interpreter import has_statements
from vipl.lang.site import SampleStatement
from vipl.tracing.own_density import DensityStatement
from vipl.transform.soundness.continuous import VOUCHED

JUMPS = frozenset("gt lt ge le eq ne floor ceil round sign argmax argmin rem population_count top_k".split())
_FREE = frozenset("is_finite stop_gradient".split())  # guards against infinities; what the user has cut off himself
_CONTINUOUS = frozenset(
    """leaky_relu elu selu celu relu relu6 hard_tanh hard_sigmoid hard_silu hard_swish squareplus softplus log_sigmoid
    gelu silu swish mish soft_sign sparse_plus sparse_sigmoid clip logaddexp logaddexp2 xlogy xlog1py entr
    softmax log_softmax logsumexp standardize hypot norm""".split()
)
_KINKED = frozenset("leaky_relu selu celu relu relu6 hard_tanh hard_sigmoid hard_silu hard_swish clip".split())


@dataclasses.dataclass(frozen=True)
class Influence:
    """Which pathwise choices a value depends on.

    Attributes:
        smooth: choices that reach it by differentiable ways.
        jumped: choices that reach it through a jump, with the user's line of the first one.
    """

    smooth: frozenset = frozenset()
    jumped: tuple[tuple[tuple, str], ...] = ()


_NONE = Influence()


def jumps(staged, is_pathwise) -> dict[tuple, str]:
    """Return `{path: line}` of the pathwise choices that reach the objective through a jump.

    Args:
        staged: the staged objective.
        is_pathwise: says of a choice's path whether it is reparameterised.
    """
    results = _walk(staged.jaxpr, [], _Context(is_pathwise), ())
    return dict(results[0].jumped) if results else {}


def _join(*influences: Influence) -> Influence:
    smooth = frozenset().union(*(i.smooth for i in influences))
    jumped: dict = {}
    for influence in influences:
        for path, line in influence.jumped:
            jumped.setdefault(path, line)
    return Influence(smooth, tuple(sorted(jumped.items())))


@dataclasses.dataclass(frozen=True)
class _Context:
    """Which choices are pathwise, and the user's line around the equations that the walk is at."""

    is_pathwise: object
    line: str = ""

    def within(self, eqn) -> _Context:
        return _Context(self.is_pathwise, equation_line(eqn) or self.line)


def _jump(influence: Influence, eqn, context: _Context) -> Influence:
    """Everything that came smoothly has now jumped."""
    line = f"{eqn.primitive.name} at {equation_line(eqn) or context.line}"
    jumped = dict(influence.jumped)
    for path in influence.smooth:
        jumped.setdefault(path, line)
    return Influence(frozenset(), tuple(sorted(jumped.items())))


def _walk(jaxpr, operands, context, path) -> list[Influence]:
    step = lambda index, eqn, incoming: _equation(eqn, incoming, context, (*path, index))  # noqa: E731
    return pass_over(jaxpr, operands, _NONE, step)


def _equation(eqn, operands, context, path) -> list[Influence]:
    name = eqn.primitive.name
    joined = _join(*operands)
    if name == "vipl_statement":
        return [_statement(eqn.params["statement"], operands, context, path)]
    if not (joined.smooth or joined.jumped) and not has_statements(eqn):
        return [_NONE] * len(eqn.outvars)
    if name in _FREE:
        return [Influence(frozenset(), joined.jumped)] * len(eqn.outvars)
    if name in _RULES:
        return _RULES[name](eqn, operands, context, path)
    if (name in JUMPS or _becomes_discrete(eqn, operands)) and not _compares_with_itself(eqn):
        return [_jump(joined, eqn, context)] * len(eqn.outvars)
    return [joined] * len(eqn.outvars)


def _becomes_discrete(eqn, operands) -> bool:
    """Return whether a pathwise real number becomes an integer or a truth value, by whatever primitive."""
    real = lambda atom: jax.numpy.issubdtype(atom.aval.dtype, jax.numpy.inexact)  # noqa: E731
    enters = any(real(atom) and influence.smooth for atom, influence in zip(eqn.invars, operands, strict=True))
    return enters and not any(map(real, eqn.outvars))


def _compares_with_itself(eqn) -> bool:
    """Return whether this is x == x, the test for NaN."""
    return eqn.primitive.name in ("eq", "ne") and eqn.invars[0] is eqn.invars[1]


def _statement(statement, operands, context, path) -> Influence:
    if isinstance(statement, DensityStatement):  # the masks of a support are no jumps of the objective
        return _join(*operands[1:]) if len(operands) > 1 else operands[0]
    joined = _join(*operands)
    if isinstance(statement, SampleStatement) and not statement.observed:
        # What its parameters do through a value that is not pathwise is in the weights, whatever becomes of the value.
        return Influence(joined.smooth | {path} if context.is_pathwise(path) else frozenset(), joined.jumped)
    return joined


def _convert(eqn, operands, context, path):
    to_discrete = not jax.numpy.issubdtype(eqn.params["new_dtype"], jax.numpy.inexact)
    return [_jump(operands[0], eqn, context) if to_discrete else operands[0]]


def _sort(eqn, operands, context, path):
    """Sorted keys are continuous in themselves; what is carried along jumps when two keys change places."""
    keys = eqn.params["num_keys"]
    moved = _jump(_join(*operands[:keys]), eqn, context)
    return [_join(o) if i < keys == 1 else _join(o, moved) for i, o in enumerate(operands)]


def _call(eqn, operands, context, path):
    params = eqn.params
    body = params["jaxpr" if "jaxpr" in params else "call_jaxpr"]
    name = params.get("name")
    if name == VOUCHED or (name in _CONTINUOUS and is_from_library(body)):
        passed = [_join(*operands)] * len(eqn.outvars)
        if name not in _KINKED or len(passed) == 1:
            return passed
        # The value of a differentiated function comes first, then what its derivative needs: that jumps at a kink.
        return [passed[0], *_walk(body, operands, context.within(eqn), (*path, 0))[1:]]
    return _walk(body, operands, context.within(eqn), (*path, 0))


def _custom(eqn, operands, context, path):
    """A custom derivative says itself what the derivative is."""
    if has_statements(eqn):
        return _call(eqn, operands, context, path)
    return [_join(*operands)] * len(eqn.outvars)


def _cond(eqn, operands, context, path):
    predicate, *operands = operands
    jumped = _jump(predicate, eqn, context)
    branches = [_walk(b, operands, context, (*path, i)) for i, b in enumerate(eqn.params["branches"])]
    return [_join(jumped, *results) for results in zip(*branches, strict=True)]


def _scan(eqn, operands, context, path):
    """What a step hands on reaches the next one."""
    return pass_over_scan(eqn, operands, lambda xs: _walk(eqn.params["jaxpr"], xs, context, (*path, 0)), _join)


def _while(eqn, operands, context, path):
    """What a round hands on reaches the next one, and when the rounds end reaches all."""
    params = eqn.params
    first, second = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]
    state = operands[second:]
    while True:
        (going,) = _walk(params["cond_jaxpr"], [*operands[:first], *state], context, (*path, 0))
        results = _walk(params["body_jaxpr"], [*operands[first:second], *state], context, (*path, 1))
        after = [_join(*pair, _jump(going, eqn, context)) for pair in zip(state, results, strict=True)]
        if after == state:
            return state
        state = after


_RULES = {
    "convert_element_type": _convert,
    "sort": _sort,
    **dict.fromkeys(("jit", "pjit", "closed_call", "core_call", "remat2", "checkpoint"), _call),
    **dict.fromkeys(("vipl_vmap", "vipl_expect"), _call),
    **dict.fromkeys(("custom_jvp_call", "custom_vjp_call"), _custom),
    "cond": _cond,
    "scan": _scan,
    "while": _while,
}
