"""`scan` and `cond` of `numpyro.contrib.control_flow` as JAX's own, which vipl understands with the sites inside.

NumPyro hides the sites of a body and hands them out afterwards. Here they are statements where they stand; a handler
around the loop that gives values to its sites gives each step its own.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from numpyro.contrib.control_flow.cond import cond_wrapper
from numpyro.contrib.control_flow.scan import scan_wrapper
from numpyro.ops.pytree import PytreeTrace
from numpyro.primitives import Messenger, get_mask

from vipl._core.errors import ProgramError, ShapeError
from vipl._core.source import user_source


def run_control_flow(msg):
    """Run a `control_flow` message, and return what NumPyro takes for its value: no site is left to hand out."""
    if msg["fn"] not in _RULES:
        raise ProgramError(
            f"NumPyro's control flow by {getattr(msg['fn'], '__name__', msg['fn'])} stands for nothing in vipl.",
            where=user_source(),
            fix="scan and cond of numpyro.contrib.control_flow",
        )
    return _RULES[msg["fn"]](*msg["args"], given=msg["kwargs"]["substitute_stack"])


def _scan(body, init, xs, length, reverse, *, given):
    length = jnp.shape(jax.tree.leaves(xs)[0])[0] if length is None else length
    mask = get_mask()
    if mask is not None and jnp.ndim(mask):
        raise ShapeError(
            f"a scan stands inside of numpyro.handlers.mask with a mask of shape {jnp.shape(mask)}, and each site in "
            "it is one step.",
            where=user_source(),
            fix="pass the mask with xs, and use numpyro.handlers.mask inside of the scanned function",
        )

    def step(carry, x):
        index, x = x
        with _GiveSteps(given, index, length):
            return body(carry, x)

    carry, ys = jax.lax.scan(step, init, (jnp.arange(length), xs), length=length, reverse=reverse)
    return (length, None, carry), (PytreeTrace({}), ys)


def _cond(predicate, on_true, on_false, operand, *, given):
    del given  # handlers around reach the sites of a branch by themselves
    return jax.lax.cond(predicate, on_true, on_false, operand), PytreeTrace({})


class _GiveSteps(Messenger):
    """Gives the sites of one step their values from handlers around the loop, and keeps those from doing it."""

    def __init__(self, given, index, length):
        super().__init__()
        self.given, self.index, self.length = given, index, length

    def process_message(self, msg):
        """Give a site the step's own value, as `condition` and `substitute` would."""
        if msg["type"] == "sample" and "name" in msg:
            for kind, values in self.given:
                value = self._value(kind, values, msg["name"])
                if value is not None:
                    msg["value"] = value
                    msg["is_observed"] = msg["is_observed"] or kind == "condition"
        if msg["type"] in ("sample", "param", "plate", "deterministic"):
            msg["_control_flow_done"] = True

    def _value(self, kind, values, name):
        if kind not in ("condition", "substitute") or callable(values):
            raise ProgramError(
                f"a scan stands inside of numpyro.handlers.{kind} with a function or trace, which is not known step "
                "by step.",
                where=user_source(),
                fix=f"values by name: numpyro.handlers.condition(model, {{{name!r}: …}}), each with the steps first",
            )
        if name not in values:
            return None
        value = jnp.asarray(values[name])
        if value.shape[:1] != (self.length,):
            raise ShapeError(
                f"the value of {name!r} has shape {value.shape}, and the scan around the site has {self.length} steps.",
                where=user_source(),
                fix="a value for every step, the steps first; and a scan of its own for those without",
            )
        return value[self.index]


_RULES = {scan_wrapper: _scan, cond_wrapper: _cond}
