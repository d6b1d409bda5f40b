"""The handler that turns each statement of NumPyro into one of vipl: a table of rules, one for each type of message."""

from __future__ import annotations

from numpyro.primitives import Messenger

from vipl import lang
from vipl._core import ambient
from vipl._core.errors import ProgramError
from vipl._core.source import user_source
from vipl.interop.numpyro.control_flow import run_control_flow
from vipl.interop.numpyro.params import declare_param
from vipl.interop.numpyro.plates import open_plate
from vipl.interop.numpyro.sites import make_site


class Translate(Messenger):
    """A handler of NumPyro, the outermost of a model's, that makes vipl's statements of what reaches it.

    Attributes:
        sizes: the size of each plate, by its name and the length of its dimension.
    """

    def __init__(self):
        super().__init__()
        self.sizes = {}

    def process_message(self, msg):
        """Give the statement its value; NumPyro's stack is one for all threads, the surroundings are not."""
        if ambient.current() is None or msg.get("stop"):
            return
        rule = _RULES.get(msg["type"], _refuse)
        rule(self, msg)
        msg["stop"] = True


def _sample(translate, msg):
    msg["value"] = make_site(msg, translate.sizes)


def _deterministic(translate, msg):
    del translate
    msg["value"] = lang.deterministic(msg["name"], msg["value"])


def _param(translate, msg):
    del translate
    msg["value"] = declare_param(msg)


def _plate(translate, msg):
    msg["value"] = open_plate(msg)
    translate.sizes[msg["name"], msg["value"].shape[0]] = msg["args"][0]


def _control_flow(translate, msg):
    del translate
    msg["value"] = run_control_flow(msg)


def _pass(translate, msg):
    """Let a question about the handlers around, or the data of a subsample, be answered by them."""


def _prng_key(translate, msg):
    del translate
    if msg["kwargs"]["rng_key"] is None:
        raise ProgramError(
            "the model asks for a key of its own, as numpyro.prng_key, numpyro.module, numpyro.handlers.uncondition "
            "and a site that numpyro.handlers.block hides do, and what is drawn from it would be no site.",
            where=user_source(),
            fix="numpyro.sample for what is random; for a network, parameters that are made before: "
            'numpyro.param("net", params), or numpyro.handlers.substitute(model, {"net$params": params}); '
            "an automatic guide sees its model first: numpyro.handlers.seed(guide, 0)(data)",
        )


def _refuse(translate, msg):
    del translate
    name = msg.get("name")
    raise ProgramError(
        f"numpyro.{msg['type']}({name!r}, …) stands for nothing in vipl.",
        where=user_source(),
        fix="pass it to the model as an argument, and return what has changed",
    )


_RULES = {
    "sample": _sample,
    "deterministic": _deterministic,
    "param": _param,
    "plate": _plate,
    "control_flow": _control_flow,
    "inspect": _pass,
    "subsample": _pass,
    "prng_key": _prng_key,
}
