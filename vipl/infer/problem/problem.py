"""`Problem`: a model and a guide as functions of parameters."""

from __future__ import annotations

import dataclasses

import jax

from vipl._core.errors import ProgramError
from vipl._core.source import user_source
from vipl._core.static import FunctionKey, Skeleton
from vipl.guides.coordinates import Frame
from vipl.guides.family import FamilyGuide
from vipl.infer.problem.data import Data
from vipl.lang.program import Program
from vipl.tracing.survey import Survey, survey


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Problem:
    """A model and a guide, each a Program or a function of the parameters that returns one.

    Attributes:
        model, guide: Programs whose `vipl.param`s are the parameters, or None.
        frame: coordinates of a guide that is made by a family, or None for those of the values.
        data: the data, if there are any besides those of the model, or None.
        model_of, guide_of: functions of the parameters, and of a batch of the data, where those are None.
        model_params, guide_params: the addresses of the params of either Program.
        addresses: what the first look at both found, against programs that change between looks.
        skeleton: what of the parameters is no array, or None where all is.
    """

    model: Program | None
    guide: Program | None
    frame: Frame | None = None
    data: Data | None = None
    model_of: FunctionKey | None = dataclasses.field(default=None, metadata={"static": True})
    guide_of: FunctionKey | None = dataclasses.field(default=None, metadata={"static": True})
    model_params: tuple = dataclasses.field(default=(), metadata={"static": True})
    guide_params: tuple = dataclasses.field(default=(), metadata={"static": True})
    addresses: tuple = dataclasses.field(default=(), metadata={"static": True})
    skeleton: Skeleton | None = dataclasses.field(default=None, metadata={"static": True})

    def programs(self, params, batch=None) -> tuple[Program, Program]:
        """Return model and guide with these parameters.

        Args:
            params: the parameters.
            batch: a batch of the data, if there are any; default: the first.
        """
        arguments = (self.whole(params),)
        if self.data is not None:
            arguments += (self.data.first if batch is None else batch,)
        model = _with(self.model, self.model_of, self.model_params, params, arguments)
        guide = self.guide
        if guide is not None and isinstance(guide.fn, FamilyGuide):
            guide = guide.fn.in_context(frame=self.frame, model=model)
        guide = _with(guide, self.guide_of, self.guide_params, params, arguments)
        for program, before in zip((model, guide), self.addresses, strict=False):
            check_unchanged(program, before)
        return model, guide

    def whole(self, params):
        """Return parameters as the user has them: also what is no array, and is not learned."""
        return params if self.skeleton is None else self.skeleton.fill(params)


def addresses_of(surveyed: Survey) -> tuple:
    """Return the addresses of the latent sites of a program, and of the observed ones."""
    return (tuple(surveyed.latents), tuple(surveyed.observed))


def _with(program, program_of, names, params, arguments) -> Program:
    program = program if program_of is None else program_of(*arguments)
    assert program is not None, "a Problem has one of the two"
    if not names:
        return program
    return program.replace(params=(program.params or {}) | {name: params[name] for name in names})


def check_unchanged(program, before) -> None:
    """Refuse a program with other sites than it had before."""
    now = addresses_of(survey(program))
    if now == before:
        return
    varying = {a for group in before for a in group} ^ {a for group in now for a in group}
    raise ProgramError(
        f"{program.name} has other sites each time it is looked at; only sometimes there: "
        f"{', '.join(map(repr, sorted(varying))) or 'an observation'}.",
        where=user_source(),
        fix="a program's sites may depend on its arguments' shapes and static values only, "
        "not on global state or Python randomness",
    )
